"""Renders SQLAlchemy's statements and expressions as SQL."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from ..values import MARK, SYMBOLS, UNKNOWN, Attribute, Call, External, Item, OneOf, Text, as_text
from .names import column_name, quoted, sequence_name, table_of, type_name, type_of
from .row_loops import column_of, column_of_all, columns_in, loop_row

_TEXTUAL = ("text", "DDL", "SQL", "TextClause", "literal_column", "Composed", "str", "LiteralString")
_SAME_STATEMENT = (
    "bindparams", "params", "columns", "execution_options", "execute_if", "options", "as_string", "compile",
    "with_dialect_options", "prefix_with", "alias", "cte", "returning", "against", "self_group", "correlate",
)  # fmt: skip
_RESULTS = ("get_bind", "scalar", "scalar_one", "scalars", "execute", "exec_driver_sql", "fetchone", "first", "one")
_DML = ("delete", "update", "insert", "select")
# Before a value that an UPDATE sets.
_ASSIGNED = r"(?is)\bSET\b(?:(?!\bWHERE\b).)*=\s*"
_NARROWING = ("where", "filter", "filter_by", "join", "outerjoin", "limit", "offset", "having", "whereclause", "select_from")
_LIBRARIES = ("sqlalchemy", "sqlmodel", "geoalchemy2", "alembic", "flask_sqlalchemy", "sqlalchemy_utils", "psycopg", "psycopg2")
# Modules whose functions return new values.
_NEW_VALUES = ("datetime.", "uuid.", "secrets.", "random.", "time.")


def sql_of(value: Any) -> list[str] | None:
    """The possible SQL texts of a statement, empty if it destroys nothing; None if unknown."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, bytes):
        return [value.decode(errors="replace")]
    if isinstance(value, OneOf):
        found = [sql_of(one) for one in value.values]
        return None if None in found else [text for texts in found for text in texts or ()]
    if isinstance(value, (tuple, list)) and value and all(isinstance(part, (str, Call)) for part in value):
        return [text for part in value for text in sql_of(part) or ()]
    if not isinstance(value, Call):
        return None
    if value.name == "DDL":
        return [_ddl_text(text, value.given(2, "context")) for text in sql_of(value.given(0, "statement")) or ()]
    if value.name in _TEXTUAL and (value.args or value.keywords):
        return sql_of(value.given(0, "text", "statement", "sqltext"))
    if value.name == "format":
        return _format_sql(value)
    if value.name == "join" and isinstance(value.given(0), (list, tuple)) and (separator := sql_of(value.receiver)):
        return [separator[0].join(_compose(part) for part in value.args[0])]
    if value.name == "bindparams":
        return None if (texts := sql_of(value.receiver)) is None else [with_values(text, _bound(value)) for text in texts]
    if value.name in _SAME_STATEMENT and not isinstance(value.receiver, External):
        return sql_of(value.receiver)
    if (dropped := _ddl_construct(value)) is not None:
        return dropped
    return _dml_or_other(value)


def _format_sql(value: Call) -> list[str] | None:
    """psycopg's `SQL("...{}").format(Identifier("x"))`."""
    texts = sql_of(value.receiver)
    if texts is None:
        return None

    parts, named = [_compose(part) for part in value.args], {key: _compose(part) for key, part in value.keywords.items()}
    try:
        return [text.format(*parts, **named) for text in texts]
    except (IndexError, KeyError, ValueError):
        return None


def _compose(part: Any) -> str:
    if isinstance(part, Call) and part.name == "Identifier":
        return ".".join(quoted(name) for name in part.args)
    return (sql_of(part) or [MARK])[0] if isinstance(part, Call) else as_text(part)


def _ddl_text(text: str, context: Any) -> str:
    """`DDL("DROP TABLE %(name)s", context={"name": "users"})`"""
    known = context if isinstance(context, dict) else {}
    return re.sub(r"%\((\w+)\)s", lambda found: as_text(known.get(found[1], MARK)), text).replace("%%", "%")


