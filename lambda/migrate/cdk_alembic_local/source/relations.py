"""What the relations are that earlier revisions create: materialized views and partitioned tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..per_request import per_request
from ..upgrade_sql.read import read_steps

_NAME = r"(?:\"?\w+\"?\s*\.\s*)?\"?(\w+)"
_VIEW = re.compile(rf"\bCREATE\s+MATERIALIZED\s+VIEW\s+(?:IF\s+NOT\s+EXISTS\s+)?{_NAME}", re.IGNORECASE)
_PARTITIONED = re.compile(rf"\bCREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?{_NAME}[^;]*?\)\s*PARTITION\s+BY\b", re.IGNORECASE)
_RENAMED = re.compile(rf"\bALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?{_NAME}\"?\s+RENAME\s+TO\s+\"?(\w+)", re.IGNORECASE)
_MAY_MAKE_VIEW = re.compile(rb"MATERIALIZED\s+VIEW|MaterializedView", re.IGNORECASE)
_MAY_PARTITION = re.compile(rb"partition[_\s]+by", re.IGNORECASE)
_MAY_PARTITION_OR_RENAME = re.compile(_MAY_PARTITION.pattern + rb"|rename[_\s]+(?:table|to)", re.IGNORECASE)


def materialized_views(files: Iterable[Path], root: Path, roots: list[Path]) -> list[str]:
    """Their names, without the schema."""
    views = (view for step in _steps(files, _MAY_MAKE_VIEW, root, roots) for view in _VIEW.findall(step.get("sql", "")))
    return sorted(set(views))


def partitioned_tables(files: Iterable[Path], root: Path, roots: list[Path]) -> list[str]:
    """Their names, without the schema, as the last of the files leaves them."""
    tables: set[str] = set()
    files = list(files)
    if any(_mentions(file, _MAY_PARTITION) for file in files):
        for step in _steps(files, _MAY_PARTITION_OR_RENAME, root, roots):
            tables.update(_partitioned(step))
            for old, new in _renamed(step):
                if old in tables:
                    tables.remove(old)
                    tables.add(new)
                else:
                    tables.discard(new)
    return sorted(tables)


def _steps(files: Iterable[Path], about: re.Pattern[bytes], root: Path, roots: list[Path]) -> Iterator[dict[str, Any]]:
    for file in files:
        if _mentions(file, about):
            yield from read_steps(file, root, roots, "upgrade")


@per_request
def _mentions(file: Path, about: re.Pattern[bytes]) -> bool:
    return about.search(file.read_bytes()) is not None


def _partitioned(step: dict[str, Any]) -> list[str]:
    call = step.get("call")
    if call is None:
        return _PARTITIONED.findall(step["sql"])
    is_partitioned = call["name"].endswith("create_table") and "postgresql_partition_by" in call["keywords"]
    return [table for table in call["args"][:1] if is_partitioned and isinstance(table, str)]


def _renamed(step: dict[str, Any]) -> list[tuple[str, str]]:
    call = step.get("call")
    if call is None:
        return _RENAMED.findall(step["sql"])
    names = call["args"][:2] if call["name"].endswith("rename_table") else []
    return [(names[0], names[1])] if [type(name) for name in names] == [str, str] else []
