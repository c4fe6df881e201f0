"""Renders calls of Alembic and SQLAlchemy that change the database as SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..values import MARK, SYMBOLS, Attribute, Call, Class, External, Instance, Item, OneOf, as_text, last_name
from .names import quoted, sequence_name, table_of, type_name, type_of
from .queries import columns_read, insert_of, insert_statement
from .row_loops import loop_row, rows_of_loop
from .statements import dml_of, expression, first_line, sql_of, with_values

_EXECUTES = ("execute", "executemany", "exec_driver_sql", "scalar", "scalars", "fetch", "fetchrow", "fetchval", "execute_batch")
_DIRECTIVES = {
    "DropTableOp": "drop_table",
    "DropColumnOp": "drop_column",
    "CreateTableOp": "create_table",
    "AddColumnOp": "add_column",
    "RenameTableOp": "rename_table",
    "AlterColumnOp": "alter_column",
    "ExecuteSQLOp": "execute",
}
_CONTAINERS = ("ModifyTableOps", "UpgradeOps", "OpContainer")
_VALUE_PROVIDERS = ("Computed", "Identity", "Sequence", "FetchedValue")
_PROCESSES = ("subprocess.", "os.system", "os.popen", "os.exec", "sh.", "pexpect.")


def effects_of(call: Call) -> Iterator[dict[str, Any]]:
    """A call's effects on the database: `sql`, with its `line` and a column's previous type `before` if known, or `unread`."""
    if isinstance(call.function, External) and call.function.name.startswith(_PROCESSES):
        yield {"unread": "another process"}
    else:
        yield from _EFFECTS.get(call.name, lambda call: _operation(call.name, call))(call)


def connection_of(call: Call) -> str | None:
    """The connection whose method a call is: a separate one, `autocommit` or `other`; None for Alembic's, or if it is unknown."""
    value, is_opened, is_autocommit = call.receiver, False, False
    while isinstance(value, Call):
        is_opened = is_opened or value.name in ("connect", "begin")
        is_autocommit = is_autocommit or value.keywords.get("isolation_level") == "AUTOCOMMIT"
        value = value.receiver
    if not is_opened:
        return None
    return "autocommit" if is_autocommit else "other"


def _execute(call: Call) -> Iterator[dict[str, Any]]:
    own = sql_of(call.receiver) if isinstance(call.receiver, Call) else None
    if own and call.name == "execute":
        # DDL("...").execute(connection)
        yield from ({"sql": text} for text in own)
        return
    position = 1 if call.name == "execute_batch" else 0
    statement = call.given(position, "sqltext", "statement", "query", "sql", "clauseelement", "object_")
    if statement is None:
        return
    parameters = call.given(position + 1, "parameters", "params", "multiparams")
    for one in statement.values if isinstance(statement, OneOf) else [statement]:
        copied = insert_statement(one, parameters)
        texts = [copied] if copied else sql_of(one)
        if texts is None:
            yield {"unread": "SQL"}
        for text in texts or ():
            line = first_line(one)
            text = with_values(text, parameters)
            yield {"sql": text, **({"line": line} if line else {})}


def _invoke(directive: Any) -> Iterator[dict[str, Any]]:
    if isinstance(directive, Instance):
        return  # An operation of the backend: its implementation is interpreted.
    if not isinstance(directive, Call):
        yield {"unread": "an operation"}
        return
    name = directive.name
    if name in ("from_table", "from_column", "from_column_and_tablename"):
        whose = getattr(directive.receiver, "name", "").rpartition(".")[2]
        name, directive = whose, Call(directive.function, directive.args[-2:], directive.keywords)
    if name in _CONTAINERS:
        for inner in directive.given(1 if name == "ModifyTableOps" else 0, "ops") or ():
            yield from _invoke(inner)
    elif name == "ExecuteSQLOp":
        yield from _execute(Call(External("alembic.op.execute"), directive.args, directive.keywords))
    else:
        yield from _operation(_DIRECTIVES.get(name, ""), directive)


