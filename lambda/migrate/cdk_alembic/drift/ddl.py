"""DDL that restores an object to its kept definition, if that definition is enough to write it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .members import belongs_to, with_indexes
from .names import Names, quoted

_COLUMN = re.compile(
    r"^(?P<type>.+?)(?: COLLATE (?P<collation>\S+))?(?P<required> NOT NULL)?"
    r"(?P<rest> GENERATED .*| DEFAULT (?P<default>.*))?$",
    re.DOTALL,
)


class _Drifted(NamedTuple):
    """An object and its definitions; None: there is no such object."""

    name: str
    """As in the key of its entry."""
    kept: str | None
    found: str | None
    entries: Mapping[str, str]
    """All that was kept."""
    names: Names

    @property
    def quoted(self) -> str:
        return _required(self.names.quoted(self.name))

    @property
    def member(self) -> tuple[str, str]:
        """The table, and the name of the member, such as a column."""
        return _required(self.names.member(self.name))


class _Unwritable(Exception):
    """The definitions are not enough to write DDL."""


def restoring_ddl(key: str, kept: str | None, found: str | None, entries: Mapping[str, str], names: Names) -> str | None:
    """One or more statements, or None. `kept`, `found`: the definitions; None: there is no such object. `entries`: all that was
    kept. Restored columns and tables are empty."""
    kind, name = _split(key)
    write = _WRITERS.get(kind)
    try:
        return write(_Drifted(name, kept, found, entries, names)) if write else None
    except _Unwritable:
        return None


def _split(key: str) -> tuple[str, str]:
    for kind in ("materialized view", "event trigger", "comment on", "grants on"):
        if key.startswith(f"{kind} "):
            return kind, key[len(kind) + 1 :]
    kind, _, name = key.partition(" ")
    return kind, name


def _index(drifted: _Drifted) -> str:
    drop = f"DROP INDEX CONCURRENTLY {drifted.quoted};" if drifted.found else None
    if drifted.kept and drifted.kept.endswith(" INVALID"):
        raise _Unwritable
    create = re.sub(r"^(CREATE (?:UNIQUE )?INDEX) ", r"\1 CONCURRENTLY ", drifted.kept) + ";" if drifted.kept else None
    return _joined(drop, create)


def _column(drifted: _Drifted) -> str:
    table, column = drifted.member
    alter = f"ALTER TABLE {table}"
    if drifted.kept is None:
        return f"{alter} DROP COLUMN {column};"
    if drifted.found is None:
        return f"{alter} ADD COLUMN {column} {_type_of(drifted.kept)};"
    old, new = _COLUMN.match(drifted.kept), _COLUMN.match(drifted.found)
    if not old or not new or " GENERATED " in drifted.kept + drifted.found:
        raise _Unwritable
    steps = []
    if (old["type"], old["collation"]) != (new["type"], new["collation"]):
        collation = f" COLLATE {quoted(old['collation'])}" if old["collation"] else ""
        steps.append(f"ALTER COLUMN {column} TYPE {old['type']}{collation}")
    if old["default"] != new["default"]:
        steps.append(f"ALTER COLUMN {column} " + (f"SET DEFAULT {old['default']}" if old["default"] else "DROP DEFAULT"))
    if old["required"] != new["required"]:
        steps.append(f"ALTER COLUMN {column} {'SET' if old['required'] else 'DROP'} NOT NULL")
    return f"{alter} {', '.join(steps)};"


def _type_of(definition: str) -> str:
    """A column's entry as DDL: it does not quote the collation."""
    match = _COLUMN.match(definition)
    collation = match and match["collation"]
    return definition.replace(f" COLLATE {collation}", f" COLLATE {quoted(collation)}", 1) if collation else definition


def _constraint(drifted: _Drifted) -> str:
    table, name = drifted.member
    if drifted.kept and drifted.found == f"{drifted.kept} NOT VALID":
        return f"ALTER TABLE {table} VALIDATE CONSTRAINT {name};"
    drop = f"ALTER TABLE {table} DROP CONSTRAINT {name};" if drifted.found else None
    create = f"ALTER TABLE {table} ADD CONSTRAINT {name} {drifted.kept};" if drifted.kept else None
    return _joined(drop, create)


