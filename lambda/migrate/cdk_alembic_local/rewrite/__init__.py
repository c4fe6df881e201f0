"""Splits revisions into statements and writes new ones, for `review --fix` and `create`. Requires no database."""
