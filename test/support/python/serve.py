"""Runs programs as `python` would, in forks of a Python that has imported Alembic: that takes most of a short program's time.

A fork that is the observer also has the observer's modules.

Its argument is the path of a socket, to which `client.py` connects. It ends with its standard input.
"""

import ast
import atexit
import gc
import importlib
import os
import runpy
import select
import signal
import socket
import sys
import threading
import types
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

_LAMBDA = Path(__file__).parents[3] / "lambda" / "migrate"
_BOOTSTRAP = _LAMBDA / "cdk_alembic_local" / "bootstrap.py"
_PRELOADED = ("alembic.autogenerate", "alembic.command", "alembic.config", "psycopg", "sqlalchemy.dialects.postgresql.psycopg")
_MOST_BYTES = 1 << 20


def _next_connection(path: str) -> socket.socket:
    """Returns in a fork, for each connection; the process itself ends here."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(64)
        print("ready", flush=True)
        while listener in select.select([listener, sys.stdin], [], [])[0]:
            connection, _ = listener.accept()
            if os.fork() == 0:
                return connection
            connection.close()
            _reap(os.WNOHANG)
    _reap(0)
    sys.exit()


def _reap(options: int) -> None:
    """Waits for forks, so that their time counts as this process's."""
    with suppress(ChildProcessError):  # There is none left.
        while os.waitpid(-1, options)[0]:
            pass


def _read(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    text, descriptors, _, _ = socket.recv_fds(connection, _MOST_BYTES, 3)
    while not text.endswith(b"\n"):
        text += connection.recv(_MOST_BYTES)
    return ast.literal_eval(text.decode()), descriptors


def _forked(connection: socket.socket) -> dict[str, Any]:
    """Returns in another fork, which is the program. This one passes its exit code on, and kills it if the client is killed."""
    request, descriptors = _read(connection)
    program = os.fork()
    if program == 0:
        os.setsid()
        for to, descriptor in enumerate(descriptors):
            os.dup2(descriptor, to)
            os.close(descriptor)
        connection.close()
        return request
    for descriptor in (0, 1, 2, *descriptors):
        os.close(descriptor)
    if connection in select.select([connection, os.pidfd_open(program)], [], [])[0]:
        os.killpg(program, signal.SIGKILL)
    _, status = os.waitpid(program, 0)
    # A client that was killed does not read it.
    with suppress(BrokenPipeError):
        connection.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _read_at_start(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that Python itself reads when it starts, except the path, which `_become` sets."""
    return {name: value for name, value in environment.items() if name.startswith("PYTHON") and name != "PYTHONPATH"}


_AT_START = _read_at_start(os.environ)


def _become(arguments: list[str], folder: str, environment: dict[str, str]) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    option, *rest = arguments or [""]
    if _read_at_start(environment) != _AT_START or option not in ("-c", "-m"):
        os.execv(sys.executable, [sys.executable, *arguments])
    what, *others = rest
    if what != _OBSERVER:
        _forget(_OBSERVER_MODULES)
    sys.argv = [option, *others]
    searched = [entry for entry in environment.get("PYTHONPATH", "").split(os.pathsep) if entry]
    sys.path[:1] = ["" if option == "-c" else folder, *searched]
    if option == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        main = sys.modules["__main__"] = types.ModuleType("__main__")
        exec(compile(what, "<string>", "exec", dont_inherit=True), main.__dict__)


def _run(request: dict[str, Any]) -> NoReturn:
    """Runs the program to its end. An error that it raises ends it as it ends any Python."""
    code: Any = None
    try:
        _become(**request)
    except SystemExit as end:
        code = end.code
        if not isinstance(code, int | None):
            raise
    # What Python does at its end, without taking all that is preloaded apart: that would copy it.
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit((code or 0) & 0xFF)


def _import_observer() -> list[str]:
    """Imports the observer as it imports itself, from memory. Returns the names of its modules."""
    files = [file for package in ("cdk_alembic", "cdk_alembic_local") for file in (_LAMBDA / package).rglob("*.py")]
    sources = {file.relative_to(_LAMBDA).as_posix(): file.read_text() for file in files}
    sys.meta_path.insert(0, runpy.run_path(str(_BOOTSTRAP))["Modules"](sources, None))
    for file in sources:
        if file.startswith("cdk_alembic_local/") and file != "cdk_alembic_local/bootstrap.py":
            importlib.import_module(file.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    del sys.meta_path[0]
    return [name for name in sys.modules if name.partition(".")[0] in ("cdk_alembic", "cdk_alembic_local")]


def _forget(modules: list[str]) -> None:
    for name in modules:
        del sys.modules[name]


for name in _PRELOADED:
    importlib.import_module(name)
_OBSERVER = _BOOTSTRAP.read_text()
_OBSERVER_MODULES = _import_observer()
# The forks share what is imported, and do not look through it.
gc.freeze()
_run(_forked(_next_connection(sys.argv[1])))
