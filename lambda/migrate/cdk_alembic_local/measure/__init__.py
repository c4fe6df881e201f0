"""Measures revisions on as many rows as production has: their locks, how long they hold them, and how long others wait."""
