"""Limits a package to what the function may do: nothing starts or connects, and only temporary files can be written."""

from __future__ import annotations

import ctypes.util
import errno
import importlib.machinery
import os
import platform
import socket
import tempfile
import traceback
from pathlib import Path
from typing import Any

FORBIDDEN = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork")

NETWORK = ("socket.connect", "socket.getaddrinfo")

# A library may try a few times. Code that waits for a server would never end.
MAX_TRIES = 20

searched: list[str] = []
"""The shared library that is being looked for."""


class Refused(BaseException):
    """Packaging must not do this. A BaseException, so that `except Exception` in a project does not catch it."""


class NoNetwork(socket.gaierror):
    """What Python raises without a network: a library that looks for news when it is imported may go on without."""


class NotConnected(Exception):
    """What an application gets that connects to the database when it is loaded: it may go on without."""


OURS = (Refused, NoNetwork, NotConnected)


class Overlay:
    """Finds this machine's libraries before the package's."""

    def __init__(self, folder: str) -> None:
        self._path = [folder]

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        spec = importlib.machinery.PathFinder.find_spec(name, self._path, target) if path is None else None
        # A namespace package may have other parts in the package.
        return spec if spec is not None and spec.loader is not None else None


def is_refused(error: BaseException | None) -> bool:
    """Whether this script caused an error."""
    while error is not None:
        if isinstance(error, OURS) or (isinstance(error, BaseExceptionGroup) and error.subgroup(OURS)):
            return True
        error = error.__cause__ or error.__context__
    return False


def refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in FORBIDDEN or searched:
        return
    # croniter and others ask for the machine's architecture, for which `platform` starts `file`; a backend asks git for its
    # version. Lambda has neither command.
    is_file = any(frame.f_code.co_filename == platform.__file__ for frame, _ in traceback.walk_stack(None))
    if is_file or (event == "subprocess.Popen" and Path(os.fsdecode(arguments[0])).name == "git"):
        raise FileNotFoundError(errno.ENOENT, "Lambda has no such command", os.fsdecode(arguments[0]))
    raise Refused(event)


def without_network(package: Path, database: str) -> tuple[Any, list[dict[str, str]]]:
    """An audit hook with which nothing connects, and the list of what tried: the address and the line of the package.

    `database`: the host of the function's database. What waits for it must not go on.
    """
    tried: list[dict[str, str]] = []

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in NETWORK:
            return
        address = arguments[1] if event == "socket.connect" else arguments[:2]
        # A name of a socket on this machine is a text.
        host, port = address[:2] if isinstance(address, tuple) else (address, "")
        host = os.fsdecode(host) if isinstance(host, (str, bytes)) else ""
        if host == database or len(tried) >= MAX_TRIES:
            raise Refused(f"connects to {host}")
        tried.append({"address": f"{host}:{port}" if port else host, "by": importer(package)})
        raise NoNetwork(socket.EAI_AGAIN, "Packaging connects to nothing")

    return hook, tried


def importer(package: Path) -> str:
    """The innermost line of the package outside functions: that of the module that is being imported. Empty in other threads."""
    folders = tuple(f"{package / folder}{os.sep}" for folder in ("backend", "site-packages"))
    for frame, line in traceback.walk_stack(None):
        file = os.path.realpath(frame.f_code.co_filename)
        if frame.f_code.co_name == "<module>" and file.startswith(folders):
            return f"{Path(file).relative_to(package)}:{line}"
    return ""


def let_libraries_be_found() -> None:
    """Lets python-magic and others look for a shared library, for which ctypes starts processes. Whether the function has one
    that this machine lacks is not known."""

    find = ctypes.util.find_library

    def find_library(name: str, *options: Any) -> str:
        searched.append(name)
        try:
            found = find(name, *options)
        finally:
            searched.pop()
        if found is None:
            raise Refused(f"the shared library {name} is not on this machine")
        return found

    ctypes.util.find_library = find_library


def read_only(package: Path) -> Any:
    """An audit hook with which the package, and all but temporary files, can't be written, as on Lambda."""
    writable = tuple(
        f"{os.path.realpath(folder)}{os.sep}" for folder in (tempfile.gettempdir(), str(Path.cwd()), "/dev", "/proc")
    )

    def is_writable(path: str) -> bool:
        real = f"{os.path.realpath(path)}{os.sep}"
        return real.startswith(writable) and not real.startswith(f"{package}{os.sep}")

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if isinstance(path, int) or not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                return
        elif event == "os.mkdir":
            path = arguments[0]
            # Linux looks for the folders first.
            folder = Path(os.fsdecode(path))
            if folder.exists() or not folder.absolute().parent.is_dir():
                return
        else:
            return
        if not is_writable(os.fsdecode(path)):
            raise OSError(errno.EROFS, "only /tmp is writable on Lambda", os.fsdecode(path))

    return hook
