"""What pending revisions would destroy, read from their source without running it.

A revision that destroys data acknowledges it in its own file, with a reason: `# cdk-alembic: allow drop-table: moved to orders`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from .errors import RunnerError

_OPERATIONS = {"drop_table": "drop-table", "drop_column": "drop-column"}

_NAME = r"(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?([\w.\"]+)"
_SQL = {
    "drop-table": re.compile(rf"\bDROP\s+(?:FOREIGN\s+)?TABLE\s+{_NAME}", re.IGNORECASE),
    "drop-column": re.compile(
        rf"\bALTER\s+TABLE\b[^;]*?\bDROP\s+(?!CONSTRAINT\b|DEFAULT\b|NOT\b|IDENTITY\b|EXPRESSION\b)(?:COLUMN\s+)?{_NAME}",
        re.IGNORECASE,
    ),
    "drop-schema": re.compile(rf"\bDROP\s+SCHEMA\s+{_NAME}", re.IGNORECASE),
    "drop-type": re.compile(rf"\bDROP\s+(?:TYPE|DOMAIN)\s+{_NAME}", re.IGNORECASE),
    "truncate": re.compile(rf"\bTRUNCATE\s+(?:TABLE\s+)?{_NAME}", re.IGNORECASE),
    "delete-all": re.compile(rf"\bDELETE\s+FROM\s+{_NAME}(?![^;]*\bWHERE\b)(?=[^;]*(?:;|\Z))", re.IGNORECASE),
}
_SQL_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_ACKNOWLEDGEMENT = re.compile(r"#\s*cdk-alembic:\s*allow\s+([a-z-]+)\s*:\s*(\S.*?)\s*$", re.MULTILINE)


def data_losses(scripts: Iterable[Any]) -> list[dict[str, Any]]:
    """What the upgrades of these scripts destroy: the contract's DataLoss, in order."""
    return [{"revision": script.revision, **loss} for script in scripts for loss in _of_file(script.path)]


def refuse_unacknowledged(scripts: Iterable[Any]) -> None:
    """Raises RunnerError `blocked` that names every place without an acknowledgement, and the comment to write."""
    open_ = [loss for loss in data_losses(scripts) if "acknowledgement" not in loss]
    if open_:
        places = "; ".join(f"{loss['what']} in revision {loss['revision']} ({loss['file']}:{loss['line']})" for loss in open_)
        comments = " and ".join(
            f"`# cdk-alembic: allow {rule}: <reason>`" for rule in dict.fromkeys(loss["rule"] for loss in open_)
        )
        raise RunnerError(
            "blocked",
            f"pending revisions destroy data: {places}",
            f"nothing was applied; if the loss is meant, write {comments} into the file that does it and deploy again",
            revision=open_[0]["revision"],
            data_loss=open_,
        )


@cache
def _of_file(path: str) -> list[dict[str, Any]]:
    source = Path(path).read_text(encoding="utf-8")
    reasons = dict(_ACKNOWLEDGEMENT.findall(source))
    losses = []
    for rule, what, line in sorted(_found(ast.parse(source)), key=lambda found: found[2]):
        loss = {"rule": rule, "what": what, "file": Path(path).name, "line": line}
        losses.append({**loss, "acknowledgement": reasons[rule]} if rule in reasons else loss)
    return losses


def _found(tree: ast.Module) -> Iterator[tuple[str, str, int]]:
    """Rule, what is lost, line: of everything but the downgrade."""
    for node in _nodes(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _OPERATIONS:
            names = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
            what = " ".join([node.func.attr, ".".join(str(name) for name in names)]).strip()
            yield _OPERATIONS[node.func.attr], what, node.lineno
        elif (text := _text(node)) is not None:
            for rule, pattern in _SQL.items():
                for match in pattern.finditer(_SQL_COMMENT.sub(" ", text)):
                    yield rule, " ".join(match[0].split()), node.lineno


def _nodes(tree: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.FunctionDef) and child.name == "downgrade":
            continue
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue  # a docstring
        yield child
        if not isinstance(child, ast.JoinedStr):
            yield from _nodes(child)


def _text(node: ast.AST) -> str | None:
    """A literal text; of an f-string what is literal in it, with a name in place of each value."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "_" for part in node.values)
    return None
