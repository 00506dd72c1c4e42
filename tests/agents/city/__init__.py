"""The city checked: its truth against the judgements, its shapes against the figures, its dirt against the knobs."""
