"""Ends a function that waits for something outside of the database, such as a service that is not there."""

from __future__ import annotations

import linecache
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

LIMIT_SECONDS = 60.0
"""How long a function may run without a statement."""
_CHECKS = 12


class Waiting(BaseException):
    """A function has run no statement for too long. A BaseException, so that revisions do not catch it."""


@contextmanager
def limited(file: str, seconds_without: Callable[[], float], limit: float = LIMIT_SECONDS) -> Iterator[None]:
    """Raises Waiting within this block once `seconds_without` a statement reach the limit. `file`: the revision's. Has no effect
    outside of the main thread and on Windows, where no signal can end a wait."""
    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def check(_: int, frame: FrameType | None) -> None:
        if seconds_without() >= limit:
            raise Waiting(f"no statement for {limit:.0f} s, and still in {_place(frame, file)}")

    before = signal.signal(signal.SIGALRM, check)
    signal.setitimer(signal.ITIMER_REAL, limit, limit / _CHECKS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _place(frame: FrameType | None, file: str) -> str:
    """What the revision has called: a function, or its line if that function is written in C."""
    called = None
    while frame is not None and frame.f_code.co_filename != file:
        called, frame = frame, frame.f_back
    if called is not None:
        return f"{called.f_globals.get('__name__', '')}.{called.f_code.co_name}"
    return linecache.getline(file, frame.f_lineno).strip() if frame else "the revision"