def with_values(text: str, values: Any) -> str:
    """Replaces a text's parameters whose values are known."""
    if not isinstance(values, dict):
        return text
    for name, value in values.items():
        if not isinstance(name, str):
            continue
        parameter = rf"(?<![:\w]):{re.escape(name)}\b|%\({re.escape(name)}\)s"
        written = _column_of_all(value) or (_list_of(value) if isinstance(value, (list, tuple)) else expression(value))
        if written.startswith("ARRAY["):
            text = re.sub(rf"(?i)(\bIN\s*)\(?\s*(?:{parameter})\s*\)?", lambda found, to=written: f"{found[1]}({to[6:-1]})", text)
        if MARK in written and not (isinstance(value, Call) and re.search(rf"{_ASSIGNED}(?:{parameter})", text)):
            written = derived_call(value)
        if written != MARK:
            in_brackets = written if written.startswith("(") else f"({written})"
            text = re.sub(rf"(?i)(\bIN\s+)(?:{parameter})", lambda found, to=in_brackets: f"{found[1]}{to}", text)
            text = re.sub(parameter, lambda _, to=written: to, text)
    return text


def _bound(call: Call) -> dict[Any, Any]:
    """The values in `bindparams(bindparam("name", "Ann"), active=True)`."""
    given = [one for one in call.args if isinstance(one, Call) and one.name == "bindparam"]
    named = {one.given(0, "key"): one.given(1, "value") for one in given}
    return {**{name: value for name, value in named.items() if value is not None}, **call.keywords}


def _list_of(values: Any) -> str:
    """A list of constants as an array; MARK for any other list."""
    written = [expression(value) for value in values if isinstance(value, (str, int, bool))]
    return f"ARRAY[{', '.join(written)}]" if written and len(written) == len(values) and MARK not in "".join(written) else MARK


def _column_of_all(value: Any) -> str | None:
    if isinstance(value, list) and len(value) == 1 and (inner := _column_of_all(value[0])):
        return f"({inner})"
    found = column_of_all(value)
    return f"{table_of(found[0])}.{quoted(found[1])}" if found else None


def _ddl_construct(value: Call) -> list[str] | None:
    first = value.given(0, "element", "name", "table_name")
    if value.name == "DropTable":
        return [f"DROP TABLE {table_of(first)}"]
    if value.name == "DropSchema":
        return [f"DROP SCHEMA {quoted(first)}{' CASCADE' if value.keywords.get('cascade') else ''}"]
    if value.name == "DropColumn":
        return [f"ALTER TABLE {table_of(first)} DROP COLUMN {quoted(value.given(1, 'column'))}"]
    if value.name in ("DropType", "DropEnumType", "DropDomainType"):
        return [f"DROP TYPE {type_name(first)}"]
    if value.name in ("DropSequence", "CreateSequence"):
        return [f"{value.name.removesuffix('Sequence').upper()} SEQUENCE {sequence_name(first)}"]
    if value.name == "CreateTable":
        return [f"CREATE TABLE {table_of(first)} ()"]
    return None


def _dml_or_other(value: Call) -> list[str] | None:
    found = dml_of(value)
    if found is not None:
        return [found] if found else [sql for sql in map(dml_of, _expressions(value)) if sql]
    # SQLAlchemy's other constructs destroy nothing: CreateTable, DropIndex, func.setval().
    root: Any = value
    while isinstance(root, (Call, Attribute, Item)):
        if isinstance(root, Call) and root.name in _RESULTS:
            return None  # SQL that is stored in the database
        root = root.function if isinstance(root, Call) else root.of
    return [] if isinstance(root, External) and root.name.split(".")[0] in _LIBRARIES else None


def _expressions(value: Any, depth: int = 0) -> Iterator[Any]:
    """The CTEs of a statement: `users.delete().returning(...).cte()`."""
    if isinstance(value, Call) and value.name == "cte":
        yield value.receiver
    if depth < 12:
        parts = (
            [*value.args, value.function]
            if isinstance(value, Call)
            else [value.of]
            if isinstance(value, (Attribute, Item))
            else []
        )
        for part in parts:
            for inner in part if isinstance(part, (list, tuple)) else [part]:
                yield from _expressions(inner, depth + 1)


