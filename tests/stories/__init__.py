"""One story a legal rule, in virtual time, citing it."""
