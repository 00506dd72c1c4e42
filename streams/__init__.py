"""streams decide: pure functions over time. No clock, socket, file or log; imports schemas only."""
