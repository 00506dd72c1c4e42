"""What the words of schemas mean, and what they refuse."""
