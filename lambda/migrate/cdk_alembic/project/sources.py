"""Reads a revision's file without running it, for the guard and the local review: its comments, and what its upgrade destroys."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

SQL_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
CONTAINER_COMMENT = "# cdk-alembic: run in container"
_IN_CONTAINER = re.compile(r"#\s*cdk-alembic:\s*run\s+in\s+(?:a\s+)?container\s*$")
_ACKNOWLEDGEMENT = re.compile(r"#\s*cdk-alembic:\s*allow\s+([a-z-]+)\s*:\s*(\S.*?)\s*$")

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
    # Excludes a trigger's BEFORE TRUNCATE ON and GRANT TRUNCATE, SELECT ON.
    "truncate": re.compile(rf"\bTRUNCATE\s+(?!ON\b|OR\b)(?:TABLE\b\s*)?{_NAME}", re.IGNORECASE),
    "delete-all": re.compile(rf"\bDELETE\s+FROM\b\s*{_NAME}(?![^;]*\bWHERE\b)(?=[^;]*(?:;|\Z))", re.IGNORECASE),
}

_DRIVER_CONNECTION = re.compile(rb"\.(?:connection|dbapi_connection|driver_connection)\b(?!\s*\()|\b(?:raw_connection|cursor)\(")
_COMMIT = re.compile(rb"\bcommit\b", re.IGNORECASE)


def source_of(path: Path) -> bytes:
    """A revision's source. Empty if the package has only its bytecode (Alembic's `sourceless`)."""
    return b"" if path.suffix == ".pyc" else path.read_bytes()


def may_commit_unseen(path: Path) -> bool:
    """Whether a revision may commit on the driver's connection, which SQLAlchemy does not report:
    `op.get_bind().connection.commit()`."""
    source = source_of(path)
    return bool(_DRIVER_CONNECTION.search(source) and _COMMIT.search(source))


def acknowledgements(source: bytes) -> Iterator[tuple[str, str, int]]:
    """Rule, reason and line of each comment that acknowledges a finding."""
    if b"cdk-alembic" not in source:
        return
    for token in tokenize.tokenize(io.BytesIO(source).readline):
        if token.type == tokenize.COMMENT and (match := _ACKNOWLEDGEMENT.match(token.string)):
            yield match[1], match[2], token.start[0]


def runs_in_container(source: bytes) -> bool:
    """Whether a comment marks the revision to run in a container."""
    if b"cdk-alembic" not in source:
        return False
    tokens = tokenize.tokenize(io.BytesIO(source).readline)
    return any(token.type == tokenize.COMMENT and _IN_CONTAINER.match(token.string) for token in tokens)


def definitions(tree: ast.Module) -> dict[str, list[ast.stmt]]:
    """The module's own functions, classes and variables, by name."""
    found: dict[str, list[ast.stmt]] = {}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        names = [name.id for target in targets if target for name in ast.walk(target) if isinstance(name, ast.Name)]
        for name in [*names, *([node.name] if hasattr(node, "name") else [])]:
            found.setdefault(name, []).append(node)
    return found


def text_of(node: ast.AST | None, known: Mapping[str, Any] | None = None) -> str | None:
    """The text of a literal, an f-string or a concatenation. Looks up other values in `known`; unknown ones become `_`."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else _value(part, known) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = text_of(node.left, known), text_of(node.right, known)
        if left is None and right is None:
            return None
        return f"{left or _value(node.left, known)}{right or _value(node.right, known)}"
    return None


def _value(node: ast.AST, known: Mapping[str, Any] | None) -> str:
    name = node.value if isinstance(node, ast.FormattedValue) and node.format_spec is None else node
    value = known.get(name.id) if known and isinstance(name, ast.Name) else None
    return value if isinstance(value, str) else "_"


def last_name(function: ast.expr) -> str:
    """`create_index` of `op.create_index`."""
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def losses_of(source: bytes) -> list[tuple[str, str, int]]:
    """Rule, lost object and line of each loss in `upgrade` and the definitions that it uses."""
    return sorted(set(_losses(ast.parse(source))), key=lambda loss: loss[2])


def _losses(tree: ast.Module) -> Iterator[tuple[str, str, int]]:
    for root in _used_by_upgrade(tree):
        # Calls within a chain such as `delete(users).where(...)`.
        narrowed: set[ast.AST] = set()
        for node in _nodes(root):
            if isinstance(node, ast.Attribute) and node.attr in _NARROWING:
                narrowed.update(ast.walk(node.value))
            if isinstance(node, ast.Call) and last_name(node.func) in _EXECUTES and node.args and _is_unread(node.args[0], tree):
                yield UNREAD, "runs SQL that can't be read", node.lineno
            if isinstance(node, ast.Call) and node not in narrowed and (rule := _rule_of_call(node)):
                yield rule, _described(node), node.lineno
            elif (text := text_of(node)) is not None:
                yield from _losses_of_text(text, node)


def _described(call: ast.Call) -> str:
    """Such as `drop_column users.name`."""
    values = [*call.args, *(keyword.value for keyword in call.keywords)]
    names = [value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)]
    return f"{last_name(call.func)} {'.'.join(names)}".strip()


def _losses_of_text(text: str, node: ast.AST) -> Iterator[tuple[str, str, int]]:
    """The losses in SQL, with their lines in the file if the text has the lines of its `node`."""
    sql = SQL_COMMENT.sub(lambda comment: "\n" * comment[0].count("\n") or " ", text)
    is_multiline = node.end_lineno - node.lineno == sql.count("\n")
    for rule, pattern in _SQL.items():
        for match in pattern.finditer(sql):
            line = node.lineno + (sql.count("\n", 0, match.start()) if is_multiline else 0)
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
    defined = definitions(tree)
    used: list[ast.AST] = list(defined.get("upgrade", ()))
    for node in used:
        for name in ast.walk(node):
            if isinstance(name, ast.Name):
                used.extend(node for node in defined.get(name.id, ()) if node not in used)
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
