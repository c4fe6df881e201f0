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
    from sqlalchemy.engine import Engine
    from sqlalchemy.pool import Pool

    is_async: dict[Any, bool] = {}

    def opened(dialect: Any, record: Any, *_: Any) -> None:
        is_async[record] = dialect.is_async

    def returned(_: Any, record: Any) -> None:
        # Its event loop, which closing it needs, ends before env.py does.
        if is_async.get(record):
            record.invalidate()

    with listening((Engine, "do_connect", opened), (Pool, "checkin", returned)):
        try:
            yield
        finally:
            for record, needs_loop in is_async.items():
                if not needs_loop and not record.in_use:
                    record.invalidate()
