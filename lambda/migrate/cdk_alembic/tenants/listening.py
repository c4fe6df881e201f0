"""For requests with many tenants: limits env.py's logging, and records the database that it connects to."""

from __future__ import annotations

import logging
import logging.config
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..connection.drivers import SQLALCHEMY_OPTIONS
from ..connection.listeners import listening


@contextmanager
def quiet() -> Iterator[None]:
    """Disables env.py's logging configuration: it would be read a thousand times, and Alembic would log several lines per
    tenant. Warnings and printed lines still appear."""
    configure = {name: getattr(logging.config, name) for name in ("fileConfig", "dictConfig")}
    alembic = logging.getLogger("alembic")
    level = alembic.level
    alembic.setLevel(logging.WARNING)
    for name in configure:
        setattr(logging.config, name, lambda *_, **__: None)
    try:
        yield
    finally:
        for name, function in configure.items():
            setattr(logging.config, name, function)
        alembic.setLevel(level)


class ConnectOptions:
    """The options that SQLAlchemy passes to the driver within `recorded`."""

    def __init__(self) -> None:
        self._passed: list[dict[str, Any] | None] = []

    @contextmanager
    def recorded(self) -> Iterator[None]:
        from sqlalchemy.engine import Engine

        # Enter this first: SQLAlchemy calls no more listeners after one that connects, and 1.4 has no `insert` for this event.
        with listening((Engine, "do_connect", self._record)):
            yield

    def clear(self) -> None:
        """Discards the recorded options."""
        self._passed.clear()

    def only(self) -> dict[str, Any] | None:
        """The recorded options if all connections had the same ones."""
        first, *others = self._passed or [None]
        return first if all(other == first for other in others) else None

    def _record(self, dialect: Any, record: Any, arguments: list[Any], options: dict[str, Any]) -> None:
        passed = {name: value for name, value in options.items() if name not in SQLALCHEMY_OPTIONS}
        self._passed.append(None if arguments else passed)
