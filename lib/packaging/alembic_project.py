"""Facts of an Alembic project, read without running it: `python3 alembic_project.py <directory> <config>` prints JSON.

`problems` are mistakes to report. `folder` is Alembic's working directory: its relative paths start there. `paths` are the
folders that Alembic reads. `installed` is the folder in site-packages of scripts that a dependency has. `revisions` is null
when a file can't be evaluated without running it (a computed id, syntax of a newer Python).
"""

from __future__ import annotations

import ast
import configparser
import contextlib
import json
import os
import re
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

# The package has the same module: this code rejects what the runner would reject.
sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "lambda" / "migrate"))

from cdk_alembic.project.graph import Node, problem, unique_labels, without_id  # noqa: E402
from cdk_alembic.project.scripts import location_of_scripts  # noqa: E402

# As in alembic.script.base: editors' lock files and package markers are not revisions.
REVISION_FILE = re.compile(r"(?!\.#|__init__)(.*\.py)$")
NAMES = ("revision", "down_revision", "branch_labels", "depends_on")
# Folders whose scripts belong to another project.
OTHERS = ("node_modules", "site-packages", "venv", "tests", "test", "docs", "examples", "cdk.out")
SEPARATORS = {"space": " ", "newline": "\n", "os": os.pathsep, ":": ":", ";": ";"}


class Unreadable(Exception):
    """A file that can't be evaluated without running it."""


class Invalid(Exception):
    """A configuration that Alembic can't read either."""


def describe(directory: Path, config: str) -> dict[str, Any]:
    try:
        options = read_options(directory, directory / config)
    except Invalid as error:
        return mistaken(str(error), "invalid_file")
    here = (directory / config).parent
    script_location = location_of_scripts(options.get("script_location"), here)
    if not script_location:
        return mistaken(f"{directory / config} sets no script_location for Alembic{other_sections(directory / config)}")
    # Alembic resolves paths against its working directory: the project's folder, or its configuration's folder.
    tried = ((folder, locate(directory, folder, script_location)) for folder in (directory, here))
    found = [(folder, scripts) for folder, scripts in tried if scripts]
    if not found:
        found = called_below(directory, script_location)
    # "script_location = ." is a folder in both: the one with env.py is right.
    found.sort(key=lambda pair: not (pair[1] / "env.py").is_file())
    called_in, scripts = found[0] if found else (directory, None)
    if scripts is None and (installed := in_dependency(directory, script_location)):
        return {"problems": [], "folder": ".", "paths": [], "installed": installed, "revisions": None}
    if scripts is None:
        text = f'the script_location "{script_location}" of {directory / config} is not a directory'
        above = next((folder for folder in directory.parents if (folder / script_location / "env.py").is_file()), None)
        if above is None:
            return mistaken(f"{text}: {place_of_scripts(directory, here)}")
        # The command has its own next step.
        below = os.path.relpath(above / script_location, here)
        return {**mistaken(f"{text}, but in {above}"), "above": str(above), "scripts": below}
    if not any(scripts.glob("env.py*")):
        return mistaken(f"{scripts} has no env.py, which Alembic runs: {place_of_scripts(directory, here)}")
    configured = options.get("version_locations") or []
    located = [locate(directory, called_in, text) for text in configured]
    versions = [path for path in located if path] or [scripts / "versions"]
    outside = [
        f"{path} lies outside of {directory} and can't be packaged: move it, or package the folder that holds both"
        for path in (scripts, *versions)
        if not path.is_relative_to(directory)
    ]
    try:
        if names_locations(scripts / "env.py"):
            raise Unreadable
        revisions, mistakes = read_revisions(versions, options, all_here=None not in located)
    except Unreadable:
        revisions, mistakes = None, []
    return {
        "problems": [
            *({"code": "invalid_script_location", "text": text} for text in outside),
            *({"code": "invalid_revisions", "text": text} for text in mistakes),
        ],
        "folder": os.path.relpath(called_in, directory),
        "paths": [str(path) for path in (scripts, *versions)],
        "revisions": revisions,
    }


