"""Runs programs as `python -c` would, in forks of a Python that has loaded Alembic and compiled the observer: most of the work.

It is a process of its own that has nothing of the project loaded. A line on standard input asks for a program, a line answers at
its end.
"""

import builtins
import json
import os
import select
import signal
import subprocess
import sys
import traceback
from pathlib import Path
from types import CodeType
from typing import Any

_LAMBDA = Path(__file__).parent.parent.parent / "lambda" / "migrate"
_PRELOADED = ("alembic.command", "alembic.config", "sqlalchemy.dialects.postgresql", "psycopg")
_LIMIT_SECONDS = 600  # for a program that hangs, on the busiest machine
_started: list[subprocess.Popen[str]] = []


def run_preloaded(program: str, cwd: Path, environment: dict[str, str], text: str, folder: Path) -> tuple[str, str]:
    """Standard output and standard error of a program.

    Args:
        text: Its standard input.
        folder: Where its input and its output lie meanwhile.
    """
    if not _started:
        outside = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        command = [sys.executable, __file__]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        _started.append(subprocess.Popen(command, env=outside, start_new_session=True, **pipes))
    (process,) = _started
    given, output, errors = (folder / name for name in ("input", "output", "errors"))
    given.write_text(text)
    files = [str(given), str(output), str(errors)]
    try:
        process.stdin.write(json.dumps({"program": program, "cwd": str(cwd), "environment": environment, "files": files}) + "\n")
        process.stdin.flush()
        assert select.select([process.stdout], [], [], _LIMIT_SECONDS)[0], f"no end within {_LIMIT_SECONDS} s"
        assert process.stdout.readline() == "ended\n", f"the preloaded Python is gone: {process.poll()}"
    except BaseException:
        # Its next line would answer this call, not the next one. The group also has the fork.
        _started.clear()
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    return output.read_text(), errors.read_text()


def _become(program: str, cwd: str, environment: dict[str, str], files: list[str]) -> None:
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    for descriptor, file in enumerate(files):
        opened = os.open(file, os.O_RDONLY if descriptor == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        stream = os.fdopen(descriptor, "r" if descriptor == 0 else "w", closefd=False)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    sys.argv, sys.path[0] = ["-c"], ""
    exec(compile(program, "<string>", "exec"), {"__name__": "__main__"})


def _compiled() -> dict[Any, CodeType]:
    """The observer's modules by source and name, as the bootstrap compiles them."""
    files = [file for package in ("cdk_alembic", "cdk_alembic_local") for file in (_LAMBDA / package).rglob("*.py")]
    sources = [(file.read_text(), file.relative_to(_LAMBDA).as_posix()) for file in files]
    return {source: compile(*source, "exec", dont_inherit=True) for source in sources}


def _keep(modules: dict[Any, CodeType]) -> None:
    """Lets `compile` return these. The flags of a caller's `from __future__` are not inherited here: the bootstrap wants none."""
    compile_anew = builtins.compile

    def compile_or_take(source: Any, filename: Any, *rest: Any, **options: Any) -> Any:
        known = modules.get((source, filename)) if isinstance(source, str) and isinstance(filename, str) else None
        return known or compile_anew(source, filename, *rest, **options)

    builtins.compile = compile_or_take


def _serve() -> None:
    for name in _PRELOADED:
        __import__(name)
    _keep(_compiled())
    for line in iter(sys.stdin.readline, ""):
        child = os.fork()
        if child == 0:
            try:
                _become(**json.loads(line))
            except SystemExit:
                pass
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(0)
        os.waitpid(child, 0)
        print("ended", flush=True)


if __name__ == "__main__":
    _serve()
