"""Traces the backend's access to files, processes and the network, apart from its database, by Python's audit events."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import PurePath
from typing import Any

_READS = ("open", "os.listdir", "os.scandir")
# What these events do can't be traced.
_UNTRACEABLE = (
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "os.system",
    "pty.spawn",
    "sqlite3.connect",
    "subprocess.Popen",
)
_LOCAL = ("127.0.0.1", "::1", "localhost")
# Not traced: packages change with their version (`installed_packages`), system files with the machine.
# A project may be in /dev/shm.
_PACKAGES = ("site-packages", "dist-packages")
_SYSTEM = ("/proc", "/sys")


class Trace:
    """Records from the moment it is created until the process ends."""

    def __init__(self) -> None:
        self._read: set[str] = set()
        self.untraced: str | None = None
        """The first event that could not be traced; None if there was none."""
        sys.addaudithook(self._hook)

    def paths(self) -> list[str]:
        """Absolute paths of files and folders that were read or looked up, without Python's own and those of packages."""
        modules = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
        read = {*self._read, *(os.path.abspath(file) for file in modules if isinstance(file, str))}  # noqa: PTH100
        own = tuple(os.path.join(folder, "") for folder in _python_folders())  # noqa: PTH118
        return sorted(
            path
            for path in read
            if not path.startswith(own) and not _is_of_package(path) and not _is_bytecode(path) and "<" not in path
        )

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in _READS:
            path = arguments[0]
            if event == "open" and _only_writes(*arguments[1:3]):
                return
            if isinstance(path, bytes):
                path = os.fsdecode(path)
            if isinstance(path, (str, os.PathLike)):
                self._read.add(os.path.abspath(path))  # noqa: PTH100 - follows no link, as a cache of imports does not
        elif event in _UNTRACEABLE:
            self.untraced = self.untraced or event
        elif event == "socket.connect":
            address = arguments[1]
            if not (isinstance(address, tuple) and address[0] in _LOCAL):
                self.untraced = self.untraced or event


def _only_writes(mode: str | None, flags: int) -> bool:
    """Whether a file is opened for writing alone, as a log is."""
    return (mode[:1] in "wax" and mode[:2] != "a+") if mode else flags & (os.O_WRONLY | os.O_RDWR) == os.O_WRONLY


def installed_packages() -> list[str]:
    """Python's version and search path, and the installed distributions with their modification times."""
    found = [sys.version, sys.executable, sys.prefix, *sys.path]
    for folder in sys.path:
        if not _is_of_package(os.path.join(folder, "")) or not os.path.isdir(folder):  # noqa: PTH112, PTH118
            continue
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if entry.name.endswith((".dist-info", ".egg-info", ".egg-link", ".egg", ".pth")):
                found.append(f"{entry.path} {entry.stat().st_mtime_ns}")
    return found


def _python_folders() -> set[str]:
    paths = sysconfig.get_paths()
    return {*_SYSTEM, paths["stdlib"], paths["platstdlib"], *(os.path.realpath(paths[name]) for name in ("stdlib", "platstdlib"))}


def _is_bytecode(path: str) -> bool:
    """Whether Python itself wrote the file below PYTHONPYCACHEPREFIX."""
    prefix = sys.pycache_prefix
    return prefix is not None and path.startswith(os.path.abspath(prefix)) and path.endswith(".pyc")  # noqa: PTH100


def _is_of_package(path: str) -> bool:
    parts = PurePath(path).parts
    return any(part in parts for part in (*_PACKAGES, "__pycache__"))
