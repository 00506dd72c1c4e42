"""One module a board: what stands where, and which question it answers."""
