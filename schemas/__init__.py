"""schemas say: what crosses a process boundary, and nothing else. Imports nothing of ours, and does no I/O."""
