"""Who blocks a run: queries of PostgreSQL's views, the contract's Blocker, and a text for messages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ..connection.quoting import literal
from ..protocol.log import redact
from .failures import shortened

MAX_STATEMENT_LENGTH = 200
MAX_BLOCKERS = 10
"""A lock can have thousands of readers; people need only a few."""
_NAMED = 3
"""How many a message names; the list has all."""

# pg_blocking_pids reports 0 for a prepared transaction, which has no process. In pg_locks it also has a lock on its own id.
_BLOCKERS = """
WITH wanted AS (SELECT * FROM pg_locks WHERE pid = {pid} AND NOT granted),
blocking AS (SELECT DISTINCT pid FROM unnest({blocking}) AS found (pid)),
holder AS (
  SELECT blocking.pid, max(held.virtualtransaction) AS virtualtransaction, max(wanted.relation::regclass::text) AS on_table,
    string_agg(DISTINCT held.mode, ', ') AS modes, bool_or(held.granted) AS is_granted
  FROM blocking LEFT JOIN (wanted JOIN pg_locks AS held ON
    (held.locktype, held.database, held.relation, held.page, held.tuple, held.virtualxid, held.transactionid, held.classid,
     held.objid, held.objsubid)
    IS NOT DISTINCT FROM
    (wanted.locktype, wanted.database, wanted.relation, wanted.page, wanted.tuple, wanted.virtualxid, wanted.transactionid,
     wanted.classid, wanted.objid, wanted.objsubid))
    ON coalesce(held.pid, 0) = blocking.pid
  GROUP BY blocking.pid, CASE WHEN blocking.pid = 0 THEN held.virtualtransaction END
  LIMIT {most}
)
SELECT json_build_object('role', quote_ident(current_user), 'blockers', coalesce((
  SELECT json_agg(json_strip_nulls(json_build_object(
    'pid', nullif(holder.pid, 0),
    'kind', coalesce(activity.backend_type, CASE WHEN holder.pid = 0 THEN 'prepared transaction' END),
    'role', coalesce(activity.usename, prepared.owner),
    'application', nullif(activity.application_name, ''),
    'client', coalesce(host(activity.client_addr), CASE WHEN activity.client_port = -1 THEN 'local' END),
    'state', activity.state,
    'since', to_char(coalesce(activity.xact_start, activity.state_change, prepared.prepared) AT TIME ZONE 'UTC',
      'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    'statement', nullif(activity.query, ''),
    'transaction', prepared.gid,
    'table', CASE WHEN holder.modes IS NOT NULL THEN holder.on_table END,
    'lock', holder.modes,
    'queued', CASE WHEN NOT holder.is_granted THEN true END)) ORDER BY coalesce(activity.xact_start, prepared.prepared))
  FROM holder LEFT JOIN pg_stat_activity AS activity ON activity.pid = holder.pid
  LEFT JOIN pg_locks AS own ON holder.pid = 0 AND own.pid IS NULL AND own.granted AND own.locktype = 'transactionid'
    AND own.virtualtransaction = holder.virtualtransaction
  LEFT JOIN pg_prepared_xacts AS prepared ON prepared.transaction = own.transactionid), '[]'))::text
"""

# Reading these tables conflicts only with ACCESS EXCLUSIVE, writing to them with SHARE and stronger modes.
_LOCKERS = """
ARRAY(SELECT coalesce(pid, 0) FROM pg_locks WHERE granted AND locktype = 'relation' AND pid IS DISTINCT FROM pg_backend_pid()
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND mode IN ('AccessExclusiveLock', 'ExclusiveLock', 'ShareRowExclusiveLock', 'ShareLock')
  AND relation IN (SELECT pg_class.oid FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = 'cdk_alembic' OR relname = {table}))
"""

# One statement, so that a session that has continued in the meantime is not ended. OFFSET makes the conditions run before the
# call.
_END_SESSIONS = """
SELECT coalesce(json_agg(pid), '[]')::text FROM (
  SELECT pid FROM pg_stat_activity
  WHERE pid = ANY (pg_blocking_pids({pid})) AND backend_type = 'client backend'
    AND state IN ('idle in transaction', 'idle in transaction (aborted)')
    AND state_change <= clock_timestamp() - make_interval(secs => {seconds})
    AND (usename = ANY (ARRAY[{roles}]::name[]) OR application_name = ANY (ARRAY[{applications}]::text[]))
  OFFSET 0) AS idle
WHERE pg_terminate_backend(pid)
"""
# A process that waits for another one of its own connections waits forever.
_IS_SELF_DEADLOCK = """
SELECT coalesce(bool_or({pid} = ANY (pg_blocking_pids(other)) OR other = ANY (pg_blocking_pids({pid}))), false)::text
FROM unnest(ARRAY[{others}]) AS own (other)
"""
DEFAULT_IDLE_SECONDS = 30

_HIDDEN = "<insufficient privilege>"
"""PostgreSQL's text instead of another role's statement."""

# Values may be rows of a user's table. An unclosed quote, where PostgreSQL has cut the text, hides the rest.
_NAME_OR_VALUE = re.compile(
    r"""("(?:[^"]|"")*"?)|--[^\n]*|/\*.*?(?:\*/|\Z)|\b[eE]'(?:[^'\\]|''|\\.)*'?|'(?:[^']|'')*'?"""
    r"""|\$([A-Za-z_]\w*)?\$.*?(?:\$\2\$|\Z)|(?<![\w$.])\d[\d.]*\b""",
    re.DOTALL,
)