def _table(drifted: _Drifted) -> str:
    table = drifted.quoted
    if drifted.kept is None:
        return f"DROP TABLE {table};"
    if drifted.found is not None:
        return _options(table, drifted.kept, drifted.found)
    if not drifted.kept.startswith("TABLE") or _STORAGE.sub("", _without_security(drifted.kept)) != "TABLE":
        # A partition, a partitioned or an inherited table.
        raise _Unwritable
    start = f"column {drifted.name}."
    parts = [f"{quoted(key[len(start) :])} {_type_of(text)}" for key, text in drifted.entries.items() if key.startswith(start)]
    start = f"constraint {drifted.name}."
    keys = [(key[len(start) :], text) for key, text in drifted.entries.items() if key.startswith(start)]
    parts.extend(f"CONSTRAINT {quoted(name)} {text}" for name, text in keys if not text.endswith("NOT VALID"))
    create = f"CREATE TABLE {table} ({', '.join(parts)});"
    options = _options(table, drifted.kept, "TABLE") if drifted.kept != "TABLE" else None
    before, after = _around(drifted)
    return _joined(*before, create, options, *after)


def _around(table: _Drifted) -> tuple[list[str], list[str]]:
    """Statements that restore what belonged to a dropped table: the sequences of its defaults before it, the rest after it."""
    before: list[str] = []
    after: list[str] = []
    names = with_indexes({table.name}, table.entries)
    for key, text in table.entries.items():
        kind, name = _split(key)
        if kind in ("table", "column") or not belongs_to(key, text, names):
            continue
        if kind == "constraint" and not text.endswith("NOT VALID"):
            continue
        drifted = table._replace(name=name, kept=text, found=None)
        if kind == "sequence":
            unowned, _, owner = _sequence(drifted).rpartition(" OWNED BY ")
            before.append(f"{unowned};")
            after.append(f"ALTER SEQUENCE {drifted.quoted} OWNED BY {owner}")
        elif statement := restoring_ddl(key, text, None, table.entries, table.names):
            after.append(statement)
    # An index before the comment on it.
    return before, sorted(after, key=lambda statement: statement.startswith("COMMENT "))


_ROW_SECURITY = "ENABLE ROW LEVEL SECURITY", "DISABLE ROW LEVEL SECURITY"
_FORCED = "FORCE ROW LEVEL SECURITY", "NO FORCE ROW LEVEL SECURITY"
_STORAGE = re.compile(r" WITH \(([^()]*)\)")


def _without_security(definition: str) -> str:
    return definition.replace(f" {_FORCED[0]}", "").replace(f" {_ROW_SECURITY[0]}", "")


def _options(table: str, kept: str, found: str) -> str:
    """ALTER TABLE for row security and storage parameters, at the end of a table's definition."""
    steps = []
    for on, off in (_ROW_SECURITY, _FORCED):
        is_on, was_on = (f" {on}" in text for text in (found, kept))
        if is_on != was_on:
            steps.append(on if was_on else off)
    kept, found = _without_security(kept), _without_security(found)
    old, new = (dict(_settings(text)) for text in (kept, found))
    if changed := [f"{name}={value}" for name, value in old.items() if new.get(name) != value]:
        steps.append(f"SET ({', '.join(changed)})")
    if added := [name for name in new if name not in old]:
        steps.append(f"RESET ({', '.join(added)})")
    if not steps or _STORAGE.sub("", kept) != _STORAGE.sub("", found):
        raise _Unwritable
    return f"ALTER TABLE {table} {', '.join(steps)};"


def _settings(definition: str) -> list[tuple[str, str]]:
    match = _STORAGE.search(definition)
    return [(name, value) for name, _, value in (setting.partition("=") for setting in match[1].split(", "))] if match else []


def _view(what: str) -> Callable[[_Drifted], str]:
    def write(drifted: _Drifted) -> str:
        if drifted.kept and drifted.kept.startswith("WITH ("):
            raise _Unwritable
        drop = f"DROP {what} {drifted.quoted};" if drifted.found else None
        return _joined(drop, f"CREATE {what} {drifted.quoted} AS {drifted.kept}" if drifted.kept else None)

    return write


