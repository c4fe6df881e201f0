"""What functions of the project's own modules call, if a revision calls these functions."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..per_request import per_request
from .functions.functions import Functions


def imported_calls(calls: Iterable[dict[str, Any]], roots: list[Path]) -> Iterator[dict[str, Any]]:
    """`importedCalls` of lib/contract/facts: at the line of the revision's call, and only of the module that it names."""
    for call in calls:
        module, _, function = call["name"].rpartition(".")
        file = _file_of(module, tuple(roots)) if function.isidentifier() else None
        for name in _calls(file, function) if file else ():
            yield {"name": name, "line": call["line"]}


@per_request
def _file_of(module: str, roots: tuple[Path, ...]) -> Path | None:
    parts = module.split(".")
    if not all(map(str.isidentifier, parts)):
        return None
    places = [root.joinpath(*parts) for root in roots]
    files = [file for place in places for file in (place.with_suffix(".py"), place / "__init__.py")]
    return next((file for file in files if file.is_file()), None)


@per_request
def _calls(file: Path, function: str) -> tuple[str, ...]:
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return ()
    facts = Functions(tree, list(ast.walk(tree))).facts(function)
    return tuple(dict.fromkeys(call["name"] for call in facts["calls"])) if facts else ()
