"""Drift: what someone changed by hand since the last run. Only for stages that turn it on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..database.failures import describe
from ..database.session import brief_connection
from ..database.version_table import VersionTable
from ..protocol.errors import RunnerError
from ..protocol.log import log
from ..protocol.request import Invocation
from . import kept as store
from .compare import differences, entries_now, merged
from .kept import Entries, Kept

# Names in a warning or an error; the command drift has all of them.
_MAX_NAMED = 5
ALLOWANCE = "drift"


class Drift:
    """The comparison of one run, and what it keeps at its end."""

    def __init__(self, invocation: Invocation) -> None:
        self._invocation = invocation
        self._kept: Entries | None = None
        """The kept catalog, if it is of the revisions that the run found."""
        self._before: Entries | None = None
        """The catalog before the first revision."""

    def check(self, context: Any, table: VersionTable, heads: Iterable[str]) -> None:
        """Compares before the first revision. Raises RunnerError `drifted`, if the stage refuses drift."""
        from sqlalchemy.exc import SQLAlchemyError

        policy = self._invocation.settings.on_drift
        try:
            kept = _load(context, table)
            if kept is None or why_unknown(kept, heads, store.major(context.connection)):
                return
            self._kept, self._before = kept.entries, entries_now(context, table)
        except SQLAlchemyError as error:
            self._warn("compared", error)
            return
        if policy == "ignore" or not (found := differences(self._kept, self._before)):
            return
        if policy == "refuse" and ALLOWANCE not in self._invocation.request.allow:
            raise RunnerError(
                "drifted",
                summary(found, kept),
                "nothing was applied; see each object and the DDL that brings it back with the command drift; or send "
                '{"allow": ["drift"]} to run anyway',
            )
        self._invocation.warnings.append(summary(found, kept))

    def keep(self, context: Any, table: VersionTable, heads: Iterable[str]) -> None:
        """Keeps the catalog at the end of a run. An object that had drifted before the run stays drifted, unless a revision
        changed it."""
        from sqlalchemy.exc import SQLAlchemyError

        try:
            now = entries_now(context, table)
            if self._kept is not None and self._before is not None:
                now = merged(self._kept, self._before, now)
            with brief_connection(context) as connection:
                store.save(connection, table.full_name, heads, now)
        except SQLAlchemyError as error:
            self._warn("kept", error)

    def keep_first(self, context: Any, table: VersionTable, heads: Iterable[str]) -> None:
        """Keeps the catalog if none is kept yet: the stage has just turned it on."""
        from sqlalchemy.exc import SQLAlchemyError

        try:
            if _load(context, table) is None:
                self.keep(context, table, heads)
        except SQLAlchemyError as error:
            self._warn("kept", error)

    def _warn(self, what: str, error: BaseException) -> None:
        reason = describe(error)
        self._invocation.warnings.append(f"the catalog could not be {what}: {reason}")
        log("WARNING", f"catalog_not_{what}", stage=self._invocation.settings.stage, reason=reason)


def report(context: Any, table: VersionTable, heads: tuple[str, ...], accept: bool) -> dict[str, Any]:
    """The contract's DriftReport. `accept`: keeps today's catalog afterwards. Raises SQLAlchemyError."""
    kept = _load(context, table)
    now = entries_now(context, table)
    if accept:
        with brief_connection(context) as connection:
            store.save(connection, table.full_name, heads, now)
    if kept is None:
        return {
            "status": "unknown",
            "reason": "no run has kept a catalog yet: set onDrift on the AlembicMigration of this stage and deploy",
            "objects": [],
        }
    facts = {"keptAt": kept.kept_at, "digest": kept.digest, "objects": []}
    if reason := why_unknown(kept, heads, store.major(context.connection)):
        return {"status": "unknown", "reason": reason, **facts}
    found = differences(kept.entries, now)
    return {"status": "drifted" if found else "none", **facts, "objects": found}


def warning(context: Any, table: VersionTable, heads: tuple[str, ...]) -> str | None:
    """One line for a plan; None: no drift, or unknown. Raises SQLAlchemyError."""
    kept = _load(context, table)
    if kept is None or why_unknown(kept, heads, store.major(context.connection)):
        return None
    found = differences(kept.entries, entries_now(context, table))
    return summary(found, kept) if found else None


def summary(found: list[dict[str, Any]], kept: Kept) -> str:
    """What drifted, in one line."""
    names = [f"{one['object']} ({one['change']})" for one in found[:_MAX_NAMED]]
    more = f" and {len(found) - len(names)} more" if len(found) > len(names) else ""
    objects = "object was" if len(found) == 1 else "objects were"
    return f"{len(found)} {objects} changed by hand since {kept.kept_at}: {', '.join(names)}{more}"


def why_unknown(kept: Kept, heads: Iterable[str], major: int) -> str | None:
    """Why a kept catalog can't be compared; None: it can."""
    if sorted(heads) != kept.heads:
        before, now = (", ".join(revisions) or "base" for revisions in (kept.heads, sorted(heads)))
        return f"the catalog was kept at {before}, and the database is at {now}; the next run keeps it again"
    if kept.postgres != major:
        return (
            f"it was kept on PostgreSQL {kept.postgres}, and {major} prints definitions differently; the next run keeps it again"
        )
    return None


def _load(context: Any, table: VersionTable) -> Kept | None:
    with brief_connection(context) as connection:
        return store.load(connection, table.full_name)