class BlockerReport(NamedTuple):
    """The result of one query for blockers."""

    blockers: list[dict[str, Any]]
    """The contract's Blockers."""
    role: str
    """The runner's role, quoted."""


def self_deadlock_query(pid: int, others: Iterable[int]) -> str:
    """The query whether the session `pid` waits for one of the others, or one of them waits for it: `true` or `false`."""
    return _IS_SELF_DEADLOCK.format(pid=pid, others=", ".join(map(str, others)))


def backend_query(pid: int) -> str:
    """The query for the sessions that block a backend. `parse_report` reads its result."""
    return _BLOCKERS.format(pid=pid, blocking=f"pg_blocking_pids({pid})", most=MAX_BLOCKERS)


def holder_query(pid: int) -> str:
    """The query for the backend that holds the mutex."""
    return _BLOCKERS.format(pid=0, blocking=f"ARRAY[{pid}]", most=MAX_BLOCKERS)


def own_tables_query(version_table: str) -> str:
    """The query for the sessions that lock the version table or the run history."""
    return _BLOCKERS.format(pid=0, blocking=_LOCKERS.format(table=literal(version_table)), most=MAX_BLOCKERS)


def end_query(pid: int, allowed: Mapping[str, Any]) -> str:
    """The query that ends the sessions that block a backend, if the contract's EndBlockers allow it. It returns their process
    ids as JSON."""
    names = {key: ", ".join(literal(name) for name in allowed.get(key, ())) for key in ("roles", "applications")}
    return _END_SESSIONS.format(pid=pid, seconds=allowed.get("idleSeconds", DEFAULT_IDLE_SECONDS), **names)


def parse_report(text: str | None) -> BlockerReport:
    """Reads the result of one of these queries."""
    report = json.loads(text or "{}")
    return BlockerReport([_cleaned(blocker) for blocker in report.get("blockers", ())], report.get("role", ""))


def _cleaned(blocker: dict[str, Any]) -> dict[str, Any]:
    statement = blocker.pop("statement", None)
    if statement == _HIDDEN:
        return {**blocker, "hidden": True}
    if statement is not None:
        blocker["statement"] = shortened(redact(without_values(statement)), MAX_STATEMENT_LENGTH)
    return blocker


def without_values(statement: str) -> str:
    """A statement without comments, and with `?` instead of string literals and numbers."""
    return _NAME_OR_VALUE.sub(lambda match: match[1] or (" " if match[0][:2] in ("--", "/*") else "?"), statement)


def in_words(blockers: Iterable[dict[str, Any]]) -> str:
    """The end of a sentence that names the first blockers and what they do."""
    blockers = list(blockers)
    texts = [_describe(blocker) for blocker in blockers[:_NAMED]]
    more = len(blockers) - _NAMED
    return "; ".join([*texts, f"and {more} more"] if more > 0 else texts)


def _describe(blocker: dict[str, Any]) -> str:
    if "transaction" in blocker:
        who = f"prepared transaction {blocker['transaction']}"
    else:
        who = f"{blocker.get('kind', 'backend')} {blocker.get('pid', '')}".strip()
    since = f"since {blocker['since']}" if "since" in blocker else ""
    facts = [
        f"role {blocker['role']}" if "role" in blocker else "",
        blocker.get("application", ""),
        blocker.get("client", ""),
        f"{blocker.get('state', '')} {since}".strip(),
    ]
    return f"{who} ({', '.join(fact for fact in facts if fact)})"


def remedies(report: BlockerReport) -> str:
    """The next step for these blockers, each kind once."""
    steps = dict.fromkeys(_remedy(blocker) for blocker in report.blockers[:_NAMED])
    if any(blocker.get("hidden") for blocker in report.blockers):
        steps[f"to see what it does: GRANT pg_read_all_stats TO {report.role}"] = None
    return "; ".join(steps)


def _remedy(blocker: dict[str, Any]) -> str:
    pid, state, statement = blocker.get("pid"), blocker.get("state", ""), blocker.get("statement", "")
    if pid is None and "transaction" not in blocker:
        return "end the prepared transaction (pg_prepared_xacts)"
    if "transaction" in blocker:
        name = blocker["transaction"].replace("'", "''")
        return f"COMMIT PREPARED '{name}' or ROLLBACK PREPARED '{name}' ends the prepared transaction"
    if "to prevent wraparound" in statement:
        return f"let the autovacuum {pid} end: it prevents transaction ID wraparound, and starts again if it is ended"
    if state.startswith("idle in transaction"):
        return f"end the open transaction of {pid} where it was begun, or with SELECT pg_terminate_backend({pid})"
    if state == "active":
        return f"wait for {pid}, or cancel its statement: SELECT pg_cancel_backend({pid})"
    return f"wait for {pid}, or end it: SELECT pg_terminate_backend({pid})"
