"""The point before the first observed revision, when the scratch server's files can be copied and kept for a later replay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cdk_alembic.catalog import raw

from .trace import Trace

Report = Callable[[dict[str, Any]], None]

# Running fewer revisions is faster than copying the files.
MIN_REVISIONS = 20

# State that a new connection to copied files would not have: session state, and data that is not in the files.
_STATE_OUTSIDE_FILES = """
SELECT json_build_object(
  'settings', (SELECT coalesce(json_object_agg(name, setting), '{}') FROM pg_catalog.pg_settings
    -- asyncpg sets and resets one.
    WHERE source = 'session' AND setting IS DISTINCT FROM reset_val AND name NOT LIKE 'transaction\\_%'),
  'role', CASE WHEN current_user <> session_user THEN current_user END,
  'unlogged or temporary relations', (SELECT min(relname) FROM pg_catalog.pg_class WHERE relpersistence <> 'p'),
  'settings of roles and databases', (SELECT min(setdatabase::text) FROM pg_catalog.pg_db_role_setting),
  'advisory locks', (SELECT min(pid) FROM pg_catalog.pg_locks WHERE locktype = 'advisory'),
  'prepared transactions', (SELECT min(gid) FROM pg_catalog.pg_prepared_xacts),
  'listening', (SELECT min(c) FROM pg_catalog.pg_listening_channels() c),
  'cursors', (SELECT min(name) FROM pg_catalog.pg_cursors WHERE name <> ''),
  'tablespaces', (SELECT min(spcname) FROM pg_catalog.pg_tablespace WHERE oid >= 16384),
  'replication', (SELECT min(slot_name) FROM pg_catalog.pg_replication_slots),
  'subscriptions', (SELECT min(subname) FROM pg_catalog.pg_subscription),
  'other sessions', (SELECT min(pid) FROM pg_catalog.pg_stat_activity
    WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' AND state <> 'idle')
)::text
"""
_POSITION = """
SELECT json_build_object('at', pg_catalog.pg_current_wal_insert_lsn(),
  'first', pg_catalog.pg_walfile_name((SELECT redo_lsn FROM pg_catalog.pg_control_checkpoint())),
  'last', pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()))::text
"""


def state_outside_files(connection: Any) -> tuple[dict[str, str], bool]:
    """The settings of a session, and whether other state would be missing in a copy of its database."""
    with raw.rolled_back(connection):
        outside = raw.value(connection, _STATE_OUTSIDE_FILES)
    settings = outside.pop("settings")
    return settings, any(value is not None for value in outside.values())


class CopyPoint:
    """Lets the caller copy the server's files while nothing writes to them.

    Does nothing if a replay that starts from the copy might differ from this one.
    """

    def __init__(self, trace: Trace, report: Report, wait: Callable[[], None]) -> None:
        """`wait`: blocks until the caller has copied the files."""
        self._trace = trace
        self._report = report
        self._wait = wait
        self._settings: Any = None

    def begin(self, connection: Any) -> None:
        """Records the settings of env.py's connection before the first revision."""
        self._settings, _ = state_outside_files(connection)

    def offer(self, connection: Any, steps: list[Any], first: int, environment: dict[str, Any]) -> None:
        """Pauses before the step at `first`; all earlier ones have run without a failure."""
        if (
            first < MIN_REVISIONS
            or not _is_linear(steps, first)
            or self._trace.untraced
            or not _has_plain_environment(environment)
        ):
            return
        try:
            if state_outside_files(connection) != (self._settings, False):
                return
            with raw.rolled_back(connection):
                raw.execute(connection, "CHECKPOINT")
                position = raw.value(connection, _POSITION)
        except Exception:
            return  # a revision took away the privilege for the query, for example with SET ROLE
        facts = {
            "revisions": [step.revision.revision for step in steps[:first]],
            "environment": environment,
            "read": self._trace.paths(),
            "log": [position["first"], position["last"]],
        }
        self._report({"report": "pause", "pause": facts})
        self._wait()
        with raw.rolled_back(connection):
            unchanged = raw.value(connection, _POSITION)["at"] == position["at"]
        self._report({"report": "paused", "unchanged": unchanged and not self._trace.untraced})


def _has_plain_environment(environment: dict[str, Any]) -> bool:
    return environment["keeps"] and not environment["outerTransaction"] and not {"failure", "refused"} & environment.keys()


def _is_linear(steps: list[Any], first: int) -> bool:
    """Whether the later revisions follow the earlier ones in the only possible order."""
    return all(
        not step.revision.dependencies and step.revision._versioned_down_revisions == (before.revision.revision,)
        for before, step in zip(steps[first - 1 :], steps[first:], strict=False)
    )