def dml_of(value: Any) -> str | None:
    """A `delete` or `update` as SQL, an empty text for `insert` and `select`, None for anything else."""
    methods: list[Call] = []
    while isinstance(value, Call):
        receiver = value.receiver
        if value.name in _DML:
            of_library = isinstance(receiver, External) and receiver.name.split(".")[0] in _LIBRARIES
            table = value.given(0, "table", "entity") if receiver is None or of_library else receiver
            return _render_dml(value, table, methods)
        methods.append(value)
        if not isinstance(value.function, (Attribute, External)):
            return None
        value = receiver
    return None


def _render_dml(base: Call, table: Any, methods: list[Call]) -> str:
    if base.name in ("insert", "select"):
        return ""
    while isinstance(table, Call) and isinstance(table.function, Attribute) and table.name not in ("query", "Table", "table"):
        methods.append(table)  # query(User).filter(...).delete()
        table = table.receiver
    parts = [part for method in methods if method.name in _NARROWING for part in _conditions(method)]
    # delete(users, condition) and users.delete(condition) of SQLAlchemy 1; query.delete(False) has another argument.
    given = base.given(1 if base.receiver is None or isinstance(base.receiver, External) else 0, "whereclause")
    if isinstance(given, Call) or (isinstance(given, str) and base.receiver is None):
        parts.append(condition(given))
    where = f" WHERE {' AND '.join(parts)}" if parts else ""
    if base.name == "delete":
        return f"DELETE FROM {table_of(table)}{where}"  # noqa: S608
    sets = {**_assignments(base)}
    for method in methods:
        if method.name in ("values", "ordered_values"):
            sets.update(_assignments(method))
    if not sets:
        return ""
    written = ", ".join(f"{name} = {to}" for name, to in sets.items())
    return f"UPDATE {table_of(table)} SET {written}{where}"  # noqa: S608


def _conditions(method: Call) -> list[str]:
    if method.name == "filter_by" and not method.args:
        equal = [
            (quoted(name), "IS NULL" if value is None else f"= {expression(value)}") for name, value in method.keywords.items()
        ]
        return [f"{name} {test}" for name, test in equal]
    if method.name not in ("where", "filter"):
        return [MARK] if method.args or method.keywords else []
    return [condition(part) for part in method.args]


def condition(value: Any) -> str:
    """A condition as SQL. If unknown, MARK, which counts as a restriction."""
    if isinstance(value, str):
        return f"({value})"
    return MARK if isinstance(value, (External, Attribute, Item)) else expression(value)


def expression(value: Any) -> str:
    """An expression of SQLAlchemy as SQL, with MARK for each unknown part."""
    if isinstance(value, Call):
        return _call_expression(value)
    if isinstance(value, Item) and isinstance(value.key, slice):
        return f"left({expression(value.of)}, 1)"  # user.bio[:100]
    if isinstance(value, (External, Attribute)) and value.name.rpartition(".")[2] == "NULL":
        return "'null'"  # JSONB.NULL
    if isinstance(value, SYMBOLS):
        return _column_of_all(value) or _qualified_column(value) or MARK
    if value is None or isinstance(value, bool):
        return "NULL" if value is None else str(value).lower()
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, str):
        return MARK if MARK in value else "'" + value.replace("'", "''") + "'"
    if isinstance(value, (dict, list)) and not any(columns_in(value)):
        return "'a value'" if value else "''"  # The content of a list or a document does not matter.
    return derived_call(value)


def _call_expression(value: Call) -> str:
    return _function_call(value) or _EXPRESSIONS.get(value.name, computed_call)(value)


