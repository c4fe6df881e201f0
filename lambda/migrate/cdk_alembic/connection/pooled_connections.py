"""Connections that env.py leaves in the pool of the application's engine: `from app.db import engine`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .listeners import listening


@contextmanager
def closing_pooled_connections() -> Iterator[None]:
    """Closes the pooled connections that were opened within this block.

    `alembic` exits after one execution of env.py, and its connections close. Here another execution follows, maybe in another
    event loop, in which an asyncpg connection can't be used, or after the function was frozen.
    """
    from sqlalchemy.pool import Pool

    opened: set[Any] = set()

    def returned(connection: Any, record: Any) -> None:
        # SQLAlchemy wraps async connections. Closing one needs its event loop, which ends before env.py does.
        if record in opened and hasattr(connection, "_connection"):
            record.invalidate()

    with listening((Pool, "connect", lambda _, record: opened.add(record)), (Pool, "checkin", returned)):
        try:
            yield
        finally:
            for record in opened:
                if not record.in_use:
                    record.invalidate()
