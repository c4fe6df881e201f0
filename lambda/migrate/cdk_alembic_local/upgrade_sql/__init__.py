"""The SQL that an upgrade would send, read from its source without running it.

An upgrade is interpreted with known values (texts, lists, paths, the backend's functions); all others are symbols.
Alembic's operations and SQLAlchemy's statements are rendered as SQL, so that PostgreSQL's parser reads all of them.
Uses only the standard library: packaging runs it with any Python, the observer with the backend's.
"""
