"""The backend's Alembic project, in the function's package or on a developer's machine: its configuration and scripts."""

from __future__ import annotations

import gc
import os
import sys
import sysconfig
import tempfile
import traceback
from argparse import Namespace
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from ..database.destination import Destination
from ..database.failures import describe, location, missing_variable
from ..protocol.errors import ProjectError, RunnerError
from ..protocol.rules import BACKEND_DIRECTORY, DEPENDENCIES_DIRECTORY
from .configuration import command_of, configuration, manifest, package_root, refuse_too_old, repair
from .graph import Node, problem, without_id


class Project:
    """One project, as Alembic reads it. Loads the revisions on first use, which is after env.py has started."""

    def __init__(
        self,
        directory: Path,
        file: Path | None = None,
        sources: Iterable[Path] = (),
        dependencies: Path | None = None,
        destination: Destination | None = None,
        x: Iterable[str] = (),
    ) -> None:
        """`directory`: where `alembic` would be called. `file`: its alembic.ini or pyproject.toml; None: searched for there.
        `sources`: more folders of the backend for sys.path, besides the directory and its src. `destination`: the database that
        env.py must connect to; None: its own. `x`: Alembic's `-x`, such as `env=dev`. Raises RunnerError `invalid_project`."""
        self.directory = directory
        self.is_packaged = dependencies is not None
        """Whether it is in the function's package, not on a developer's machine."""
        self.version_table = "alembic_version"
        """The version table's name: Alembic's, until env.py has configured another one."""
        self.destination = destination or Destination()
        self._sources = [directory / "src", directory, *sources]
        if dependencies is not None:
            for path in (*self._sources, dependencies):
                if path.is_dir() and str(path) not in sys.path:
                    sys.path.insert(0, str(path))
        else:
            _search(directory)
        # Alembic resolves a relative script_location and prepend_sys_path against the working directory.
        os.chdir(directory)
        self._file = file
        self.config = self._configuration(x)
        refuse_too_old()
        try:
            from alembic.script import ScriptDirectory
            from alembic.script.revision import RevisionMap

            self.script = ScriptDirectory.from_config(self.config)
            # Alembic prepends prepend_sys_path each time, and one function serves many requests.
            sys.path[:] = dict.fromkeys(sys.path)
        except (Exception, SystemExit) as error:
            raise self._elsewhere() or self._not_loaded(error, "alembic") from error
        self._found: list[Any] = []
        self._is_whole = False
        self.script.revision_map = RevisionMap(self._scripts)

    @classmethod
    def of_package(cls, destination: Destination | None = None) -> Project:
        """The project in the function's package. Raises RunnerError `invalid_project`."""
        root = package_root()
        if not (root / BACKEND_DIRECTORY).is_dir():
            raise RunnerError(
                "invalid_project",
                f"the package has no {BACKEND_DIRECTORY}/ with the Alembic project",
                "package the backend with MigrationCode or migrate-package, or follow the layout in the documentation",
            )
        backend, found = root / BACKEND_DIRECTORY, manifest()
        if found.get("writes"):
            backend = _links_to(backend)
        file = backend / found["config"] if "config" in found else None
        roots = [backend / folder for folder in found.get("roots", ())]
        directory = (backend / found.get("folder", ".")).resolve()
        return cls(directory, file, [backend, *roots], root / DEPENDENCIES_DIRECTORY, destination)

    def _elsewhere(self) -> ProjectError | None:
        """The error of a script_location that leads to env.py from a folder above, where a team calls `alembic -c`; None if it
        does not."""
        found = self.config.get_main_option("script_location") or "."
        if Path(found).is_absolute() or (self.directory / found).is_dir():
            return None
        for above in self.directory.parents:
            scripts = above / found
            if (scripts / "env.py").is_file():
                return ProjectError(
                    "invalid_project",
                    f"the script_location {found} is relative to {above}, and not to the folder of alembic.ini",
                    f"set `script_location = %(here)s/{os.path.relpath(scripts, self.directory)}` there: it is right from both",
                )
        return None

    def load(self) -> None:
        """Loads the revisions. Call it while env.py runs: env.py may set their locations and requirements. Raises
        ProjectError."""
        try:
            self.script.get_heads()
        except ProjectError:
            raise
        except (Exception, SystemExit) as error:
            raise _without_id(error) or self.problem() or self._not_loaded(error, self.command) from error

    def problem(self) -> ProjectError | None:
        """The error in the order of the revisions that were loaded; None if there is none."""
        # If a file can't be loaded, those after it are not missing.
        return problem([_node(script) for script in self._found]) if self._is_whole else None

    def _scripts(self) -> Iterator[Any]:
        """The scripts that Alembic loads."""
        self._found.clear()
        self._is_whole = False
        for script in self.script._load_revisions():
            if not script.revision:
                raise without_id(Path(script.path).name)
            self._found.append(script)
            yield script
        self._is_whole = True
        if len({script.revision for script in self._found}) < len(self._found):
            raise self.problem()

    @property
    def heads(self) -> tuple[str, ...]:
        self.load()
        return tuple(sorted(self.script.get_heads()))

    @property
    def command(self) -> str:
        """What a person runs Alembic with."""
        return command_of(Path(self.script.dir))

    @property
    def environment(self) -> str:
        """Where variables are set."""
        if self.is_packaged:
            return "in the `environment` of the construct or of the function"
        return 'in this shell, or with the setting "environment" in cdk-alembic.json'

    def _not_loaded(self, error: BaseException, command: str) -> ProjectError:
        message = f"the revisions could not be loaded: {describe(error)}{location(error)}"
        step = f"set it {self.environment}" if missing_variable(error) else repair(command)
        return ProjectError("invalid_project", message, step)

    def known(self, revision: str) -> bool:
        """Whether a script has exactly this id (Alembic would also accept a prefix)."""
        return revision in self.script.revision_map._revision_map

    def unknown(self, revisions: Iterable[str]) -> list[str]:
        """The revisions that no script has."""
        return sorted(revision for revision in revisions if not self.known(revision))

    def lineage(self, heads: Iterable[str]) -> set[str]:
        """Every revision that has a script and is applied if the version table has `heads`."""
        heads = tuple(head for head in heads if self.known(head))
        if not heads:
            return set()
        return {script.revision for script in self.script.iterate_revisions(heads, "base", implicit_base=True)}

    def for_tenant(self, argument: str) -> None:
        """Sets a new configuration with Alembic's `-x tenant=...`, without changes by other tenants' env.py."""
        self.config = self._configuration([f"tenant={argument}"])

    def _configuration(self, x: Iterable[str]) -> Any:
        from alembic import command

        config = configuration(self.directory, self._file)
        # An env.py may read what Alembic's command line sets for `alembic upgrade`.
        upgrade = {"cmd": (command.upgrade, ["revision"], ["sql", "tag"]), "revision": "head", "sql": False, "tag": None}
        config.cmd_opts = Namespace(config=config.config_file_name, name="alembic", x=list(x) or None, raiseerr=False, **upgrade)
        return config

    def forget_modules(self) -> None:
        """Unloads the backend's modules, so that they read their settings from the environment again."""
        inside = tuple(f"{folder}{os.sep}" for folder in self._sources)
        for name, module in list(sys.modules.items()):
            if (getattr(module, "__file__", None) or "").startswith(inside):
                del sys.modules[name]