def _operation(name: str, call: Call) -> Iterator[dict[str, Any]]:
    batch = call.receiver if isinstance(call.receiver, Call) and call.receiver.name == "batch_alter_table" else None
    schema = call.keywords.get("schema")
    args = call.args
    if batch is not None:
        args, schema = [batch.given(0, "table_name"), *args], batch.keywords.get("schema", schema)
    whole = Call(call.function, args, call.keywords)
    if name in ("drop_table", "create_table", "rename_table") and batch is None:
        yield {"sql": _table_statement(name, whole, schema)}
        return
    if name not in ("drop_column", "add_column", "alter_column"):
        return
    given = whole.given(0, "table_name")
    table = quoted(given, schema) if isinstance(given, str) else table_of(given)
    if name == "add_column":
        column = whole.given(1, "column")
        known = isinstance(column, Call)
        label, type_ = (column.given(0, "name"), type_of(column.given(1, "type_"))) if known else (MARK, MARK)
        default = " DEFAULT 1" if _has_default(column) else ""
        yield {"sql": f"ALTER TABLE {table} ADD COLUMN {quoted(label)} {type_}{default}"}
        return
    column = whole.given(1, "column_name")
    label = quoted(column.given(0, "name") if isinstance(column, Call) else column)
    if name == "drop_column":
        yield {"sql": f"ALTER TABLE {table} DROP COLUMN {label}"}
    else:
        yield from _alter_column(whole, table, label)


def _table_statement(name: str, call: Call, schema: Any) -> str:
    given = call.given(0, "table_name", "old_table_name", "table")
    table = quoted(given, schema) if isinstance(given, str) else table_of(given)
    if name == "drop_table":
        return f"DROP TABLE {table}"
    if name == "rename_table":
        return f"ALTER TABLE {table} RENAME TO {quoted(call.given(1, 'new_table_name'))}"
    temporary = any("TEMP" in str(prefix).upper() for prefix in call.keywords.get("prefixes") or ())
    exists = "IF NOT EXISTS " if call.keywords.get("if_not_exists") else ""
    return f"CREATE {'TEMPORARY ' if temporary else ''}TABLE {exists}{table} ({', '.join(_columns(call.args[1:]))})"


def _columns(given: list[Any]) -> Iterator[str]:
    for one in given:
        if not isinstance(one, Call):
            yield f"{quoted(MARK)} {MARK}"
        elif one.name in ("Column", "column"):
            yield f"{quoted(one.given(0, 'name'))} {type_of(one.given(1, 'type_'))}"


def _has_default(column: Any) -> bool:
    """Whether a new column has a value in existing rows."""
    if not isinstance(column, Call) or column.keywords.get("server_default") is not None:
        return True
    return any(isinstance(arg, Call) and arg.name in _VALUE_PROVIDERS for arg in column.args)


