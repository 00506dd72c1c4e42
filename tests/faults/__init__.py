"""Crash, repeat, reorder and outage as values in a script; the end must equal the calm run."""
