"""Controls Python's garbage collection during a request."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Disables garbage collection, except within `collecting`. A request mostly creates modules, which stay: scanning them
    repeatedly would take a tenth of a cold start."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def collecting() -> Iterator[None]:
    """Enables garbage collection within `loading`, except for the objects that exist when it begins."""
    if gc.isenabled():
        yield
        return
    gc.freeze()
    gc.enable()
    try:
        yield
    finally:
        gc.disable()
        gc.unfreeze()
