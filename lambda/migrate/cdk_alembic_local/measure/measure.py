"""Runs each revision once on filled tables, and reports its locks and the waits of others: MeasuredFacts."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from cdk_alembic.catalog import raw
from cdk_alembic.catalog.catalog import Snapshot
from cdk_alembic.catalog.catalog_reader import Catalog
from cdk_alembic.database.failures import describe, location
from cdk_alembic.project.environment import run_environment
from cdk_alembic.project.project import Project
from cdk_alembic.protocol.errors import RunnerError
from cdk_alembic.protocol.log import redact
from cdk_alembic.statistics.read import sort_milliseconds

from ..replay.env_facts import prepared_connection
from ..replay.matching_revision import commit_open_transaction
from ..replay.watch import Watch
from ..replay.watched_step import WatchedStep
from ..scratch.baseline import load
from ..scratch.scratch import Scratch
from .fill import Fill, FilledTable, Limits
from .session_watch import SessionWatch
from .values import TargetSchema

Report = Callable[[dict[str, Any]], None]

_WAL_POSITION = "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::text"
_TIME_LIMIT_REACHED = "the time limit was reached"
_CANCELED = "it ran longer than its share of the time limit, and was canceled"


def measure(project: Project, scratch: Scratch, ask: dict[str, Any], report: Report) -> None:
    """Answers the request `measure`. The scratch database is empty before, after and between revisions."""
    scratch.prepare(ask.get("overwrite", False))
    end = time.monotonic() + ask["limits"]["seconds"]
    try:
        for done, wanted in enumerate(ask["revisions"]):
            revision = wanted["revision"]
            now = time.monotonic()
            # One slow revision leaves time for the others.
            deadline = now + (end - now) / (len(ask["revisions"]) - done)
            report({"report": "progress", "done": done, "total": len(ask["revisions"]), "revision": revision})
            measured = _Measurement(project, scratch, ask, wanted, deadline).run()
            report({"report": "measured", "measured": {"revision": revision, **measured}})
            scratch.empty(keep_mark=True)
    finally:
        scratch.leave()


class _Measurement:
    """One revision; `around` and `steps` are the arguments of run_environment."""

    def __init__(self, project: Project, scratch: Scratch, ask: dict[str, Any], wanted: dict[str, Any], deadline: float) -> None:
        self._project = project
        self._scratch = scratch
        self._baseline = ask.get("baseline")
        self._limits = ask["limits"]
        self._production = {table["name"]: table for table in ask["tables"]}
        self._wanted = wanted
        self._deadline = deadline
        self._watching: SessionWatch | None = None
        self._facts: dict[str, Any] = {"reason": "it was not reached"}

    def run(self) -> dict[str, Any]:
        """MeasuredFacts without the revision."""
        if time.monotonic() >= self._deadline:
            return {"reason": _TIME_LIMIT_REACHED}
        try:
            if self._baseline:
                load(self._scratch, self._baseline)
            run_environment(self._project, self.steps, around=self.around)
        except RunnerError as error:
            if self._scratch.refused:
                raise
            return {"reason": redact(error.message)}
        except (Exception, SystemExit) as error:
            # Any of the session's statements may have been canceled, also Alembic's own.
            canceled = self._watching and self._watching.locks.canceled
            return {"reason": _CANCELED if canceled else redact(f"{describe(error)}{location(error)}")}
        finally:
            # An error within Alembic does not end the generator of the steps.
            if self._watching:
                self._watching.end()
        return self._facts

    @contextmanager
    def around(self, context: Any) -> Iterator[None]:
        with prepared_connection(context), Watch(context.connection).listening() as self._watch:
            yield

    def steps(self, heads: tuple[str, ...], context: Any) -> Iterator[Any]:
        commit_open_transaction(context)
        with self._project.revisions.alembic_errors(self._wanted["revision"]):
            steps = list(self._project.script._upgrade_revs(self._wanted["revision"], heads))
        if not steps:
            self._facts = {"reason": "the baseline already has it"}
            return
        for step in steps[:-1]:
            yield WatchedStep(step, context, self._watch, {}, is_reviewed=False).step
            commit_open_transaction(context)
        with raw.rolled_back(context.connection):
            snapshot = Catalog().take(context.connection)
        filled = self._fill(context.connection, snapshot)
        yield from self._measure(steps[-1], context, snapshot, filled)

    def _fill(self, connection: Any, snapshot: Snapshot) -> dict[str, FilledTable]:
        target = TargetSchema(self._wanted["after"], self._wanted["added"])
        # The other half of the time is the revision's.
        deadline = time.monotonic() + (self._deadline - time.monotonic()) / 2
        limits = Limits(self._limits["rows"], self._limits["bytes"], deadline)
        with raw.committed(connection):
            filled = Fill(connection, snapshot, target, self._production, limits).fill(self._wanted["tables"])
        return {name: filled[name] for name in self._wanted["tables"] if name in filled}

    def _measure(self, step: Any, context: Any, snapshot: Snapshot, filled: dict[str, FilledTable]) -> Iterator[Any]:
        pid = raw.value(context.connection, "SELECT pg_backend_pid()::text")
        commit_open_transaction(context)
        tables = sorted(filled, key=lambda name: -self._production[name]["rows"])
        session_watch = self._watching = SessionWatch(self._scratch, pid, snapshot.relations, tables, self._deadline)
        watched = WatchedStep(step, context, self._watch, {})
        migrate = watched.step.migration_fn

        # Locks are held until the transaction ends: polling before that sees each of them.
        @functools.wraps(migrate)
        def observed(**arguments: Any) -> None:
            migrate(**arguments)
            session_watch.locks.wait_for_poll()

        watched.step.migration_fn = observed
        with raw.rolled_back(context.connection):
            sort = sort_milliseconds(functools.partial(raw.value, context.connection))
        written = _wal_position(context.connection)
        with session_watch:
            began = time.perf_counter()
            yield watched.step
            commit_open_transaction(context)
            seconds = time.perf_counter() - began
            session_watch.locks.wait_for_poll()
        after = _wal_position(context.connection)
        if session_watch.locks.canceled:
            self._facts = {"reason": _CANCELED}
        elif failure := watched.result.failure:
            self._facts = {"reason": f"it failed with generated rows: {failure['message']}"}
        else:
            self._facts = {
                "milliseconds": _milliseconds(seconds),
                "sortMilliseconds": sort,
                **({} if written is None or after is None else {"walBytes": after - written}),
                "tables": [self._table(name, filled, session_watch) for name in _reported(filled, session_watch)],
            }

    def _table(self, name: str, filled: dict[str, FilledTable], session_watch: SessionWatch) -> dict[str, Any]:
        """MeasuredTable."""
        own = filled.get(name, FilledTable(0))
        reader, writer = session_watch.readers.get(name), session_watch.writers.get(name)
        locks = [
            {"mode": mode, "milliseconds": _milliseconds(seconds)}
            for (table, mode), seconds in sorted(session_watch.locks.longest.items())
            if table == name
        ]
        return {
            "table": name,
            "rows": own.rows,
            "productionRows": self._production.get(name, {}).get("rows", 0),
            **({"limit": own.limit} if own.limit else {}),
            **({"rejected": own.reason} if own.reason else {}),
            "locks": locks,
            **({"longestReadMilliseconds": _milliseconds(reader.longest)} if reader else {}),
            **({"longestWriteMilliseconds": _milliseconds(writer.longest)} if writer else {}),
        }


def _reported(filled: dict[str, FilledTable], session_watch: SessionWatch) -> list[str]:
    return sorted({*filled, *(table for table, _ in session_watch.locks.longest)})


def _wal_position(connection: Any) -> int | None:
    """Bytes of the write-ahead log so far; None if the server does not provide it."""
    try:
        with raw.rolled_back(connection):
            return raw.value(connection, _WAL_POSITION)
    except Exception:
        return None


def _milliseconds(seconds: float) -> float:
    return round(1000 * seconds, 1)