@cache
def _links_to(folder: Path) -> Path:
    """A folder that can be written, with links to the files of one that can't: for code that writes beside itself."""
    root = Path(tempfile.mkdtemp(prefix="cdk-alembic-"))
    for above, folders, files in os.walk(folder):
        linked = root / Path(above).relative_to(folder)
        for name in folders:
            (linked / name).mkdir()
        for name in files:
            (linked / name).symlink_to(Path(above, name))
    return root


def _without_id(error: BaseException) -> ProjectError | None:
    """The error for the file that Alembic was reading, if it declares no id. Alembic's own has no file, or no step that helps."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        module = frame.f_locals.get("module") if frame.f_code.co_name in ("_from_path", "_from_filename") else None
        if module is not None and not isinstance(getattr(module, "revision", None), str):
            return without_id(str(frame.f_locals["filename"]))
    return None


def import_root(folder: Path) -> Path:
    """The folder that Python must search for the package that a folder belongs to; the folder itself if it is no package."""
    return next(above for above in (folder, *folder.parents) if not (above / "__init__.py").is_file())


def _search(directory: Path) -> None:
    """Adds a project on a developer's machine to sys.path. An `email.py` beside its alembic.ini does not hide Python's, nor, if
    they are in a package, anything that is installed."""
    own = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
    own |= {os.path.join(folder, "lib-dynload") for folder in own}  # noqa: PTH118
    behind = max((index + 1 for index, entry in enumerate(sys.path) if entry in own), default=0)
    root = import_root(directory)
    for path in (directory / "src", root):
        if path.is_dir() and str(path) not in sys.path:
            sys.path.insert(behind, str(path))
    if str(directory) not in sys.path:
        sys.path.append(str(directory))


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


def _node(script: Any) -> Node:
    given = script.dependencies or ()
    depends_on = (given,) if isinstance(given, str) else tuple(given)
    labels = tuple(script._orig_branch_labels or ())
    return Node(script.revision, Path(script.path).name, tuple(script._versioned_down_revisions), depends_on, labels)


def info(script: Any) -> dict[str, str]:
    """A script as the contract's RevisionInfo: its id and the first line of its docstring."""
    return {"revision": script.revision, "message": ((script.doc or "").strip().splitlines() or [""])[0]}