def called_below(directory: Path, script_location: str) -> list[tuple[Path, Path]]:
    """The folder below in which a relative location finds env.py, and its scripts; empty if there is none or more than one.

    People call `alembic -c ../alembic.ini` there, or an image has alembic.ini beside it. A package may be in any folder of
    Python's path, wherever Alembic is called.
    """
    package, colon, folder = script_location.partition(":")
    parts = (*package.split("."), *folder.split(":")) if colon else Path(script_location).parts
    found = [scripts for scripts in scripts_below(directory) if scripts.relative_to(directory).parts[-len(parts) :] == parts]
    if len(found) != 1:
        return []
    return [(directory if colon else found[0].parents[len(parts) - 1], found[0])]


def in_dependency(directory: Path, script_location: str) -> str | None:
    """The folder in site-packages of a location such as `shop_models:migrations`, if the backend itself lacks the package."""
    package, colon, folder = script_location.partition(":")
    names = package.split(".")
    if not colon or not all(name.isidentifier() for name in names):
        return None
    if any(names[0] in folders or f"{names[0]}.py" in files for _, folders, files in folders_below(directory)):
        return None
    return "/".join((*names, *folder.split(":")))


def place_of_scripts(directory: Path, here: Path) -> str:
    """The next step for a script_location that has no env.py."""
    found = [here] if (here / "env.py").is_file() else scripts_below(directory)
    if len(found) != 1:
        return "correct it, or pass the folder of the backend that has it"
    below = "" if found[0] == here else f"/{os.path.relpath(found[0], here)}"
    return f'set "script_location = %(here)s{below}" there'


def scripts_below(directory: Path) -> list[Path]:
    """The folders with env.py and revisions."""
    return [Path(folder) for folder, names, files in folders_below(directory) if "env.py" in files and "versions" in names]