def _function_call(value: Call) -> str | None:
    """A call of an operator, or of a function with a module, as SQL; None for any other call."""
    if isinstance(value.function, Call) and value.function.name in ("op", "bool_op") and value.args:
        sign = as_text(value.function.given(0))  # users.c.settings.op("-")("theme")
        return f"({expression(value.function.receiver)} {sign} {expression(value.args[0])})"
    name = value.function.name if isinstance(value.function, External) else ""
    if name.startswith("operator.") and len(value.args) == 2:
        return _comparison(value.args[0], name.removeprefix("operator."), value.args[1])
    if name.startswith(_NEW_VALUES):
        return "'a value'"
    return f"{value.name}({', '.join(map(expression, value.args))})" if ".func." in f".{name}" else None


def _value(given: Any) -> str:
    return expression(UNKNOWN if given is None else given)


def _junction(value: Call) -> str:
    """`and_(...)`, `or_(...)`"""
    sign = f" {value.name[:-1].upper()} "
    return f"({sign.join(map(condition, value.args))})" if value.args else computed_call(value)


def _cast(value: Call) -> str:
    """`cast(users.c.age, Integer)`, `users.c.age.cast(Integer)`"""
    given = [value.receiver, *value.args] if isinstance(value.function, Attribute) else value.args
    return f"CAST({expression(given[0])} AS {type_of(given[1])})" if len(given) > 1 else computed_call(value)


def _comparison_method(value: Call) -> str:
    sign = _COMPARING[value.name]
    return _comparison(value.receiver, sign, value.args[0]) if len(value.args) == 1 else computed_call(value)


def _in_list(value: Call) -> str:
    return _membership(value.receiver, _LISTS[value.name], value.args[0]) if value.args else computed_call(value)


def derived_call(value: Any) -> str:
    """A value that may copy columns of a loop's row, as a call with these columns; MARK for any other value."""
    return computed_call(value).replace(f"{MARK}(", f"{MARK}_of(")


def computed_call(value: Any) -> str:
    """A value that Python computes from a loop's row, as a call of an unknown function with the columns that it reads."""
    found = [(table_of(of), quoted(name)) for part in columns_in(value) for of, name in [column_of(part) or (None, None)] if name]
    columns = dict.fromkeys(f"{table}.{name}" for table, name in found)
    return f"{MARK}({', '.join(columns)})" if columns else MARK


_LISTS = {"in_": "IN", "not_in": "NOT IN", "notin_": "NOT IN"}
_COMPARING = {
    "is_": "=", "__eq__": "=", "isnot": "<>", "is_not": "<>", "__ne__": "<>", "is_distinct_from": "<>", "concat": "||",
}  # fmt: skip


_OF_EXISTS = ("where", "select_from", "correlate", "correlate_except")


def _membership(left: Any, sign: str, right: Any) -> str:
    column = expression(left) if isinstance(left, Call) else _qualified_column(left)
    if column is None or column == MARK:
        return MARK
    if sign == "IN" and (all_ := _column_of_all(_element_of(right))):
        return f"{column} = {all_}"
    if isinstance(right, Call):
        return f"{column} {sign} ({_subquery(right)})"
    values = [expression(one) for one in right] if isinstance(right, (list, tuple)) else []
    return f"{column} {sign} ({', '.join(values)})" if values and MARK not in values else MARK


def _exists(value: Call) -> str:
    """`exists().where(...)`, `select(...).exists()`"""
    inner: Any = value
    while isinstance(inner, Call) and inner.name in _OF_EXISTS:
        inner = inner.receiver
    found = isinstance(inner, Call) and inner.name == "exists"
    return f"EXISTS (SELECT FROM {quoted(MARK)})" if found else computed_call(value)


def _case(value: Call) -> str:
    """`case((test, value), else_=other)`, also with a list, or a dictionary and `value=`"""
    whens = value.args[0] if len(value.args) == 1 and isinstance(value.args[0], (list, dict)) else value.args
    pairs = list(whens.items()) if isinstance(whens, dict) else whens
    if not pairs or not all(isinstance(pair, tuple) and len(pair) == 2 for pair in pairs):
        return MARK
    of = f" {expression(value.keywords['value'])}" if "value" in value.keywords else ""
    written = " ".join(f"WHEN {expression(test)} THEN {expression(to)}" for test, to in pairs)
    other = f" ELSE {expression(value.keywords['else_'])}" if "else_" in value.keywords else ""
    return f"CASE{of} {written}{other} END"


