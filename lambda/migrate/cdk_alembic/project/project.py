"""The backend's Alembic project, in the function's package or on a developer's machine: its configuration and scripts."""

from __future__ import annotations

import os
import sys
import sysconfig
import tempfile
from argparse import Namespace
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from ..connection.destination import Destination
from ..protocol.errors import ProjectError, RunnerError
from ..protocol.rules import BACKEND_DIRECTORY, DEPENDENCIES_DIRECTORY
from .configuration import command_of, configuration, manifest, package_root, refuse_too_old
from .revisions import Revisions, not_loaded


class Project:
    """One project, as Alembic reads it."""

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

            self.script = ScriptDirectory.from_config(self.config)
            # Alembic prepends prepend_sys_path each time, and one function serves many requests.
            sys.path[:] = dict.fromkeys(sys.path)
        except (Exception, SystemExit) as error:
            raise self._elsewhere() or not_loaded(error, "alembic", self.environment) from error
        self.revisions = Revisions(self.script, self.environment)

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
