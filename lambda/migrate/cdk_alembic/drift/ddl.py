"""DDL that brings an object back to its kept definition, where it can be written from that definition alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_PLAIN = re.compile(r"^[a-z_][a-z0-9_$]*(?:\.[a-z_][a-z0-9_$]*)?$")
_COLUMN = re.compile(
    r"^(?P<type>.+?)(?: COLLATE (?P<collation>\S+))?(?P<required> NOT NULL)?"
    r"(?P<rest> GENERATED .*| DEFAULT (?P<default>.*))?$",
    re.DOTALL,
)


def restoring(key: str, kept: str | None, found: str | None, entries: Mapping[str, str]) -> str | None:
    """One or more statements, or None. `kept`, `found`: the definitions; None: there is no such object. `entries`: all that was
    kept. A statement that brings back a column or a table brings back none of its rows."""
    kind, name = _split(key)
    write = _WRITERS.get(kind)
    # A name that must be quoted can't be told from a schema and a name.
    if write is None or not _PLAIN.match(_object(kind, name)):
        return None
    return write(name, kept, found, entries)


def _split(key: str) -> tuple[str, str]:
    for kind in ("materialized view", "event trigger"):
        if key.startswith(f"{kind} "):
            return kind, key[len(kind) + 1 :]
    kind, _, name = key.partition(" ")
    return kind, name


def _object(kind: str, name: str) -> str:
    if kind in ("column", "constraint", "trigger", "policy"):
        table, _, own = name.rpartition(".")
        return table if _PLAIN.match(own) else ""
    return name.partition("(")[0]


def _index(name: str, kept: str | None, found: str | None, entries: Mapping[str, str]) -> str | None:
    drop = f"DROP INDEX CONCURRENTLY {name};" if found else None
    create = None
    if kept and not kept.endswith(" INVALID"):
        create = re.sub(r"^(CREATE (?:UNIQUE )?INDEX) ", r"\1 CONCURRENTLY ", kept) + ";"
    return _joined(drop, create) if create or not kept else None


def _column(name: str, kept: str | None, found: str | None, entries: Mapping[str, str]) -> str | None:
    table, _, column = name.rpartition(".")
    alter = f"ALTER TABLE {table}"
    if kept is None:
        return f"{alter} DROP COLUMN {column};"
    if found is None:
        return f"{alter} ADD COLUMN {column} {kept};"
    old, new = _COLUMN.match(kept), _COLUMN.match(found)
    if not old or not new or " GENERATED " in kept + found:
        return None
    steps = []
    if (old["type"], old["collation"]) != (new["type"], new["collation"]):
        collation = f" COLLATE {old['collation']}" if old["collation"] else ""
        steps.append(f"ALTER COLUMN {column} TYPE {old['type']}{collation}")
    if old["default"] != new["default"]:
        steps.append(f"ALTER COLUMN {column} " + (f"SET DEFAULT {old['default']}" if old["default"] else "DROP DEFAULT"))
    if old["required"] != new["required"]:
        steps.append(f"ALTER COLUMN {column} {'SET' if old['required'] else 'DROP'} NOT NULL")
    return f"{alter} {', '.join(steps)};" if steps else None


def _constraint(name: str, kept: str | None, found: str | None, entries: Mapping[str, str]) -> str:
    table, _, own = name.rpartition(".")
    if kept and found == f"{kept} NOT VALID":
        return f"ALTER TABLE {table} VALIDATE CONSTRAINT {own};"
    drop = f"ALTER TABLE {table} DROP CONSTRAINT {own};" if found else None
    create = f"ALTER TABLE {table} ADD CONSTRAINT {own} {kept};" if kept else None
    return _joined(drop, create)


def _table(name: str, kept: str | None, found: str | None, entries: Mapping[str, str]) -> str | None:
    if kept is None:
        return f"DROP TABLE {name};"
    if found is not None:
        return None
    if kept != "TABLE":
        # A partition, a partitioned or an inherited table, options.
        return None
    start = f"column {name}."
    columns = {key[len(start) :]: text for key, text in entries.items() if key.startswith(start)}
    if not all(_PLAIN.match(column) for column in columns):
        return None
    parts = [f"{column} {text}" for column, text in columns.items()]
    start = f"constraint {name}."
    keys = [(key[len(start) :], text) for key, text in entries.items() if key.startswith(start)]
    parts.extend(f"CONSTRAINT {constraint} {text}" for constraint, text in keys if not text.endswith("NOT VALID"))
    indexes = [
        f"{text};"
        for key, text in entries.items()
        if key.startswith("index ") and re.search(rf" ON {re.escape(name)} USING ", text)
    ]
    return "\n".join([f"CREATE TABLE {name} ({', '.join(parts)});", *indexes])


def _view(name: str, kept: str | None, found: str | None, entries: Mapping[str, str]) -> str | None:
    if kept is None:
        return f"DROP VIEW {name};"
    return (
        None if kept.startswith("WITH (") else _joined(f"DROP VIEW {name};" if found else None, f"CREATE VIEW {name} AS {kept}")
    )


def _materialized(name: str, kept: str | None, found: str | None, entries: Mapping[str, str]) -> str | None:
    drop = f"DROP MATERIALIZED VIEW {name};" if found else None
    if kept is None:
        return drop
    return None if kept.startswith("WITH (") else _joined(drop, f"CREATE MATERIALIZED VIEW {name} AS {kept}")


def _routine(kind: str) -> Callable[..., str | None]:
    def write(name: str, kept: str | None, found: str | None, entries: Mapping[str, str]) -> str | None:
        return f"{kept.rstrip()};" if kept else f"DROP {kind} {name};"

    return write


def _trigger(name: str, kept: str | None, found: str | None, entries: Mapping[str, str]) -> str | None:
    table, _, own = name.rpartition(".")
    if kept and found and found == f"{kept} DISABLED":
        return f"ALTER TABLE {table} ENABLE TRIGGER {own};"
    if kept and re.search(r" (?:DISABLED|ENABLED ALWAYS|ENABLED REPLICA)$", kept):
        return None
    return _joined(f"DROP TRIGGER {own} ON {table};" if found else None, f"{kept};" if kept else None)


def _type(name: str, kept: str | None, found: str | None, entries: Mapping[str, str]) -> str | None:
    if kept is None:
        return f"DROP TYPE {name};"
    # A label that was added can't be dropped.
    return f"CREATE TYPE {name} AS {kept};" if found is None and kept.startswith("ENUM ") else None


def _named(what: str) -> Callable[..., str | None]:
    def write(name: str, kept: str | None, found: str | None, entries: Mapping[str, str]) -> str | None:
        if kept is not None and found is not None:
            return None
        if kept is None:
            return f"DROP {what} {name};"
        return f"CREATE {what} {name}{' SCHEMA ' + kept.removeprefix('in ') if what == 'EXTENSION' else ''};"

    return write


def _joined(*statements: str | None) -> str:
    return "\n".join(statement for statement in statements if statement)


_WRITERS: Mapping[str, Callable[..., str | None]] = {
    "index": _index,
    "column": _column,
    "constraint": _constraint,
    "table": _table,
    "view": _view,
    "materialized view": _materialized,
    "function": _routine("FUNCTION"),
    "procedure": _routine("PROCEDURE"),
    "trigger": _trigger,
    "type": _type,
    "schema": _named("SCHEMA"),
    "extension": _named("EXTENSION"),
}
