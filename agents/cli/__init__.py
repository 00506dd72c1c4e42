"""The command line, one module a command; it prints, and nothing below it does."""
