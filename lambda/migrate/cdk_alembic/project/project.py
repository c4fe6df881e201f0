"""The backend's Alembic project, in the function's package or on a developer's machine: its configuration and scripts."""

from __future__ import annotations

import os
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from ..connection.destination import Destination
from ..protocol.errors import RunnerError
from ..protocol.rules import BACKEND_DIRECTORY, DEPENDENCIES_DIRECTORY
from .configuration import command_of, configuration, manifest, package_root, refuse_too_old
from .revisions import Revisions, not_loaded
from .search_path import search_package, search_project


class Project:
    """An Alembic project."""

    def __init__(
        self,
        directory: Path,
        file: Path | None = None,
        sources: Iterable[Path] = (),
        dependencies: Path | None = None,
        destination: Destination | None = None,
        x: Iterable[str] = (),
    ) -> None:
        """`directory`: the folder in which `alembic` is called. `file`: its alembic.ini or pyproject.toml; None: searches for it.
        `sources`: more folders of the backend for sys.path, besides the directory and its src. `destination`: the database that
        env.py must connect to; None: its own. `x`: Alembic's `-x`, such as `env=dev`. Raises RunnerError `invalid_project`."""
        self.directory = directory
        self.is_packaged = dependencies is not None
        """Whether it is in the function's package, not on a developer's machine."""
        self.version_table = "alembic_version"
        """The version table's name: Alembic's, until env.py has configured another one."""
        self.failed_import: Exception | None = None
        """How env.py failed first in this process: a second run finds modules that are half imported, and fails otherwise."""
        self.destination = destination or Destination()
        self._sources = [directory / "src", directory, *sources]
        if dependencies is not None:
            search_package([dependencies, *reversed(self._sources)], dependencies / "bin")
        else:
            search_project(directory)
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
            raise not_loaded(error, "alembic", self.environment) from error
        # The backend's code may do something else if another command loads it, such as create the models' tables.
        sys.argv = [*self.command.split(), "upgrade", "head"]
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
            backend = _writable_copy(backend)
        file = backend / found["config"] if "config" in found else None
        roots = [backend / folder for folder in found.get("roots", ())]
        directory = (backend / found.get("folder", ".")).resolve()
        return cls(directory, file, [backend, *roots], root / DEPENDENCIES_DIRECTORY, destination)

    @property
    def command(self) -> str:
        """The command that runs Alembic."""
        return command_of(Path(self.script.dir))

    @property
    def environment(self) -> str:
        """The place to set variables, for a message."""
        if self.is_packaged:
            return "in the `environment` of the construct or of the function"
        return 'in this shell, or with the setting "environment" in cdk-alembic.json'

    def for_tenant(self, argument: str) -> None:
        """Sets a new configuration with Alembic's `-x tenant=...`, without the changes that env.py made for other tenants."""
        self.config = self._configuration([f"tenant={argument}"])

    def _configuration(self, x: Iterable[str]) -> Any:
        config = configuration(self.directory, self._file)
        from alembic import command

        # An env.py may read what Alembic's command line sets for `alembic upgrade`.
        upgrade = {"cmd": (command.upgrade, ["revision"], ["sql", "tag"]), "revision": "head", "sql": False, "tag": None}
        config.cmd_opts = Namespace(config=config.config_file_name, name="alembic", x=list(x) or None, raiseerr=False, **upgrade)
        return config

    def forget_modules(self) -> None:
        """Unloads the backend's modules, so that they read their settings again."""
        inside = tuple(f"{folder}{os.sep}" for folder in self._sources)
        for name, module in list(sys.modules.items()):
            if (getattr(module, "__file__", None) or "").startswith(inside):
                del sys.modules[name]


@cache
def _writable_copy(folder: Path) -> Path:
    """A writable folder with links to the files of a read-only one, for code that writes beside itself."""
    root = Path(tempfile.mkdtemp(prefix="cdk-alembic-"))
    for above, folders, files in os.walk(folder):
        linked = root / Path(above).relative_to(folder)
        for name in folders:
            (linked / name).mkdir()
        for name in files:
            (linked / name).symlink_to(Path(above, name))
    return root
