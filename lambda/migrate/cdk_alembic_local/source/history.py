"""Earlier steps about objects that a revision handles conditionally or makes NOT NULL: HistoryFacts of lib/contract/facts."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..per_request import per_request
from ..upgrade_sql.read import read_steps
from .literals import bound_values, known_values
from .relations import materialized_views, partitioned_tables

_CONDITIONAL = re.compile(r"\bIF\s+(?:NOT\s+)?EXISTS\b|\A\s*DO\b", re.IGNORECASE)
_KINDS = r"(?:COLUMN|TABLE|INDEX|TYPE|DOMAIN|VIEW|SCHEMA|SEQUENCE|CONSTRAINT|FUNCTION|EXTENSION)"
_OBJECT = re.compile(
    rf"\b(?:(?<!ALTER ){_KINDS}|SET|(?:DROP|ADD)(?!\s+(?:MATERIALIZED\s+)?{_KINDS}\b))\s+(?:CONCURRENTLY\s+)?"
    r"(?:IF\s+(?:NOT\s+)?EXISTS\s+)?(?:\"?\w+\"?\s*\.\s*)?\"?(\w+)",
    re.IGNORECASE,
)
# The position of the object's name in an operation's arguments, if it is not the first.
_NAMES = {"drop_column": 1, "alter_column": 1, "add_column": 1}
_COLUMN = re.compile(r"\(\s*[\"'](\w+)")
# Code that may create objects without naming them in the file.
_OPAQUE = re.compile(rb"\bcreate_all\b|\.read\(|\bread_text\b|\bopen\(|\bsqlparse\b|\bautoload\b")
_WORD = re.compile(rb"\w+")


_INDEX = re.compile(r"\A\s*(?:CREATE\s+(?:UNIQUE\s+)?|DROP\s+)INDEX\b", re.IGNORECASE)
_SET_NOT_NULL = re.compile(
    r"\bALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?(?:\"?\w+\"?\s*\.\s*)?\"?(\w+)[^;]*?\bALTER\s+(?:COLUMN\s+)?\"?(\w+)\"?\s+SET\s+NOT\s+NULL",
    re.IGNORECASE,
)
_INSERT = re.compile(r"\bINSERT\s+INTO\s+(?:\"?\w+\"?\s*\.\s*)?\"?(\w+)", re.IGNORECASE)
_TABLE = re.compile(r"\b[Tt]able\(\s*[\"'](\w+)")
_CREATE_TABLE = re.compile(r"\bCREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:\"?\w+\"?\s*\.\s*)?\"?(\w+)", re.IGNORECASE)
NO_HISTORY: dict[str, Any] = {
    "names": [],
    "steps": [],
    "isWhole": False,
    "filledTables": [],
    "materializedViews": [],
    "partitionedTables": [],
}


def history(path: Path, root: Path, roots: list[Path], steps: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """HistoryFacts of the revision at `path`, which does `steps`."""
    steps = list(steps)
    names = {name for step in steps for name in _conditional_objects(step)}
    required = {column for step in steps for column in _required(step)}
    has_index = any(map(_has_index, steps))
    filled = _filled(path, steps)
    if not (names or required or has_index or filled):
        return NO_HISTORY
    earlier, is_whole = _ancestors(path)
    about_indexes = earlier if has_index else []
    about = {name.encode() for name in names}
    found: list[dict[str, Any]] = []
    for one in earlier:
        words, is_opaque = _words(one)
        is_whole = is_whole and not is_opaque
        columns = {column for table, column in required if {table.encode(), column.encode()} <= words}
        if about & words or columns:
            found += [
                step for step in read_steps(one, root, roots, "upgrade") if any(name in str(step) for name in names | columns)
            ]
    return {
        "names": sorted(names),
        "steps": found,
        "isWhole": is_whole,
        "filledTables": list(_creations(earlier, filled, root, roots)),
        "materializedViews": materialized_views(about_indexes, root, roots),
        "partitionedTables": partitioned_tables(about_indexes, root, roots),
    }


def _required(step: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The columns, with their table, that a step makes NOT NULL."""
    call = step.get("call")
    if call is None:
        yield from _SET_NOT_NULL.findall(step["sql"])
    elif call["name"].endswith("alter_column") and call["keywords"].get("nullable") is False:
        table, column, *_ = [*call["args"], None, None]
        if isinstance(table, str) and isinstance(column, str):
            yield table, column


