"""What pending revisions would destroy: determined when the package was built, or else by patterns in their source.

A revision that destroys data acknowledges it in its own file, with a reason: `# cdk-alembic: allow drop-table: moved to orders`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..protocol.errors import RunnerError
from ..protocol.rules import BACKEND_DIRECTORY, MANIFEST_FILE
from .configuration import manifest, package_root
from .sources import SQL_COMMENT, acknowledgements, definitions, last_name, source_of, text_of

# Methods and classes of Alembic and SQLAlchemy, by their last name.
_OPERATIONS = {
    "drop_table": "drop-table",
    "drop_column": "drop-column",
    "drop_all": "drop-table",
    "DropTable": "drop-table",
    "DropColumn": "drop-column",
    "DropSchema": "drop-schema",
    "DropSequence": "drop-sequence",
}

UNREAD = "unread-sql"
"""SQL that can't be read: `plan` warns, and a run stops only where the stage asks for it."""

_EXECUTES = ("execute", "exec_driver_sql")
_NARROWING = ("where", "filter", "filter_by")

_NAME = r"(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?[^\s;,()]*"
_SQL = {
    "drop-table": re.compile(rf"\bDROP\s+(?:FOREIGN\s+)?TABLE\b\s*{_NAME}", re.IGNORECASE),
    "drop-column": re.compile(
        rf"\bALTER\s+TABLE\b[^;]*?\bDROP\s+(?!CONSTRAINT\b|DEFAULT\b|NOT\b|IDENTITY\b|EXPRESSION\b)(?:COLUMN\b\s*)?{_NAME}",
        re.IGNORECASE,
    ),
    "drop-schema": re.compile(rf"\bDROP\s+SCHEMA\b\s*{_NAME}", re.IGNORECASE),
    "drop-type": re.compile(rf"\bDROP\s+(?:TYPE|DOMAIN)\b\s*{_NAME}", re.IGNORECASE),
    "drop-sequence": re.compile(rf"\bDROP\s+SEQUENCE\b\s*{_NAME}", re.IGNORECASE),
    # Not a trigger BEFORE TRUNCATE ON, nor GRANT TRUNCATE, SELECT ON.
    "truncate": re.compile(rf"\bTRUNCATE\s+(?!ON\b|OR\b)(?:TABLE\b\s*)?{_NAME}", re.IGNORECASE),
    "delete-all": re.compile(rf"\bDELETE\s+FROM\b\s*{_NAME}(?![^;]*\bWHERE\b)(?=[^;]*(?:;|\Z))", re.IGNORECASE),
}


def data_losses(scripts: Iterable[Any], unread: bool = False) -> list[dict[str, Any]]:
    """What the upgrades of these scripts destroy, in order: the contract's DataLoss. `unread`: include SQL that can't be read."""
    return [loss for loss in _all(scripts) if unread or loss["rule"] != UNREAD]


def uncertain_losses(scripts: Iterable[Any]) -> list[str]:
    """A sentence for each place that may destroy data, at which no run stops, and that is not acknowledged."""
    uncertain = [loss for loss in _all(scripts) if loss["rule"] == UNREAD and "acknowledgement" not in loss]
    return [f"{_place(loss)} {loss['what']}" for loss in uncertain]


def unreadable(scripts: Iterable[Any]) -> list[str]:
    """A warning for each script without source in the package: what it destroys could not be determined."""
    return [
        f"revision {script.revision} has no source file, so the guard cannot see what it destroys"
        for script in scripts
        if not source_of(Path(script.path))
    ]


def refuse_unacknowledged(scripts: Iterable[Any], unread: bool = False) -> None:
    """Raises RunnerError `blocked`, which names each unacknowledged place and the comment to write."""
    open_ = [loss for loss in data_losses(scripts, unread) if "acknowledgement" not in loss]
    if open_:
        losses = "; ".join(f"{loss['what']} in {_place(loss)}" for loss in open_)
        comments = " and ".join(
            f"`# cdk-alembic: allow {rule}: <reason>`" for rule in dict.fromkeys(loss["rule"] for loss in open_)
        )
        raise RunnerError(
            "blocked",
            f"pending revisions destroy data: {losses}",
            f"nothing was applied; if this is intended, add {comments} to the file that does it and try again",
            revision=open_[0]["revision"],
            data_loss=open_,
        )


def _all(scripts: Iterable[Any]) -> list[dict[str, Any]]:
    return [{"revision": script.revision, **loss} for script in scripts for loss in _of_file(Path(script.path))]


def _place(loss: dict[str, Any]) -> str:
    return f"revision {loss['revision']} ({loss['file']}:{loss['line']})"


