"""Measures revisions on as many rows as production has: which locks they hold for how long, and how long a write waits."""
