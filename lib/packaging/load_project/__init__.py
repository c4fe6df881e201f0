"""Loads a package like the function: see `__main__.py`."""
