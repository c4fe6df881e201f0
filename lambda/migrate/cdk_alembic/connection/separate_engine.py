"""Connections beside env.py's, also where the pool of its engine lends only one."""

from __future__ import annotations

from typing import Any

_AT_ONCE = 5
"""The most connections of a run at the same time: env.py's, the mutex's, and those that read or record beside them."""


def separate_engine(engine: Any) -> Any:
    """The engine if its pool lends enough connections, or else another one to the same database, without a pool.

    `pool_size=1, max_overflow=0`, which suits functions in Lambda, and StaticPool lend one, which env.py already uses.
    """
    from sqlalchemy.engine import Engine
    from sqlalchemy.pool import NullPool

    pool = engine.pool
    if _lends_enough(pool):
        return engine
    return Engine(NullPool(pool._creator, dialect=engine.dialect, _dispatch=pool.dispatch), engine.dialect, engine.url)


def _lends_enough(pool: Any) -> bool:
    from sqlalchemy.pool import NullPool, QueuePool

    if isinstance(pool, QueuePool):
        is_unlimited = pool.size() == 0 or pool._max_overflow < 0
        return is_unlimited or pool.size() + pool._max_overflow >= _AT_ONCE
    return isinstance(pool, NullPool)
