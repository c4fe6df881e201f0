"""The SQL that an upgrade would send, read from its source without running it.

An upgrade is interpreted: what is known (texts, lists, paths, functions of the backend) has its value, the rest is a symbol.
Operations of Alembic and statements of SQLAlchemy are written out as SQL, so that one parser, PostgreSQL's, judges all of them.
Needs nothing but the standard library: packaging runs it with any Python, the observer with the backend's.
"""
