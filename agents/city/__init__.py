"""The city: a believable Hanoi of dossiers, with their truth; pure given a seed, told day by day."""
