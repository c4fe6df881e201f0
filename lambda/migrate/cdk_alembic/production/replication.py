"""Logical replication out of the database: which pending revisions change replicated tables.

PostgreSQL replicates rows, but no DDL: a subscriber that lacks a new column stops, and an RDS Blue/Green deployment, which uses
logical replication, can't switch over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ..connection.statements import brief_connection
from ..database.blockers import without_values
from ..project.environment import current
from ..project.project import Project
from ..project.render import render
from ..protocol.errors import RunnerError
from ..protocol.log import log
from ..protocol.request import Invocation

# Every role may read these views.
SOURCES = """
SELECT json_build_object(
  'slots', (SELECT json_agg(json_build_object('name', slot_name, 'plugin', plugin, 'active', active) ORDER BY slot_name)
    FROM pg_replication_slots WHERE slot_type = 'logical' AND database = current_database()),
  'publications', (SELECT json_agg(json_build_object('name', pubname, 'allTables', puballtables,
      'schemas', ARRAY(SELECT nspname FROM pg_publication_namespace JOIN pg_namespace ON pg_namespace.oid = pnnspid
        WHERE pnpubid = pg_publication.oid ORDER BY 1),
      'tables', (SELECT coalesce(json_agg(json_build_array(schemaname, tablename)), '[]') FROM pg_publication_tables
        WHERE pg_publication_tables.pubname = pg_publication.pubname)) ORDER BY pubname)
    FROM pg_publication))::text
"""
# Slots of this plugin replicate publications; those of any other plugin, such as wal2json, replicate all tables.
_PGOUTPUT = "pgoutput"

_NAME = r'(?:"(?:[^"]|"")+"|[\w$]+)(?:\.(?:"(?:[^"]|"")+"|[\w$]+))?'
_CHANGE = re.compile(
    rf"""\bCREATE\s+(?:UNLOGGED\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(?P<created>{_NAME})
    |(?:^|;)\s*SELECT\b[^;]*?\bINTO\s+(?:UNLOGGED\s+)?(?:TABLE\s+)?(?P<selected>{_NAME})
    |\bALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?(?P<altered>{_NAME})(?!\s+VALIDATE\b)
    |\bDROP\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?P<dropped>{_NAME}(?:\s*,\s*{_NAME})*)""",
    re.IGNORECASE | re.VERBOSE,
)
# Statements that may change tables without naming them: code, and statements about a schema, a type or an extension.
_UNREAD = re.compile(
    r"""(?:^|;)\s*(?:DO|CALL|EXECUTE|DROP\s+OWNED|IMPORT\s+FOREIGN\s+SCHEMA)\b
    |(?:^|;)\s*ALTER\s+(?:SCHEMA|TYPE|DOMAIN|EXTENSION)\b
    |(?:^|;)\s*DROP\s+(?:SCHEMA|TYPE|DOMAIN|EXTENSION)\b[^;]*\bCASCADE\b""",
    re.IGNORECASE | re.VERBOSE,
)
_VERBS = {"created": "creates", "selected": "creates", "altered": "alters", "dropped": "drops"}


def read_replicated(connection: Any) -> dict[str, Any] | None:
    """The database's logical slots and publications; None if it has no slot, so nothing is replicated."""
    return parse_replicated(connection.exec_driver_sql(SOURCES).scalar())


def parse_replicated(answer: str) -> dict[str, Any] | None:
    """Parses the answer to `SOURCES`."""
    found = json.loads(answer)
    if not found["slots"]:
        return None
    return {"slots": found["slots"], "publications": found["publications"] or []}


Change = tuple[str, str, tuple[str, ...]]
"""A revision, its verb (creates, alters, drops), and the table: its name, or schema and name."""


class Changes(NamedTuple):
    """The tables that the steps of an upgrade change."""

    tables: list[Change]
    unread: list[str]
    """Revisions that could not be read."""


def changes_in(rendered: Iterable[dict[str, Any]], version_table: str, schema: str | None = None) -> Changes:
    """The tables that rendered revisions change. `schema`: a tenant's; names in it omit the schema, so that they are the same for
    every tenant."""
    found = Changes([], [])
    for item in rendered:
        sql = None if item["sql"] is None else without_values(item["sql"])
        if sql is None or _UNREAD.search(sql):
            found.unread.append(item["revision"])
        found.tables.extend(_changes(item["revision"], sql or "", version_table, schema))
    return found


