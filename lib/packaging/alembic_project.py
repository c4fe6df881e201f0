"""What an Alembic project holds, read without running any of it: `python3 alembic_project.py <directory>` prints JSON.

`problems` are mistakes to report. `paths` are the folders that Alembic reads. `revisions` is null when a file can't be judged
by reading alone (an id that is computed, syntax of a newer Python): then the runner's own check has to do.
"""

from __future__ import annotations

import ast
import configparser
import json
import os
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

# As in alembic.script.base: editors' lock files and package markers are no revisions.
REVISION_FILE = re.compile(r"(?!\.#|__init__)(.*\.py)$")
SEPARATORS = {"space": " ", "newline": "\n", "os": os.pathsep, ":": ":", ";": ";"}


class Unreadable(Exception):
    """A file that can't be judged by reading alone."""


def describe(directory: Path) -> dict[str, Any]:
    options = read_options(directory)
    if options is None:
        return {
            "problems": [f"{directory} holds no Alembic project: no alembic.ini and no [tool.alembic] in pyproject.toml"],
            "paths": [],
            "revisions": None,
        }
    script_location = options.get("script_location")
    if not script_location:
        return {"problems": [f"{directory} sets no script_location for Alembic"], "paths": [], "revisions": None}
    scripts = locate(directory, script_location)
    if scripts is None:
        problem = f'the script_location "{script_location}" of {directory} is no directory'
        return {"problems": [problem], "paths": [], "revisions": None}
    configured = options.get("version_locations") or []
    versions = [path for path in (locate(directory, text) for text in configured) if path] or [scripts / "versions"]
    problems = [
        f"{path} lies outside of {directory} and can't be packaged: move it, or package the folder that holds both"
        for path in (scripts, *versions)
        if not path.is_relative_to(directory)
    ]
    try:
        revisions = read_revisions(versions, recursive=options.get("recursive", False))
    except Unreadable:
        revisions = None
    return {"problems": problems, "paths": [str(path) for path in (scripts, *versions)], "revisions": revisions}


def read_options(directory: Path) -> dict[str, Any] | None:
    """Alembic's options: those of alembic.ini go before pyproject.toml's, as in Alembic. None when there is neither."""
    ini = read_ini(directory / "alembic.ini", directory)
    toml = read_toml(directory / "pyproject.toml", directory)
    if ini is None and toml is None:
        return None
    return {**(toml or {}), **(ini or {})}


def read_ini(path: Path, here: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    parser = configparser.ConfigParser({"here": str(here).replace("%", "%%")})
    try:
        parser.read(path, encoding="utf-8")
    except configparser.Error:
        return {}

    def get(name: str) -> str | None:
        try:
            return parser.get("alembic", name, fallback=None)
        except configparser.Error:
            return None

    options: dict[str, Any] = {}
    if get("recursive_version_locations"):
        options["recursive"] = get("recursive_version_locations") == "true"
    if get("script_location"):
        options["script_location"] = get("script_location")
    if get("version_locations"):
        separator = SEPARATORS.get(get("path_separator") or get("version_path_separator") or "")
        text = get("version_locations") or ""
        parts = text.split(separator) if separator else re.split(r", *| +", text)
        options["version_locations"] = [part.strip() for part in parts if part.strip()]
    return options


def read_toml(path: Path, here: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("alembic")
    except tomllib.TOMLDecodeError:
        return None
    if table is None:
        return None

    def fill(text: str) -> str:
        return text.replace("%(here)s", str(here)).replace("%%", "%")

    options: dict[str, Any] = {}
    if table.get("script_location"):
        options["script_location"] = fill(table["script_location"])
    if table.get("version_locations"):
        options["version_locations"] = [fill(text) for text in table["version_locations"]]
    if "recursive_version_locations" in table:
        options["recursive"] = bool(table["recursive_version_locations"])
    return options


def locate(directory: Path, text: str) -> Path | None:
    """The folder a location names: a path, relative to the project, or `package:folder`."""
    path = directory / text
    if path.is_dir():
        return Path(os.path.normpath(path))
    package, colon, folder = text.partition(":")
    if colon and not Path(text).is_absolute():
        for root in (directory, directory / "src"):
            path = root.joinpath(*package.split("."), folder)
            if path.is_dir():
                return Path(os.path.normpath(path))
    return None


def read_revisions(locations: list[Path], *, recursive: bool) -> dict[str, Any]:
    known: dict[str, str] = {}
    followed: set[str] = set()
    for location in locations:
        for path in sorted(location.rglob("*.py") if recursive else location.glob("*.py")):
            if not REVISION_FILE.fullmatch(path.name):
                continue
            values = read_assignments(path)
            revision = values.get("revision")
            if revision is None:
                raise Unreadable  # Alembic refuses such a file, or takes the id from its name.
            down = values.get("down_revision")
            known[revision] = path.name
            followed.update([down] if isinstance(down, str) else down or [])
    heads = sorted(revision for revision in known if revision not in followed)
    return {"count": len(known), "heads": [{"revision": head, "file": known[head]} for head in heads]}


def read_assignments(path: Path) -> dict[str, Any]:
    """The module's own `revision` and `down_revision`."""
    try:
        module = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError) as error:
        raise Unreadable from error
    found: dict[str, Any] = {}
    for node in module.body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        for target in targets:
            if isinstance(target, ast.Name) and target.id in ("revision", "down_revision") and node.value is not None:
                found[target.id] = literal(target.id, node.value)
    return found


def literal(name: str, node: ast.expr) -> Any:
    try:
        value = ast.literal_eval(node)
    except ValueError as error:
        raise Unreadable from error
    single = isinstance(value, str) or (value is None and name == "down_revision")
    several = name == "down_revision" and isinstance(value, (tuple, list)) and all(isinstance(item, str) for item in value)
    if not single and not several:
        raise Unreadable
    return list(value) if several else value


if __name__ == "__main__":
    print(json.dumps(describe(Path(sys.argv[1]).resolve())))
