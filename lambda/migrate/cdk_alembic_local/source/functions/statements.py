"""Text in a revision that is an SQL statement."""

from __future__ import annotations

import ast
import re

from cdk_alembic.project.sources import SQL_COMMENT, last_name

# Calls whose first argument is a statement, or wraps its text.
EXECUTES = ("execute", "executemany", "exec_driver_sql", "scalar", "scalars", "DDL")
_WRAPPERS = ("text", "DDL", "bindparams", "columns", "dedent", "strip", "format", "execution_options")

# Not a foreign key's "SET NULL" or a column's comment.
_SQL = re.compile(
    r"\s*(?:"
    r"(?:ALTER|CREATE|DROP)\s+(?:OR\s+REPLACE\s+)?(?:(?:GLOBAL|LOCAL|TEMP|TEMPORARY|UNLOGGED|UNIQUE|MATERIALIZED|FOREIGN|RECURSIVE"
    r"|CONSTRAINT|EVENT|TRUSTED|PROCEDURAL|DEFAULT)\s+)*"
    r"(?:TABLE|INDEX|VIEW|TYPE|DOMAIN|SCHEMA|SEQUENCE|FUNCTION|PROCEDURE|AGGREGATE|TRIGGER|RULE|POLICY|EXTENSION|ROLE|USER"
    r"|DATABASE|SERVER|PUBLICATION|SUBSCRIPTION|STATISTICS|COLLATION|CAST|OPERATOR|LANGUAGE|PRIVILEGES|SYSTEM)\b"
    r"|(?:INSERT\s+INTO|DELETE\s+FROM|MERGE\s+INTO|REFRESH\s+MATERIALIZED|COMMENT\s+ON|TRUNCATE)\s+\S|DO\s+(?:LANGUAGE|\$|')"
    r"|(?:REINDEX|LOCK)\s+(?:\(.*?\)\s*)?(?:TABLE|INDEX|SCHEMA|DATABASE)\b"
    r"|UPDATE\s+(?:ONLY\s+)?[\w\".]+(?:\s+(?:AS\s+)?\w+)?\s+SET\s|SELECT\s.+?\s(?:FROM|AS)\s|SELECT\s+[\w.]+\s*\(|WITH\s+(?:RECURSIVE\s+)?[\w\"]+.*?\sAS\s"
    r"|(?:GRANT|REVOKE)\s.+?\sON\s|SET\s+(?:LOCAL\s+|SESSION\s+)?[\w.]+\s*(?:=|\sTO\s)|COPY\s.+?\s(?:FROM|TO)\s"
    r"|(?:VACUUM|ANALYZE|CLUSTER)\s+[\w\".]+\s*;?\s*$)",
    re.IGNORECASE | re.DOTALL,
)


def is_statement(text: str) -> bool:
    """Whether a text is a statement wherever it is written, such as in a constant."""
    return bool(_SQL.match(SQL_COMMENT.sub(" ", text)))


def executed_text(call: ast.Call) -> ast.expr | None:
    """The literal text that a call like `op.execute(sa.text("..."))` executes, if any."""
    values = [*call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg in ("sqltext", "statement"))]
    value = values[0] if values else None
    while isinstance(value, ast.Call) and last_name(value.func) in _WRAPPERS:
        method = isinstance(value.func, ast.Attribute) and not isinstance(value.func.value, ast.Name)
        value = value.func.value if method else (value.args[0] if value.args else None)
    return value
