"""What agents do, with the drivers of memory."""
