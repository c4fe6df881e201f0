"""Drift: what someone changed by hand since the last run. Only for stages that turn it on."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from ..connection.statements import brief_connection
from ..database.conditions import connection_failure
from ..database.failures import describe
from ..database.version_table import VersionTable
from ..protocol.errors import RunnerError
from ..protocol.log import log
from ..protocol.request import Invocation
from . import kept as store
from .compare import differences, entries_now, merged
from .kept import Entries, Kept

# Objects that a warning or an error names; the command drift lists all of them.
_MAX_NAMED = 5
ALLOWANCE = "drift"
_RUN_ANYWAY = 'send {"allow": ["drift"]} to run anyway'


class Drift:
    """One run's comparison with the kept catalog, which it updates at its end."""

    def __init__(self, invocation: Invocation, schema: str | None = None) -> None:
        """`schema`: the tenant's; None: the whole database."""
        self._invocation = invocation
        self._schema = schema
        self._kept: Entries | None = None
        """The kept catalog, if its revisions are those of the database."""
        self._before: Entries | None = None
        """The catalog before the first revision."""

    def check(self, connection: Any, table: VersionTable, heads: Iterable[str]) -> None:
        """Compares before the first revision, over an autocommit connection. If the stage refuses drift, raises RunnerError
        `drifted` for any drift and for a schema that can't be read. Raises the RunnerError of a lost connection."""
        from sqlalchemy.exc import SQLAlchemyError

        policy = self._invocation.settings.on_drift
        refuses = policy == "refuse" and ALLOWANCE not in self._invocation.request.allow
        try:
            kept = store.load(connection, table.full_name)
            if kept is None or why_unknown(kept, heads, store.major(connection)):
                return
            self._kept, self._before = kept.entries, entries_now(connection, table, self._schema)
        except SQLAlchemyError as error:
            if failure := connection_failure(error):
                raise failure from error
            if refuses:
                raise RunnerError(
                    "drifted",
                    f"the schema could not be compared with what the last run kept: {describe(error)}",
                    f"nothing was applied; fix the cause and run again, or {_RUN_ANYWAY}",
                ) from error
            self._warn("compared", error)
            return
        if policy == "ignore" or not (found := differences(self._kept, self._before)):
            return
        if refuses:
            raise RunnerError(
                "drifted",
                self._in_words(found, kept),
                f"nothing was applied; the command drift shows each object and the DDL that restores it; or {_RUN_ANYWAY}",
            )
        self._invocation.warnings.append(self._in_words(found, kept))

    def keep(self, context: Any, table: VersionTable, heads: Iterable[str], first: bool, connection: Any = None) -> None:
        """Keeps the catalog at the end of a run. An object that had drifted before the run stays drifted, unless a revision
        changed it. `first`: only if none is kept yet, because the stage has just turned it on. `connection`: an open autocommit
        connection to use instead of a new one."""
        from sqlalchemy.exc import SQLAlchemyError

        try:
            with _on(context, connection) as own:
                if first and store.load(own, table.full_name) is not None:
                    return
                now = entries_now(own, table, self._schema)
                if self._kept is not None and self._before is not None:
                    now = merged(self._kept, self._before, now)
                store.save(own, table.full_name, heads, now)
        except SQLAlchemyError as error:
            self._warn("kept", error)

    def _in_words(self, found: list[dict[str, Any]], kept: Kept) -> str:
        tenant = self._invocation.tenant
        return f"tenant {tenant}: {summary(found, kept)}" if tenant else summary(found, kept)

    def _warn(self, what: str, error: BaseException) -> None:
        reason = describe(error)
        self._invocation.warnings.append(f"the catalog could not be {what}: {reason}")
        log("WARNING", f"catalog_not_{what}", stage=self._invocation.settings.stage, reason=reason)


def report(
    connection: Any, table: VersionTable, heads: tuple[str, ...], accept: bool, schema: str | None = None
) -> dict[str, Any]:
    """The contract's DriftReport, over an autocommit connection. `accept`: keeps today's catalog afterwards. `schema`: the
    tenant's. Raises SQLAlchemyError."""
    kept = store.load(connection, table.full_name)
    now = entries_now(connection, table, schema)
    if accept:
        store.save(connection, table.full_name, heads, now)
    if kept is None:
        return {
            "status": "unknown",
            "reason": "no run has kept a catalog yet: set onDrift on the construct of this stage or in its settings, and deploy",
            "objects": [],
        }
    facts = {"keptAt": kept.kept_at, "digest": kept.digest, "objects": []}
    if reason := why_unknown(kept, heads, store.major(connection)):
        return {"status": "unknown", "reason": reason, **facts}
    found = differences(kept.entries, now)
    return {"status": "drifted" if found else "none", **facts, "objects": found}


def warning(connection: Any, table: VersionTable, heads: tuple[str, ...]) -> str | None:
    """One line for a plan, over an autocommit connection; None: no drift, or unknown. Raises SQLAlchemyError."""
    kept = store.load(connection, table.full_name)
    if kept is None or why_unknown(kept, heads, store.major(connection)):
        return None
    found = differences(kept.entries, entries_now(connection, table, None))
    return summary(found, kept) if found else None


def summary(found: list[dict[str, Any]], kept: Kept) -> str:
    """The drift in one line."""
    names = [f"{drifted['object']} ({drifted['change']})" for drifted in found[:_MAX_NAMED]]
    more = f" and {len(found) - len(names)} more" if len(found) > len(names) else ""
    objects = "object was" if len(found) == 1 else "objects were"
    return f"{len(found)} {objects} changed by hand since {kept.kept_at}: {', '.join(names)}{more}"


def why_unknown(kept: Kept, heads: Iterable[str], major: int) -> str | None:
    """Why a kept catalog can't be compared; None if it can."""
    if sorted(heads) != kept.heads:
        before, now = (", ".join(revisions) or "base" for revisions in (kept.heads, sorted(heads)))
        return f"the catalog was kept at {before}, and the database is at {now}; the next run keeps it again"
    if kept.postgres != major:
        return (
            f"it was kept on PostgreSQL {kept.postgres}, and {major} prints definitions differently; the next run keeps it again"
        )
    return None


def _on(context: Any, connection: Any) -> AbstractContextManager[Any]:
    return brief_connection(context) if connection is None else nullcontext(connection)
