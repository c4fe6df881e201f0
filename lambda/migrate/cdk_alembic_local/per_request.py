"""A cache until the next request, before which `create` and `review --fix` may write files."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_caches: list[Any] = []


def per_request(read: F) -> F:
    """Calls a function that reads files once per request for the same arguments."""
    cached = cache(read)
    _caches.append(cached)
    return cached  # type: ignore[return-value]


def forget() -> None:
    """Call it before a request."""
    for cached in _caches:
        cached.cache_clear()
