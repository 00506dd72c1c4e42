"""One suite a port, run on memory and on the real service."""
