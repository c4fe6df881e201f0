"""What the backend reads until env.py has connected: files of the package, and whatever could be different the next time.

Python's own audit events tell it, https://docs.python.org/3/library/audit_events.html
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..protocol.contract import BACKEND_DIRECTORY

# What a function can't change, and what every process reads: the interpreter, the system's own files.
_FIXED = ("/usr/", "/lib/", "/lib64/", "/etc/", "/proc/", "/sys/", "/dev/", "/var/lang/", "/var/runtime/", "/opt/")
_STARTS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork")
_ADDRESS_PARTS = ("host", "port", "user", "password", "database", "dbname")
# SQLAlchemy's own, and the limit that connecting.py sets.
_HARMLESS = ("context", "connect_timeout", "timeout")

_watching: Observation | None = None
_hooked = False


class Observation:
    """Of one process's env.py and revision scripts, over all of its calls."""

    def __init__(self, root: Path) -> None:
        self.files: set[str] = set()
        """Below the package's folder, relative to it."""
        self.doubts: set[str] = set()
        self._hosts: set[str] = set()
        self._connects: set[tuple[str, ...]] = set()
        self._root = f"{root}/"
        self._backend = f"{root / BACKEND_DIRECTORY}/"
        self._fixed = (*_FIXED, self._root, *(f"{path}/" for path in (sys.prefix, sys.base_prefix, Path(__file__).parents[1])))

    def connect(self, arguments: list[Any], options: dict[str, Any]) -> None:
        """What SQLAlchemy hands to the driver."""
        more = [name for name in options if name not in (*_ADDRESS_PARTS, *_HARMLESS)]
        if any(arguments) or more:
            self.doubts.add(f"env.py connects with {', '.join(more) or 'arguments'} of its own")
        where = (
            options.get("host"),
            options.get("port", 5432),
            options.get("user"),
            options.get("database", options.get("dbname")),
        )
        self._connects.add(tuple(str(part) for part in where))

    def address(self) -> tuple[str, ...] | None:
        """Host, port, user and database that env.py connects to; None when that is not all there is to know."""
        if self.doubts or len(self._connects) != 1:
            return None
        [address] = self._connects
        return address if self._hosts <= {address[0]} else None

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """An audit event."""
        if event == "open":
            if isinstance(arguments[0], (str, bytes, os.PathLike)):
                self._read(os.path.abspath(os.fsdecode(arguments[0])))  # noqa: PTH100 - links stay as they are
        elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
            self._hosts.add(_text(arguments[0]))
        elif event in _STARTS:
            self.doubts.add("env.py starts a process")

    def _read(self, path: str) -> None:
        if path.startswith(self._backend):
            if path.endswith(".pyc") and "__pycache__" in path:
                path = importlib.util.source_from_cache(path)
            self.files.add(path[len(self._root) :])
        elif not path.startswith(self._fixed):
            self.doubts.add("env.py reads a file outside of the package")


@contextmanager
def watching(observation: Observation | None) -> Iterator[None]:
    """Meanwhile the observation hears of everything."""
    global _watching, _hooked
    if observation is not None and not _hooked:
        sys.addaudithook(_hook)
        _hooked = True
    before, _watching = _watching, observation
    try:
        yield
    finally:
        _watching = before


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    # It stays for the life of the process, so it costs nothing while nobody watches.
    if _watching is not None and event.startswith(("open", "socket.get", "subprocess.", "os.")):
        _watching.hear(event, arguments)


def _text(host: object) -> str:
    return host.decode("idna") if isinstance(host, bytes) else str(host)