def _element_of(rows: Any) -> Any:
    """An element of a query's rows, or of a list of them."""
    return rows[0] if isinstance(rows, list) and len(rows) == 1 else Item(rows)


def _comparison(left: Any, sign: str, right: Any) -> str:
    if right is None and sign in ("=", "<>"):
        return f"{expression(left)} IS {'NOT ' if sign == '<>' else ''}NULL"
    return f"({expression(left)} {sign} {expression(right)})"


def _qualified_column(column: Any) -> str | None:
    """A column with its table; None if it is not a column, or a column of an alias."""
    if not isinstance(column, (Attribute, Item)) or loop_row(column):
        return None
    of = column.of.of if isinstance(column.of, Attribute) else column.of
    if isinstance(of, Call) and of.name in ("alias", "aliased", "subquery", "cte", "lateral"):
        return None
    table = table_of(column)
    return None if MARK in table else f"{table}.{quoted(column_name(column))}"


def _subquery(statement: Call) -> str:
    if statement.name in ("subquery", "scalar_subquery", "select_from", "limit", "order_by", "with_for_update", "distinct"):
        return _subquery(statement.receiver) if isinstance(statement.receiver, Call) else MARK
    given = statement.args[0] if statement.args and isinstance(statement.args[0], list) else statement.args
    column = _qualified_column(given[0]) if statement.name in ("select", "query") and len(given) == 1 else None
    return f"SELECT {column} FROM {table_of(given[0])}" if column else f"SELECT {MARK}"  # noqa: S608


def _assignments(method: Call) -> dict[str, str]:
    sets = {
        quoted(name): expression(value)
        for name, value in method.keywords.items()
        if name not in ("values", "synchronize_session", "whereclause")
    }
    given = [*method.args, method.keywords.get("values")]
    for values in given:
        if isinstance(values, tuple) and len(values) == 2:  # ordered_values((users.c.email, None))
            sets[quoted(column_name(values[0]))] = expression(values[1])
        if isinstance(values, dict):
            sets.update({quoted(column_name(name)): expression(value) for name, value in values.items()})
    return sets


def first_line(value: Any) -> int | None:
    """The line of the revision's file where a statement's text begins, if its lines are lines of the file."""
    if isinstance(value, Text):
        return value.line
    if isinstance(value, Call) and value.name in (*_TEXTUAL, *_SAME_STATEMENT):
        inner = value.given(0, "text", "statement", "sqltext") if value.name in _TEXTUAL else value.receiver
        return first_line(inner)
    return None


_EXPRESSIONS: dict[str, Callable[[Call], str]] = {
    **dict.fromkeys(("null", "true", "false", "True_"), lambda value: value.name.rstrip("_").upper()),
    **dict.fromkeys(_TEXTUAL, lambda value: f"({(sql_of(value) or [MARK])[0]})"),
    **dict.fromkeys(("literal", "inline_literal", "type_coerce"), lambda value: _value(value.given(0))),
    "bindparam": lambda value: _value(value.given(1, "value")),
    **dict.fromkeys(("label", "self_group"), lambda value: expression(value.receiver)),
    **dict.fromkeys(("and_", "or_"), _junction),
    "not_": lambda value: f"(NOT {condition(value.args[0])})" if value.args else computed_call(value),
    "cast": _cast,
    "case": _case,
    **dict.fromkeys(("column", "Column"), lambda value: quoted(column_name(value))),
    **dict.fromkeys(_COMPARING, _comparison_method),
    **dict.fromkeys(_LISTS, _in_list),
    **dict.fromkeys(("exists", *_OF_EXISTS), _exists),
}
