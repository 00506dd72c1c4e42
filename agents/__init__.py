"""agents act: every socket, file, clock and thread is here. Imports streams and schemas."""
