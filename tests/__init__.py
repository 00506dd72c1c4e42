"""Tests: a name is a sentence. Rooms mirror the code; laws, stories, contracts, faults and system hold for all."""