def _of_file(path: Path) -> list[dict[str, Any]]:
    return _of_source(path.name, source_of(path), _packaged(path))


# Each of a thousand tenants checks the same revisions.
@lru_cache(maxsize=1024)
def _of_source(name: str, source: bytes, packaged: tuple[tuple[str, str, int], ...] | None) -> list[dict[str, Any]]:
    found = losses_of(ast.parse(source)) if packaged is None else packaged
    reasons = {rule: reason for rule, reason, _ in acknowledgements(source)} if found else {}
    losses = []
    for rule, what, line in found:
        loss = {"rule": rule, "what": what, "file": name, "line": line}
        losses.append({**loss, "acknowledgement": reasons[rule]} if rule in reasons else loss)
    return losses


def _packaged(path: Path) -> tuple[tuple[str, str, int], ...] | None:
    """What the build of the package found in a file; None if it did not read revisions."""
    root = package_root()
    backend, file, manifest_file = (root / BACKEND_DIRECTORY).resolve(), path.resolve(), root / MANIFEST_FILE
    if not manifest_file.is_file() or not file.is_relative_to(backend):
        return None
    destroys = _destroys(root, manifest_file.stat().st_mtime_ns)
    if destroys is None:
        return None
    found = destroys.get(file.relative_to(backend).as_posix(), ())
    return tuple((loss["rule"], loss["what"], loss["line"]) for loss in found)


@lru_cache(maxsize=1)
def _destroys(_root: Path, _changed: int) -> dict[str, list[dict[str, Any]]] | None:
    return manifest().get("destroys")


def losses_of(tree: ast.Module) -> list[tuple[str, str, int]]:
    """Rule, lost object and line, for `upgrade` and the definitions that it uses."""
    return sorted(set(_found(tree)), key=lambda found: found[2])


def _found(tree: ast.Module) -> Iterator[tuple[str, str, int]]:
    for root in _used_by_upgrade(tree):
        narrowed: set[ast.AST] = set()
        for node in _nodes(root):
            if isinstance(node, ast.Attribute) and node.attr in _NARROWING:
                narrowed.update(ast.walk(node.value))
            if isinstance(node, ast.Call) and last_name(node.func) in _EXECUTES and node.args and _is_unread(node.args[0], tree):
                yield UNREAD, "runs SQL that can't be read", node.lineno
            if isinstance(node, ast.Call) and node not in narrowed and (rule := _rule_of_call(node)):
                values = [*node.args, *(keyword.value for keyword in node.keywords)]
                names = [value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)]
                yield rule, f"{last_name(node.func)} {'.'.join(names)}".strip(), node.lineno
            elif (text := text_of(node)) is not None:
                text = SQL_COMMENT.sub(lambda comment: "\n" * comment[0].count("\n") or " ", text)
                spread = node.end_lineno - node.lineno == text.count("\n")
                for rule, pattern in _SQL.items():
                    for match in pattern.finditer(text):
                        line = node.lineno + (text.count("\n", 0, match.start()) if spread else 0)
                        yield rule, " ".join(match[0].split()), line


def _is_unread(statement: ast.expr, tree: ast.Module) -> bool:
    """Whether the executed SQL can't be determined from the source. SQLAlchemy's statements are checked as calls instead."""
    if isinstance(statement, ast.Call) and last_name(statement.func) in ("text", "DDL") and statement.args:
        return _is_unread(statement.args[0], tree)
    if isinstance(statement, ast.Name):
        return statement.id not in definitions(tree)
    return isinstance(statement, (ast.Attribute, ast.Subscript))


def _used_by_upgrade(tree: ast.Module) -> list[ast.AST]:
    """The function `upgrade` and the module's own definitions that it uses, directly or indirectly."""
    own = definitions(tree)
    used: list[ast.AST] = list(own.get("upgrade", ()))
    for node in used:
        for name in ast.walk(node):
            if isinstance(name, ast.Name):
                used.extend(found for found in own.get(name.id, ()) if found not in used)
    return used


def _nodes(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring
    yield node
    is_text = text_of(node) is not None
    for child in ast.iter_child_nodes(node):
        if not (is_text and text_of(child) is not None):
            yield from _nodes(child)


def _rule_of_call(call: ast.Call) -> str | None:
    name = last_name(call.func)
    if name == "drop" and "bind" in ast.unparse(call):
        return "drop-type"  # sa.Enum(...).drop(op.get_bind())
    if name == "delete":
        receiver = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""
        narrowed = any(f".{word}(" in receiver for word in _NARROWING)
        whole = not call.args or receiver in ("", "sa", "sqlalchemy")  # not session.delete(user)
        return "delete-all" if whole and not narrowed else None
    return _OPERATIONS.get(name)