def _routine(what: str) -> Callable[[_Drifted], str]:
    def write(drifted: _Drifted) -> str:
        if drifted.kept:
            return f"{drifted.kept.rstrip()};"
        name, parenthesis, arguments = drifted.name.partition("(")
        return f"DROP {what} {_required(drifted.names.quoted(name))}{parenthesis}{arguments};"

    return write


def _trigger(drifted: _Drifted) -> str:
    table, name = drifted.member
    if drifted.kept and drifted.found == f"{drifted.kept} DISABLED":
        return f"ALTER TABLE {table} ENABLE TRIGGER {name};"
    if drifted.kept and re.search(r" (?:DISABLED|ENABLED ALWAYS|ENABLED REPLICA)$", drifted.kept):
        raise _Unwritable
    return _joined(f"DROP TRIGGER {name} ON {table};" if drifted.found else None, f"{drifted.kept};" if drifted.kept else None)


def _rule(drifted: _Drifted) -> str:
    table, name = drifted.member
    return _joined(f"DROP RULE {name} ON {table};" if drifted.found else None, drifted.kept)


_POLICY = re.compile(
    r"^(?P<kind>RESTRICTIVE )?FOR (?P<command>[*rawd]) TO (?P<roles>.*?)(?P<rest> (?:USING|WITH CHECK) \(.*)?$", re.DOTALL
)
_POLICY_COMMANDS = {"*": "ALL", "r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE"}


def _policy(drifted: _Drifted) -> str:
    table, name = drifted.member
    drop = f"DROP POLICY {name} ON {table};" if drifted.found else None
    if drifted.kept is None:
        return _joined(drop)
    parts = _required(_POLICY.match(drifted.kept))
    kind = " AS RESTRICTIVE" if parts["kind"] else ""
    roles = ", ".join(_role(role) for role in parts["roles"].split(", "))
    command = _POLICY_COMMANDS[parts["command"]]
    return _joined(drop, f"CREATE POLICY {name} ON {table}{kind} FOR {command} TO {roles}{parts['rest'] or ''};")


_SEQUENCE = re.compile(r"^(?P<type>\w+) (?P<options>.*?)(?P<cycle> CYCLE)?(?: OWNED BY (?P<owner>.*))?$")


def _sequence(drifted: _Drifted) -> str:
    if drifted.kept is None:
        return f"DROP SEQUENCE {drifted.quoted};"
    # PostgreSQL quotes the table of the owner, and the entry's query does not quote its column.
    parts = _required(_SEQUENCE.match(drifted.kept))
    table, _, column = (parts["owner"] or "").rpartition(".")
    owner = f"{table}.{quoted(column)}" if table else "NONE"
    options = f"AS {parts['type']} {parts['options']} {'' if parts['cycle'] else 'NO '}CYCLE OWNED BY {owner}"
    return f"{'ALTER' if drifted.found else 'CREATE'} SEQUENCE {drifted.quoted} {options};"


def _type(drifted: _Drifted) -> str:
    if drifted.kept is None:
        return f"DROP TYPE {drifted.quoted};"
    # A label that was added can't be dropped.
    if drifted.found is not None or not drifted.kept.startswith("ENUM "):
        raise _Unwritable
    return f"CREATE TYPE {drifted.quoted} AS {drifted.kept};"


def _domain(drifted: _Drifted) -> str:
    if drifted.kept is None:
        return f"DROP DOMAIN {drifted.quoted};"
    if drifted.found is None:
        definition = re.sub(r"(?<= )(\S+ CHECK )", r"CONSTRAINT \1", drifted.kept)
        return f"CREATE DOMAIN {drifted.quoted} AS {definition};"
    for longer, shorter, step in ((drifted.found, drifted.kept, "DROP"), (drifted.kept, drifted.found, "SET")):
        if longer.replace(" NOT NULL", "", 1) == shorter:
            return f"ALTER DOMAIN {drifted.quoted} {step} NOT NULL;"
    raise _Unwritable


def _statistics(drifted: _Drifted) -> str:
    return _joined(f"DROP STATISTICS {drifted.quoted};" if drifted.found else None, f"{drifted.kept};" if drifted.kept else None)


