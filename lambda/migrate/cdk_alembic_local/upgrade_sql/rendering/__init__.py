"""Renders Alembic's operations and SQLAlchemy's statements as SQL, and as calls with their arguments."""
