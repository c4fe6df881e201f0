"""What env.py leaves in the pool of an engine that belongs to the application: `from app.db import engine`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .listeners import listening


@contextmanager
def closing_what_is_left() -> Iterator[None]:
    """No connection that was opened within this block stays in a pool behind it.

    `alembic` ends after one execution of env.py, and its connections with it. Here the next execution may have another event
    loop, which an asyncpg connection cannot be used in, or follow after the function was frozen.
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
