"""Starts the observer in the backend's Python.

Passed as text (`python -c`), because this package may not be installed where that Python runs. Reads the observer's modules from
the second line of standard input, after it has imported Alembic, and keeps them in memory: a killed process would leave a folder
behind. Old Pythons must be able to parse it, so they can report their version instead of a SyntaxError.
"""

import sys

# `python -c` searches the working directory first: a backend's `types.py` or `alembic/` would hide Python's and Alembic's.
if sys.path[:1] == [""]:
    del sys.path[0]

import base64
import gc
import importlib.abc
import importlib.util
import json
import marshal
import os

# Nearly all imported objects live on. Repeated garbage collection of them would take a fifth of the time until the first answer.
gc.set_threshold(50_000)


class Modules(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports from sources by path, such as `cdk_alembic_local/observer.py`, or from their bytecode of an earlier run.

    `saved`: what `bytecode` returned in that run; bytecode of another Python is ignored. None: bytecode is not saved.
    """

    def __init__(self, sources, saved):
        self.sources = sources
        self._python = f"{importlib.util.MAGIC_NUMBER.hex()} {sys.implementation.cache_tag} {sys.flags.optimize}"
        python, _, code = (saved or "").partition("\n")
        # The caller stores it where only its user can change it, with a checksum.
        self._compiled = marshal.loads(base64.b64decode(code)) if python == self._python else {}  # noqa: S302
        self._is_saved = saved is not None
        self._is_new = False

    def find_spec(self, name, path=None, target=None):
        file = self._file(name)
        if file is None:
            return None
        spec = importlib.util.spec_from_loader(name, self, origin=file, is_package=file.endswith("/__init__.py"))
        # The runner finds its package by __file__. In memory there is no such file, so it reads the revisions itself.
        spec.has_location = True
        return spec

    def is_package(self, name):
        return (self._file(name) or "").endswith("/__init__.py")

    def get_source(self, name):
        return self.sources[self._file(name)]

    def get_code(self, name):
        file = self._file(name)
        if file in self._compiled:
            return marshal.loads(self._compiled[file])  # noqa: S302
        # With the file name, so tracebacks find the source.
        code = compile(self.sources[file], file, "exec", dont_inherit=True)
        self._compiled[file] = marshal.dumps(code)
        self._is_new = True
        return code

    def bytecode(self):
        """The bytecode of everything imported so far; None if it is not saved, or nothing is new."""
        if self._is_saved and self._is_new:
            return f"{self._python}\n{base64.b64encode(marshal.dumps(self._compiled)).decode()}"
        return None

    def _file(self, name):
        base = name.replace(".", "/")
        return next((file for file in (base + "/__init__.py", base + ".py") if file in self.sources), None)


def fail(code, message, next_step):
    error = {"code": code, "message": message, "next": next_step}
    os.write(1, json.dumps({"report": "failed", "error": error}).encode() + b"\n")
    sys.exit(1)


def line():
    return json.loads(sys.stdin.buffer.readline() or b"null")


def start():
    hello = line()
    if hello is None:
        return
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info < (3, 11):  # noqa: UP036
        fail(
            "python_too_old",
            f"the backend's Python is {version} ({sys.executable}), but 3.11 is the oldest supported version",
            "use a newer Python in the backend's environment, or pass another one with --python",
        )
    os.environ.update(hello["environment"])
    # This Python has read PYTHONPATH already.
    # Like Python, `abspath` follows no link.
    entries = [os.path.abspath(entry) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]  # noqa: PTH100
    sys.path[:0] = [entry for entry in entries if entry not in sys.path]
    try:
        import alembic.config  # noqa: F401
    except ImportError as error:
        fail(
            "alembic_missing",
            f"{sys.executable} could not import Alembic: {error}",
            "install the backend's dependencies, or pass the Python that has them with --python",
        )
    own = line()
    if own is None:
        return
    # Comes first: a backend in one environment with its CDK app has another package named `cdk_alembic`.
    modules = Modules(own["code"], own.get("bytecode"))
    sys.meta_path.insert(0, modules)
    from cdk_alembic_local.observer import main

    main(hello, modules.bytecode)


if __name__ == "__main__":
    start()