def judge(changes: Changes, replicated: dict[str, Any], schema: str | None = None) -> dict[str, Any]:
    """The contract's Replication: `replicated`, and which parts an upgrade changes. `schema`: a tenant's, which has the tables
    without a schema."""
    breaks = [
        {"revision": revision, "what": what, "table": ".".join(table)}
        for revision, what, table in changes.tables
        if _is_replicated(table, replicated, what == _VERBS["created"], schema)
    ]
    publications = [
        {"name": publication["name"], "allTables": publication["allTables"], "tables": len(publication["tables"])}
        for publication in replicated["publications"]
    ]
    return {"slots": replicated["slots"], "publications": publications, "breaks": breaks, "unread": changes.unread}


def warnings(replication: dict[str, Any]) -> list[str]:
    """The warnings of a plan, one sentence each."""
    slots = ", ".join(f"{slot['name']} ({'active' if slot['active'] else 'inactive'})" for slot in replication["slots"])
    texts = [f"logical replication follows this database: {slots}"]
    if replication["breaks"]:
        texts.append(f"{_describe(replication['breaks'])}, which a subscriber follows: {_FIRST}")
    if replication["unread"]:
        texts.append(f"which tables {', '.join(replication['unread'])} changes could not be determined")
    return texts


_FIRST = "change it on the subscriber first, or wait until a Blue/Green deployment has switched over"


def refuse(project: Project, invocation: Invocation) -> None:
    """Before an upgrade, raises RunnerError `breaks_replication` if its revisions change replicated tables or could not be
    read."""

    def read(heads: tuple[str, ...], context: Any) -> dict[str, Any] | None:
        with brief_connection(context) as connection:
            return read_replicated(connection)

    heads, replicated = current(project, read)
    if replicated is None or project.revisions.unknown(heads):
        return
    steps = project.revisions.route(invocation.request.revision or "head", heads, downgrade=False).steps
    refuse_breaks(judge(changes_in(render(project, steps), project.version_table), replicated), invocation)


def refuse_breaks(replication: dict[str, Any], invocation: Invocation) -> None:
    """Raises RunnerError `breaks_replication` if the contract's Replication of an upgrade has breaks."""
    log("INFO", "replication", stage=invocation.settings.stage, **replication)
    if not replication["breaks"] and not replication["unread"]:
        return
    what = [_describe(replication["breaks"])] if replication["breaks"] else []
    if replication["unread"]:
        what.append(f"which tables {', '.join(replication['unread'])} changes could not be determined")
    slots = ", ".join(slot["name"] for slot in replication["slots"])
    raise RunnerError(
        "breaks_replication",
        f"pending revisions change tables that logical replication ({slots}) follows: {'; '.join(what)}",
        f"{_FIRST}; then deploy with onReplication: OnReplication.WARN; nothing was applied",
        revision=(replication["breaks"][0]["revision"] if replication["breaks"] else replication["unread"][0]),
    )


def _describe(breaks: list[dict[str, str]]) -> str:
    return ", ".join(dict.fromkeys(f"{change['revision']} {change['what']} {change['table']}" for change in breaks))


def _changes(revision: str, sql: str, version_table: str, schema: str | None = None) -> Iterator[Change]:
    for found in _CHANGE.finditer(sql):
        kind = found.lastgroup or ""
        for name in re.findall(_NAME, found[kind]):
            table = tuple(_folded(part) for part in re.findall(r'"(?:[^"]|"")+"|[\w$]+', name))
            if table[-1] != version_table:
                yield revision, _VERBS[kind], table[-1:] if table[0] == schema else table


def _folded(part: str) -> str:
    """A name as stored in the catalog."""
    return part[1:-1].replace('""', '"') if part.startswith('"') else part.lower()


def _is_replicated(table: tuple[str, ...], replicated: dict[str, Any], is_new: bool, schema: str | None) -> bool:
    # A tenant's search_path may end with `public`.
    schemas = table[:-1] or ((schema, "public") if schema else ())
    if any(slot["plugin"] != _PGOUTPUT for slot in replicated["slots"]):
        return True
    for publication in replicated["publications"]:
        if publication["allTables"]:
            return True
        if is_new:
            # A name without a schema may be created in any of them.
            if publication["schemas"] and (not schemas or any(name in publication["schemas"] for name in schemas)):
                return True
        elif any(name == table[-1] and (not schemas or owner in schemas) for owner, name in publication["tables"]):
            return True
    return False
