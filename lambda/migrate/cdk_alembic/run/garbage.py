"""When Python collects garbage in a request."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Collects no garbage, except within `collecting`. Most of what a request makes are modules, which stay: looking through them
    again and again would take a tenth of a cold start."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def collecting() -> Iterator[None]:
    """Within `loading`: collects garbage, but not among what is loaded when it begins."""
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
