"""What goes into containers, checked without an engine."""
