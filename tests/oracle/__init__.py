"""A slow second opinion: the specification once more, day by day and shift by shift.

Written from the specification alone. It imports the input types of ``schemas`` and nothing of ``streams``,
and prefers the obvious to the quick: no prefix sums, no bisected tables, no formula where a walk will do.
"""
