"""The backend's Alembic project, in the function's package or where it is developed: its configuration and its scripts."""

from __future__ import annotations

import os
import sys
import tomllib
from argparse import Namespace
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..database.failures import describe, location
from ..protocol.contract import BACKEND_DIRECTORY, DEPENDENCIES_DIRECTORY
from ..protocol.errors import RunnerError
from ..shortcut.shortcut import Doubt, driver
from .observation import Observation, watching

REPAIR = "run `alembic history` in the backend's folder, mend what it reports and try again"


class Project:
    """The scripts of one project. They can't change while a function's process lives, so one object serves every call."""

    def __init__(self, directory: Path, dependencies: Path | None = None, observation: Observation | None = None) -> None:
        """Loads the project in a folder. Raises RunnerError `invalid_project`."""
        self.directory = directory
        self.observation = observation
        """What env.py and the scripts read; None when no shortcut is taken."""
        for path in (directory / "src", directory, dependencies):
            if path is not None and path.is_dir() and str(path) not in sys.path:
                sys.path.insert(0, str(path))
        # Alembic resolves a relative script_location and prepend_sys_path against the working directory.
        os.chdir(directory)
        with watching(observation):
            self._load()

    @classmethod
    def of_package(cls, root: Path, observed: bool = True) -> Project:
        """Loads the project below the folder of a function's package; observed, if the shortcut may be taken. Raises RunnerError
        `invalid_project`."""
        if not (root / BACKEND_DIRECTORY).is_dir():
            raise RunnerError(
                "invalid_project",
                f"the package has no folder {BACKEND_DIRECTORY}/ with the Alembic project",
                "package the backend with MigrationCode.fromProject, or lay the package out as its documentation says",
            )
        return cls(root / BACKEND_DIRECTORY, root / DEPENDENCIES_DIRECTORY, _observation(root) if observed else None)

    def _load(self) -> None:
        self.config = configuration(self.directory)
        try:
            from alembic.script import ScriptDirectory

            self.script = ScriptDirectory.from_config(self.config)
            self.heads = tuple(sorted(self.script.get_heads()))
        except (Exception, SystemExit) as error:
            raise RunnerError(
                "invalid_project", f"the revision scripts can't be loaded: {describe(error)}{location(error)}", REPAIR
            ) from error

    def known(self, revision: str) -> bool:
        """Whether the scripts have exactly this id (Alembic would also take the start of one)."""
        return revision in self.script.revision_map._revision_map

    def unknown(self, revisions: Iterable[str]) -> list[str]:
        """Those of the database's revisions that the scripts do not have."""
        return sorted(revision for revision in revisions if not self.known(revision))

    def lineage(self, heads: Iterable[str]) -> set[str]:
        """Every revision that is applied when the version table holds `heads`."""
        heads = tuple(heads)
        if not heads:
            return set()
        return {script.revision for script in self.script.iterate_revisions(heads, "base", implicit_base=True)}

    def of_tenant(self, argument: str) -> None:
        """From now on env.py finds a configuration that no other tenant's env.py has changed, with Alembic's `-x tenant=...`."""
        self.config = configuration(self.directory)
        self.config.cmd_opts = Namespace(x=[f"tenant={argument}"])

    def forget_modules(self) -> None:
        """Drops the backend's modules, so that settings they read from the environment are read again."""
        inside = str(self.directory) + os.sep
        for name, module in list(sys.modules.items()):
            if (getattr(module, "__file__", None) or "").startswith(inside):
                del sys.modules[name]


def _observation(root: Path) -> Observation | None:
    try:
        driver(str(root))
    except Doubt:
        return None
    return Observation(root)


def configuration(directory: Path) -> Any:
    """Alembic's Config of the project in a directory. Raises RunnerError `invalid_project`."""
    try:
        from alembic.config import Config
    except ImportError as error:
        raise RunnerError(
            "invalid_project",
            f"Alembic can't be imported: {error}",
            "add alembic to the backend's dependencies (not to a dev group), run `uv lock` and try again",
        ) from error
    ini = directory / "alembic.ini"
    toml = directory / "pyproject.toml"
    in_toml = _has_alembic_table(toml)
    if not ini.is_file() and not in_toml:
        raise RunnerError(
            "invalid_project",
            f"there is neither alembic.ini nor [tool.alembic] in pyproject.toml in {directory.name}/",
            "point --project, or the construct's code, at the folder that holds alembic.ini",
        )
    # toml_file came with Alembic 1.16; an older one has no [tool.alembic] to read.
    config = Config(str(ini), toml_file=str(toml)) if in_toml else Config(str(ini))
    if not in_toml and not config.get_main_option("script_location") and (directory / "env.py").is_file():
        # Flask-Migrate's alembic.ini lies among the scripts and does not say so.
        config.set_main_option("script_location", str(directory).replace("%", "%%"))
    return config


def _has_alembic_table(toml: Path) -> bool:
    if not toml.is_file():
        return False
    try:
        return "alembic" in tomllib.loads(toml.read_text(encoding="utf-8")).get("tool", {})
    except tomllib.TOMLDecodeError:
        return False


def info(script: Any) -> dict[str, str]:
    """A script as the contract's RevisionInfo: its id and the first line of its docstring."""
    return {"revision": script.revision, "message": ((script.doc or "").strip().splitlines() or [""])[0]}