def folders_below(directory: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """As os.walk, without folders of others."""
    for folder, names, files in os.walk(directory):
        names[:] = sorted(name for name in names if not name.startswith(".") and name not in OTHERS)
        yield folder, names, files


def option(name: str) -> str:
    """An option in a message, as lib/packaging/code-in-messages.ts marks it."""
    return f"\x02{json.dumps({'name': name})}\x03"


def mistaken(text: str, code: str = "invalid_script_location") -> dict[str, Any]:
    return {"problems": [{"code": code, "text": text}], "paths": [], "revisions": None}


def other_sections(config: Path) -> str:
    """The next step if the scripts are configured in sections for `alembic -n`."""
    parser = configparser.RawConfigParser()
    with contextlib.suppress(configparser.Error):
        parser.read(config, encoding="utf-8")
    names = [name for name in parser.sections() if parser.has_option(name, "script_location")]
    if not names:
        return ""
    return (
        f": its sections {', '.join(names)} do. Write a configuration that has one of them as [alembic], "
        f"and name it with {option('alembicConfig')}"
    )


def names_locations(env: Path) -> bool:
    """Whether env.py may set the folders of the revisions, so the configuration's value does not count."""
    return env.is_file() and b"version_locations" in env.read_bytes()


def read_options(directory: Path, config: Path) -> dict[str, Any]:
    """Alembic's options. As in Alembic, alembic.ini takes precedence over pyproject.toml."""
    if config.suffix == ".toml":
        return read_toml(config, config.parent) or {}
    return {**(read_toml(directory / "pyproject.toml", directory) or {}), **(read_ini(config, config.parent) or {})}


def read_ini(path: Path, here: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    parser = configparser.ConfigParser({"here": str(here).replace("%", "%%")})
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError) as error:
        # Its message has the file's path, and may have several lines.
        reason = " ".join(str(error).split())
        raise Invalid(f"{path} can't be read: {reason}") from error

    def get(name: str) -> str | None:
        try:
            return parser.get("alembic", name, fallback=None)
        except configparser.Error:
            return None

    options: dict[str, Any] = {}
    if get("recursive_version_locations"):
        options["recursive"] = get("recursive_version_locations") == "true"
    options["sourceless"] = get("sourceless") == "true"
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

    options: dict[str, Any] = {"sourceless": bool(table.get("sourceless"))}
    if table.get("script_location"):
        options["script_location"] = fill(table["script_location"])
    if table.get("version_locations"):
        options["version_locations"] = [fill(text) for text in table["version_locations"]]
    if "recursive_version_locations" in table:
        options["recursive"] = bool(table["recursive_version_locations"])
    return options


def locate(directory: Path, called_in: Path, text: str) -> Path | None:
    """The folder that a location names: a path relative to Alembic's working directory, or `package:folder`."""
    path = called_in / text
    if path.is_dir():
        return Path(os.path.normpath(path))
    package, colon, folder = text.partition(":")
    if colon and not Path(text).is_absolute():
        for root in (called_in, directory, directory / "src"):
            path = root.joinpath(*package.split("."), *folder.split(":"))
            if path.is_dir():
                return Path(os.path.normpath(path))
    return None


def read_revisions(locations: list[Path], options: dict[str, Any], *, all_here: bool) -> tuple[dict[str, Any], list[str]]:
    """The revisions, and problems of the whole graph. `all_here`: whether every location was found."""
    if options.get("sourceless"):
        raise Unreadable
    nodes: dict[str, Node] = {}
    every: list[Node] = []
    for location in dict.fromkeys(locations):
        for path in sorted(location.rglob("*.py") if options.get("recursive") else location.glob("*.py")):
            if not REVISION_FILE.fullmatch(path.name):
                continue
            values = read_assignments(path)
            if "revision" not in values:
                raise Unreadable  # Alembic rejects such a file, or takes the id from its name.
            revision = values["revision"]
            if not revision:
                error = without_id(path.name)
                return {"count": 0, "heads": []}, [f"{error.message}: {error.next}"]
            down, depends_on, own = (several(values.get(name)) for name in ("down_revision", "depends_on", "branch_labels"))
            # Alembic ignores an empty depends_on.
            node = Node(revision, path.name, down, () if depends_on == ("",) else depends_on, own)
            every.append(node)
            nodes[revision] = node
    below = {revision: node.down for revision, node in nodes.items()}
    followed = {name for names in below.values() for name in names}
    labels = {revision: node.labels for revision, node in nodes.items()}
    depended = {name for node in every for name in node.depends_on}
    if not all_here and not followed | depended <= nodes.keys() | {label for own in labels.values() for label in own}:
        raise Unreadable
    if error := problem(every):
        # The heads are unknown then.
        return {"count": len(nodes), "heads": []}, [f"{error.message}: {error.next}"]
    heads = sorted(nodes.keys() - followed)
    own = unique_labels({head: {label for name in lineage(head, below) for label in labels.get(name, ())} for head in heads})
    found = [{"revision": head, "file": nodes[head].file, "labeled": head in own} for head in heads]
    return {"count": len(nodes), "heads": found}, []


def several(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


def lineage(revision: str, below: dict[str, tuple[str, ...]]) -> set[str]:
    """A revision and its ancestors."""
    found: set[str] = set()
    queue = [revision]
    while queue:
        if (name := queue.pop()) not in found:
            found.add(name)
            queue.extend(below.get(name, ()))
    return found


def read_assignments(path: Path) -> dict[str, Any]:
    """The module's own `revision`, `down_revision` and `branch_labels`."""
    try:
        module = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError) as error:
        raise Unreadable from error
    found: dict[str, Any] = {}
    for node in module.body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        for target in targets:
            if isinstance(target, ast.Name) and target.id in NAMES and node.value is not None:
                found[target.id] = literal(target.id, node.value)
    return found


def literal(name: str, node: ast.expr) -> Any:
    try:
        value = ast.literal_eval(node)
    except ValueError as error:
        raise Unreadable from error
    if name == "revision":
        return value if isinstance(value, str) else None
    single = isinstance(value, str) or value is None
    several = isinstance(value, (tuple, list, set)) and all(isinstance(item, str) for item in value)
    if not single and not several:
        raise Unreadable
    return list(value) if several else value


if __name__ == "__main__":
    print(json.dumps(describe(Path(sys.argv[1]).resolve(), sys.argv[2])))