def _filled(path: Path, steps: list[dict[str, Any]]) -> set[str]:
    """The tables that a revision inserts rows into."""
    source = path.read_text(encoding="utf-8", errors="replace")
    named = _TABLE.findall(source) if "bulk_insert" in source else []
    return {*named, *(table for step in steps for table in _INSERT.findall(step.get("sql", "")))}


def _creations(files: list[Path], tables: set[str], root: Path, roots: list[Path]) -> Iterator[dict[str, Any]]:
    """The steps that create tables."""
    about = {table.encode() for table in tables}
    for file in files:
        if about & _words(file)[0]:
            yield from (step for step in read_steps(file, root, roots, "upgrade") if not tables.isdisjoint(_created(step)))


def _created(step: dict[str, Any]) -> list[str]:
    """The tables that a step creates."""
    call = step.get("call")
    if call is None:
        return _CREATE_TABLE.findall(step["sql"])
    return [table for table in call["args"][:1] if call["name"].endswith("create_table") and isinstance(table, str)]


def _has_index(step: dict[str, Any]) -> bool:
    """Whether a step creates or drops an index."""
    return step["call"]["name"].endswith("_index") if "call" in step else _INDEX.match(step["sql"]) is not None


def _conditional_objects(step: dict[str, Any]) -> Iterator[str]:
    """The names of the objects that a step creates, changes or drops under a condition."""
    call = step.get("call")
    if call is None:
        if step["inBranch"] or _CONDITIONAL.search(step["sql"]):
            yield from _OBJECT.findall(step["sql"])
        return
    asks = call["keywords"].get("if_exists") or call["keywords"].get("if_not_exists")
    if not (step["inBranch"] or asks):
        return
    operation = call["name"].rpartition(".")[2]
    args = call["args"]
    at = _NAMES.get(operation, 0)
    given = args[at] if at < len(args) else None
    if isinstance(given, dict):
        found = _COLUMN.search(given["code"])
        given = found and found[1]
    if isinstance(given, str):
        yield given


def _ancestors(path: Path) -> tuple[list[Path], bool]:
    """The files of earlier revisions, oldest first, and whether they go back to the first one."""
    by_id = _by_id(path.parent)
    found: list[Path] = []
    seen: set[Path] = set()
    is_whole = True
    # Branches meet again: a revision comes after all of its parents.
    following = [(path, False)]
    while following:
        file, parents_are_found = following.pop()
        if parents_are_found:
            found.append(file)
        elif file not in seen:
            seen.add(file)
            following.append((file, True))
            parents = _ids(file)[1] or ()
            is_whole = is_whole and all(parent in by_id for parent in parents)
            following += [(by_id[parent], False) for parent in parents if parent in by_id]
    return found[:-1], is_whole


@per_request
def _by_id(folder: Path) -> dict[str, Path]:
    """The files of a folder's revisions."""
    files = (file for file in folder.glob("*.py") if file.is_file())
    return {revision: file for file in files if isinstance(revision := _ids(file)[0], str)}


@per_request
def _ids(path: Path) -> tuple[Any, tuple[str, ...] | None]:
    """A revision's id, and its parents' ids."""
    try:
        values = known_values(bound_values(ast.parse(path.read_bytes()).body))
    except (OSError, SyntaxError, ValueError):
        return None, ("",)
    down = values.get("down_revision", "")
    return values.get("revision"), tuple(down) if isinstance(down, (list, tuple)) else None if down is None else (down,)


@per_request
def _words(path: Path) -> tuple[frozenset[bytes], bool]:
    source = path.read_bytes()
    return frozenset(_WORD.findall(source)), _OPAQUE.search(source) is not None
