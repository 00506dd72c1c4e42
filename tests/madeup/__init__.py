"""A made-up log of two thousand dossiers of five branches, with the answer to each, and the office that judges it."""
