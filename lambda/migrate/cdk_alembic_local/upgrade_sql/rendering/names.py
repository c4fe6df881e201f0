"""Renders the names of tables, columns, types and sequences as SQL."""

from __future__ import annotations

from typing import Any

from ..values import MARK, UNKNOWN, Attribute, Call, Class, External, Instance, Item, as_text

_TYPES = {
    "String": "varchar", "VARCHAR": "varchar", "Unicode": "varchar", "CHAR": "char", "Text": "text", "TEXT": "text",
    "UnicodeText": "text", "AutoString": "varchar", "Integer": "integer", "INTEGER": "integer", "BigInteger": "bigint",
    "BIGINT": "bigint", "SmallInteger": "smallint", "SMALLINT": "smallint", "Float": "double precision",
    "FLOAT": "double precision", "Double": "double precision", "REAL": "real", "DOUBLE_PRECISION": "double precision",
    "Numeric": "numeric", "NUMERIC": "numeric", "DECIMAL": "numeric", "Boolean": "boolean", "BOOLEAN": "boolean",
    "Date": "date", "DATE": "date",
    "DateTime": "timestamp", "DATETIME": "timestamp", "TIMESTAMP": "timestamp", "Time": "time", "TIME": "time", "JSON": "json",
    "JSONB": "jsonb", "UUID": "uuid", "Uuid": "uuid", "LargeBinary": "bytea", "BYTEA": "bytea",
}  # fmt: skip


def quoted(name: Any, schema: Any = None) -> str:
    """A quoted identifier, with its schema."""
    text = as_text(name).replace('"', '""')
    return f'"{as_text(schema)}"."{text}"' if schema is not None else f'"{text}"'


def table_of(value: Any) -> str:
    """The quoted name of a table or a model."""
    if isinstance(value, (str, bytes)):
        return quoted(as_text(value).replace('"', "").rpartition(".")[2]) if "." in as_text(value) else quoted(value)
    if isinstance(value, Instance):
        return table_of(value.cls)
    if isinstance(value, Class):
        name = value.find("__tablename__")
        return quoted(name) if isinstance(name, str) else table_of(value.find("__table__") or UNKNOWN)
    if isinstance(value, Attribute) and (value.name in ("__table__", "c", "columns", "query") or isinstance(value.of, Class)):
        return table_of(value.of)
    if isinstance(value, (Attribute, Item)) and isinstance(value.of, Attribute) and value.of.name in ("c", "columns"):
        return table_of(value.of.of)
    if isinstance(value, Call):
        if value.name in ("alias", "table_valued", "tometadata", "to_metadata", "join"):
            return table_of(value.receiver)
        if value.name in ("Table", "table", "create_table", "TableClause"):
            return quoted(value.given(0, "name", "table_name"), value.keywords.get("schema"))
        if value.name in ("query", "get"):
            return table_of(value.given(0, "entity"))
    if isinstance(value, Item) and isinstance(value.key, str):
        return quoted(value.key.rpartition(".")[2])
    return quoted(MARK)


def column_name(value: Any) -> str:
    """A column's name, without its table; MARK if unknown."""
    if isinstance(value, str):
        return value
    if isinstance(value, Call) and value.name in ("column", "Column"):
        return as_text(value.given(0, "name", "text"))
    if isinstance(value, Item) and isinstance(value.key, str):
        return value.key
    return value.name.rpartition(".")[2] if isinstance(value, (Attribute, External)) else MARK


def type_of(value: Any) -> str:
    """A type as SQL; MARK if it is not one of SQLAlchemy's own."""
    if isinstance(value, External):
        return _TYPES.get(value.name.rpartition(".")[2], MARK)
    if not isinstance(value, Call):
        return MARK
    name = _TYPES.get(value.name, MARK)
    sizes = [value.given(index, *names) for index, names in enumerate((("length", "precision"), ("scale",)))]
    known = [str(size) for size in sizes if isinstance(size, int) and not isinstance(size, bool)]
    return f"{name}({', '.join(known)})" if known and name in ("varchar", "char", "numeric", "timestamp", "time") else name


def type_name(value: Any) -> str:
    """The quoted name of an enum or a domain."""
    name = value.keywords.get("name") if isinstance(value, Call) else None
    if name is None and isinstance(value, Call) and value.name == "DOMAIN":
        name = value.given(0)
    if name is None and isinstance(value, Call) and value.args and isinstance(value.args[0], Class):
        name = value.args[0].node.name.lower()
    return quoted(MARK if name is None else name, value.keywords.get("schema") if isinstance(value, Call) else None)


def sequence_name(value: Any) -> str:
    """The quoted name of a `Sequence`."""
    if not isinstance(value, Call):
        return quoted(MARK, None)
    return quoted(value.given(0, "name"), value.keywords.get("schema"))
