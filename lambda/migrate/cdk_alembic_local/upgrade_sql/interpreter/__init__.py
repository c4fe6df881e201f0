"""Interprets an upgrade: Python's statements, expressions and calls, and the backend's modules."""
