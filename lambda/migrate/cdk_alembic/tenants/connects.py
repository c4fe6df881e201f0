"""What happens once for a call with many tenants: listening to where env.py connects, and keeping its logging short."""

from __future__ import annotations

import logging
import logging.config
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def quiet() -> Iterator[None]:
    """Meanwhile env.py's configuration of logging has no effect: it would be read a thousand times, for Alembic to write some
    lines about every tenant. What is printed, and warnings, are logged as ever."""
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


class Connects:
    """Hears what SQLAlchemy hands to the driver, as long as it is entered."""

    def __init__(self) -> None:
        self._heard: list[dict[str, Any] | None] = []

    def __enter__(self) -> Connects:
        from sqlalchemy import event
        from sqlalchemy.engine import Engine

        # Before the listener that connects by itself, and has the last word.
        event.listen(Engine, "do_connect", self._hear, insert=True)
        return self

    def __exit__(self, *_: object) -> None:
        from sqlalchemy import event
        from sqlalchemy.engine import Engine

        event.remove(Engine, "do_connect", self._hear)

    def clear(self) -> None:
        """Forgets what was heard."""
        self._heard.clear()

    def only(self) -> dict[str, Any] | None:
        """What was handed over, if it was always the same."""
        first, *others = self._heard or [None]
        return first if all(other == first for other in others) else None

    def _hear(self, dialect: Any, record: Any, arguments: list[Any], options: dict[str, Any]) -> None:
        self._heard.append(None if arguments else dict(options))