def _alter_column(call: Call, table: str, column: str) -> Iterator[dict[str, Any]]:
    type_ = call.keywords.get("type_", call.keywords.get("modify_type"))
    if type_ is not None:
        using = call.keywords.get("postgresql_using")
        texts = [f" USING {text}" for text in sql_of(using) or [MARK]] if using is not None else [""]
        for text in texts:
            sql = f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {type_of(type_)}{text}"
            yield {"sql": sql, "before": type_of(call.keywords.get("existing_type"))}
    if call.keywords.get("nullable", call.keywords.get("modify_nullable")) is False:
        yield {"sql": f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL"}
    renamed = call.keywords.get("new_column_name", call.keywords.get("name"))
    if renamed is not None:
        yield {"sql": f"ALTER TABLE {table} RENAME COLUMN {column} TO {quoted(renamed)}"}


def _create_or_drop(call: Call) -> Iterator[dict[str, Any]]:
    """`Table.drop(bind)`, `Enum.drop(bind)`, and `create`, because a revision may drop what it created."""
    value = call.receiver
    verb = call.name.upper()
    for one in value.values if isinstance(value, OneOf) else [value]:
        if _is_table(one):
            yield {"sql": f"{verb} TABLE {table_of(one)}{' ()' if verb == 'CREATE' else ''}"}
        elif isinstance(one, Call) and one.name.upper() in ("ENUM", "DOMAIN"):
            yield {"sql": f"{verb} TYPE {type_name(one)}{' AS ENUM ()' if verb == 'CREATE' else ''}"}
        elif isinstance(one, Call) and one.name == "Sequence":
            yield {"sql": f"{verb} SEQUENCE {sequence_name(one)}"}
        elif isinstance(one, Call) and one.name == "Index":
            yield from _index(one, verb)
        elif isinstance(one, Call) and one.name == "View":
            continue
        elif verb == "DROP" and any(_is_connection(given) for given in (*call.args, *call.keywords.values(), *call.keywords)):
            yield {"unread": "what is dropped"}


def _index(index: Call, verb: str) -> Iterator[dict[str, Any]]:
    """`Index("ix_users_email", users.c.email).create(bind)`, if the file shows its table."""
    name, *columns = index.args or [None]
    if not isinstance(name, str) or (verb == "CREATE" and not (columns and isinstance(columns[0], SYMBOLS))):
        return
    concurrently = "CONCURRENTLY " if index.keywords.get("postgresql_concurrently") is True else ""
    if verb == "DROP":
        yield {"sql": f"DROP INDEX {concurrently}{quoted(name)}"}
        return
    unique = "UNIQUE " if index.keywords.get("unique") is True else ""
    keys = ", ".join(f"({expression(column)})" for column in columns)
    yield {"sql": f"CREATE {unique}INDEX {concurrently}{quoted(name)} ON {table_of(columns[0])} ({keys})"}


def _is_table(value: Any) -> bool:
    if isinstance(value, Attribute):
        return value.name == "__table__"
    if isinstance(value, External):
        return value.name.endswith(".__table__")
    if isinstance(value, Item):
        return getattr(value.of, "name", "") in ("tables", "sorted_tables") or (
            isinstance(value.of, External) and value.of.name.endswith((".tables", ".sorted_tables"))
        )
    return isinstance(value, Call) and value.name in ("Table", "create_table")


def _is_connection(value: Any) -> bool:
    if isinstance(value, str):
        return value in ("bind", "checkfirst")
    return isinstance(value, Call) and value.name in ("get_bind", "connect", "begin", "create_engine", "get_connection")


def _drop_all(call: Call) -> Iterator[dict[str, Any]]:
    """`metadata.drop_all(bind, tables=[...])`"""
    tables = call.keywords.get("tables")
    for table in tables if isinstance(tables, (list, tuple)) else [MARK]:
        yield {"sql": f"DROP TABLE {table_of(table)}"}


def _to_sql(call: Call) -> Iterator[dict[str, Any]]:
    """`frame.to_sql("users", bind, if_exists="replace")` of pandas"""
    if call.keywords.get("if_exists") == "replace":
        yield {"sql": f"DROP TABLE {quoted(call.given(0, 'name'), call.keywords.get('schema'))}"}


def _read_frame(call: Call) -> Iterator[dict[str, Any]]:
    """`pandas.read_sql_table("users", bind)`, `pandas.read_sql("SELECT id, name FROM users", bind)`"""
    given = call.given(0, "table_name", "sql")
    if call.name == "read_sql_table" or (isinstance(given, str) and given.isidentifier()):
        reads = [f"{quoted(given, call.keywords.get('schema'))}.*".replace('"', "")]
    else:
        reads = columns_read(Item(given))
    if reads:
        yield {"reads": reads}


def _update(call: Call) -> Iterator[dict[str, Any]]:
    if _is_query_method(call):
        yield {"sql": dml_of(call) or ""}


def _delete(call: Call) -> Iterator[dict[str, Any]]:
    row = call.given(0)
    if _is_query_method(call):
        yield {"sql": dml_of(call) or ""}
    elif isinstance(row, Item):
        yield from _delete_rows(row)
    elif isinstance(row, Call):
        yield from _delete_one(row)


def _is_query_method(call: Call) -> bool:
    """`session.query(User).delete()`, but not `redis.delete()` or a statement that is never executed."""
    value = call.receiver
    while isinstance(value, Call) and value.name != "query" and isinstance(value.function, Attribute):
        value = value.receiver
    if isinstance(value, Call):
        return value.name == "query"
    return isinstance(value, (Attribute, External)) and value.name.rpartition(".")[2] == "query"


def _delete_one(value: Call) -> Iterator[dict[str, Any]]:
    """`session.delete(session.get(User, 3))`"""
    if value.name == "get" and isinstance(value.given(0), Class):
        key = f"{quoted('id')} = {expression(value.given(1, 'ident'))}"
        yield {"sql": f"DELETE FROM {table_of(value.args[0])} WHERE {key}"}  # noqa: S608
    else:
        yield from _delete_rows(Item(value, narrowed=True))


def _delete_rows(item: Item) -> Iterator[dict[str, Any]]:
    """`for user in session.query(User): session.delete(user)`"""
    if source := rows_of_loop(item):
        yield {"sql": f"DELETE FROM {table_of(source.table)}{_where(source.are_all and not source.not_null)}"}  # noqa: S608


def update_rows(item: Item, column: str, value: Any) -> Iterator[dict[str, Any]]:
    """`for user in session.query(User): user.email = None`"""
    source, written = rows_of_loop(item), expression(value)
    if source and written != MARK:
        are_all = source.are_all and source.not_null in (None, column)
        yield {"sql": f"UPDATE {table_of(source.table)} SET {quoted(column)} = {written}{_where(are_all)}"}  # noqa: S608


def _where(are_all: bool) -> str:
    return "" if are_all else f" WHERE {MARK}"


def _insert(call: Call) -> Iterator[dict[str, Any]]:
    """`session.add(Address(user_id=user.id))`, `op.bulk_insert(addresses, [{"user_id": user.id} for user in users])`"""
    if call.name in ("bulk_insert", "bulk_insert_mappings"):
        rows = [(call.given(0, "table", "mapper"), call.given(1, "rows", "mappings"))]
    else:
        given = call.given(0, "instance", "instances")
        rows = [(one, [one.names]) for one in (given if isinstance(given, list) else [given]) if isinstance(one, Instance)]
    for table, values in rows:
        if sql := insert_of(table, [values]):
            yield {"sql": sql}


def _bulk_update(mappings: Any) -> Iterator[dict[str, Any]]:
    """`session.bulk_update_mappings(User, [{"id": user.id, "email": None} for user in session.query(User)])`"""
    for mapping in mappings if isinstance(mappings, list) else []:
        values = mapping if isinstance(mapping, dict) else {}
        rows = [found[0] for value in values.values() if (found := loop_row(value))]
        for column, value in values.items() if rows else ():
            yield from update_rows(rows[0], as_text(column), value)


def _entity(call: Call) -> Iterator[dict[str, Any]]:
    """alembic_utils: `op.drop_entity(PGView("public", "active", "SELECT 1"))`"""
    entity = call.given(0, "entity")
    kind = {"PGView": "VIEW", "PGMaterializedView": "MATERIALIZED VIEW"}.get(entity.name if isinstance(entity, Call) else "")
    if kind:
        name = quoted(entity.given(1, "signature"), entity.given(0, "schema"))
        cascade = " CASCADE" if call.keywords.get("cascade") else ""
        yield {"sql": f"DROP {kind} {name}{cascade}" if call.name == "drop_entity" else f"CREATE {kind} {name} AS SELECT 1"}


def _sync_enum(call: Call) -> Iterator[dict[str, Any]]:
    """alembic_postgresql_enum: `op.sync_enum_values("public", "mood", ["ok"], [TableReference("users", "mood")])`"""
    schema, name = call.given(0, "enum_schema"), as_text(call.given(1, "enum_name"))
    labels, columns = call.given(2, "new_values"), call.given(3, "affected_columns")
    renamed = call.given(4, "enum_values_to_rename")
    type_ = quoted(name, schema)
    if isinstance(columns, list) and all(isinstance(one, str) for one in columns) and columns:
        # alembic-autogenerate-enums: the labels before and after. It only adds some.
        added = [label for label in columns if not isinstance(labels, (list, tuple)) or label not in labels]
        yield from ({"sql": f"ALTER TYPE {type_} ADD VALUE IF NOT EXISTS {expression(label)}"} for label in added)
        return
    yield {"sql": f"ALTER TYPE {type_} RENAME TO {quoted(f'{name}_old')}"}
    yield {
        "sql": f"CREATE TYPE {type_} AS ENUM ({', '.join(map(expression, labels if isinstance(labels, (list, tuple)) else ()))})"
    }
    pairs = [
        pair for pair in (renamed if isinstance(renamed, (list, tuple)) else ()) if isinstance(pair, tuple) and len(pair) == 2
    ]
    whens = " ".join(f"WHEN {expression(old)} THEN {expression(new)}" for old, new in pairs)
    for one in columns if isinstance(columns, (list, tuple)) else ():
        reference = Call(None, list(one), {}) if isinstance(one, tuple) else one
        if not isinstance(reference, Call):
            continue
        table = quoted(reference.given(0, "table_name"), reference.keywords.get("table_schema", schema))
        column = quoted(reference.given(1, "column_name"))
        own = type_ + ("[]" if last_name(reference.given(2, "column_type")) == "ARRAY" else "")
        value = f"(CASE {column}::text {whens} ELSE {column}::text END)" if whens else f"{column}::text"
        yield {"sql": f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {own} USING {value}::{own}"}
    yield {"sql": f"DROP TYPE {quoted(f'{name}_old', schema)}"}


_EFFECTS: dict[str, Callable[[Call], Iterator[dict[str, Any]]]] = {
    **dict.fromkeys(_EXECUTES, _execute),
    **dict.fromkeys(("drop_entity", "create_entity"), _entity),
    "sync_enum_values": _sync_enum,
    **dict.fromkeys(("bulk_insert", "bulk_insert_mappings", "add", "add_all"), _insert),
    **dict.fromkeys(("drop", "create"), _create_or_drop),
    "invoke": lambda call: _invoke(call.given(0, "operation")),
    "bulk_update_mappings": lambda call: _bulk_update(call.given(1, "mappings")),
    "drop_database": lambda _: iter([{"sql": f"DROP DATABASE {MARK}"}]),
    "drop_all": _drop_all,
    "to_sql": _to_sql,
    **dict.fromkeys(("read_sql", "read_sql_query", "read_sql_table"), _read_frame),
    "update": _update,
    "delete": _delete,
}