def _publication(drifted: _Drifted) -> str:
    if drifted.kept is not None:
        # Its columns and conditions are not part of its definition.
        raise _Unwritable
    return f"DROP PUBLICATION {quoted(drifted.name)};"


_COMMENTED = {
    "table column": "COLUMN",
    "view column": "COLUMN",
    "table constraint": "CONSTRAINT",
    "domain constraint": "CONSTRAINT",
}
_COMMENTED_AS_NAMED = (
    *("table", "view", "materialized view", "foreign table", "index", "sequence", "type", "function", "procedure", "aggregate"),
    *("schema", "trigger", "policy"),
)


def _comment(drifted: _Drifted) -> str:
    # The key has the type and the identity of `pg_identify_object`, whose names are quoted.
    kinds = [kind for kind in (*_COMMENTED, *_COMMENTED_AS_NAMED) if drifted.name.startswith(f"{kind} ")]
    if not kinds:
        raise _Unwritable
    kind = max(kinds, key=len)
    text = "NULL" if drifted.kept is None else "'" + drifted.kept.replace("'", "''") + "'"
    return f"COMMENT ON {_COMMENTED.get(kind, kind.upper())} {drifted.name[len(kind) + 1 :]} IS {text};"


def _grants(drifted: _Drifted) -> str:
    """`table a.b`, `sequence a.b`, `schema a`. Grants on columns and on functions can't be written: the key lacks the function's
    arguments."""
    kind, _, name = drifted.name.partition(" ")
    if kind not in ("table", "sequence", "schema"):
        raise _Unwritable
    on = f"{kind.upper()} {quoted(name) if kind == 'schema' else _required(drifted.names.quoted(name))}"
    before, now = (dict(_granted(text)) for text in (drifted.kept, drifted.found))
    steps = []
    for role in sorted({*before, *now}):
        if before.get(role) == now.get(role):
            continue
        if role in now:
            steps.append(f"REVOKE ALL ON {on} FROM {_role(role)};")
        for option in ("", "*"):
            rights = [right for right in before.get(role, []) if right.endswith("*") == (option == "*")]
            if rights:
                listed = ", ".join(right.removesuffix("*") for right in rights)
                steps.append(f"GRANT {listed} ON {on} TO {_role(role)}{' WITH GRANT OPTION' if option else ''};")
    return _joined(*steps)


def _granted(text: str | None) -> list[tuple[str, list[str]]]:
    roles = (grant.rpartition(": ") for grant in (text or "").split("; ") if grant)
    return [(role, rights.split(", ")) for role, _, rights in roles]


def _role(name: str) -> str:
    return name if name == "PUBLIC" else quoted(name)


def _named(what: str) -> Callable[[_Drifted], str]:
    def write(drifted: _Drifted) -> str:
        if drifted.kept is not None and drifted.found is not None:
            raise _Unwritable
        if drifted.kept is None:
            return f"DROP {what} {quoted(drifted.name)};"
        schema = f" SCHEMA {quoted(drifted.kept.removeprefix('in '))}" if what == "EXTENSION" else ""
        return f"CREATE {what} {quoted(drifted.name)}{schema};"

    return write


def _joined(*statements: str | None) -> str:
    return "\n".join(statement for statement in statements if statement)


def _required(value: Any) -> Any:
    if value is None:
        raise _Unwritable
    return value


_WRITERS: Mapping[str, Callable[[_Drifted], str]] = {
    "index": _index,
    "column": _column,
    "constraint": _constraint,
    "table": _table,
    "view": _view("VIEW"),
    "materialized view": _view("MATERIALIZED VIEW"),
    "function": _routine("FUNCTION"),
    "procedure": _routine("PROCEDURE"),
    "trigger": _trigger,
    "rule": _rule,
    "policy": _policy,
    "sequence": _sequence,
    "type": _type,
    "domain": _domain,
    "statistics": _statistics,
    "publication": _publication,
    "comment on": _comment,
    "grants on": _grants,
    "schema": _named("SCHEMA"),
    "extension": _named("EXTENSION"),
}
