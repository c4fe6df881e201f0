"""Translates a run's exception into an error with a next step."""

from __future__ import annotations

import os
import re
import traceback
from pathlib import Path

from ..connection.watchdog import gave_up
from ..database.blockers import BlockerReport, in_words, remedies
from ..database.conditions import CONNECTION_ENDED, condition, connection_failure, is_connection_lost
from ..database.failures import describe, location, sql_state, statement_of, unset_variables
from ..project.configuration import left_out, to_package
from ..project.env_transaction import find_transaction
from ..project.revisions import info
from ..project.sources import may_commit_unseen
from ..protocol.errors import RunnerError
from ..protocol.process import Cancelled
from ..protocol.request import Invocation
from .run import Run

QUERY_CANCELED = "57014"
# lock_not_available and deadlock_detected: PostgreSQL rolled back the revision, and another attempt may succeed.
LOCK_STATES = ("55P03", "40P01")
_DUPLICATE_TABLE = "42P07"
_DUPLICATE_COLUMN = "42701"
_UNDEFINED_TABLE = "42P01"
_UNDEFINED_SCHEMA = "3F000"
_READ_ONLY = "25006"
_TOO_LONG = "22001"
_FEATURE_NOT_SUPPORTED = "0A000"
_CLOSED_TRANSACTION = "Can't operate on closed transaction inside context manager"
_UNDEFINED_OBJECT = "42704"
_UNDEFINED_FUNCTION = "42883"
_MISSING_NAME = re.compile(r'(?:type "|function )(?:\w+\.)?(\w+)')
_OF_EXTENSION = {
    **{name: name for name in ("citext", "hstore", "ltree", "vector")},
    **{name: "postgis" for name in ("geography", "geometry")},
    "uuid_generate_v4": "uuid-ossp",
}
_MISSING_EXTENSION = re.compile(r'extension "([^"]+)" is not available')
_SHORTEN = "shorten the id, also in the down_revision of the next revision (Alembic makes version_num varchar(32)), and run again"
_FIND_HOLDER = "find what holds the table (long transactions in pg_stat_activity)"


def failure_of(error: BaseException, run: Run, left_transaction: bool) -> RunnerError:
    """The RunnerError for an exception of the run. `left_transaction`: whether the running revision committed something
    itself."""
    state = sql_state(error)
    if run.record.running is None:
        return _failure_between_revisions(error, state, run)
    # After a lock timeout, the latest report may have come too late.
    report = run.blocker_watch.last_found if state in LOCK_STATES else run.blocker_watch.latest
    code, message, next = _revision_failure(error, state, run, left_transaction, report)
    return RunnerError(
        code,
        message,
        next,
        revision=run.record.running.script.revision,
        sql_state=state,
        statement=statement_of(error),
        blockers=report.blockers if code in ("lock_not_available", "deadline_reached") else None,
    )


def _failure_between_revisions(error: BaseException, state: str | None, run: Run) -> RunnerError:
    run.invocation.process.refuse_if_cancelled()
    if state == QUERY_CANCELED and run.invocation.process.is_late():
        return RunnerError(
            "deadline_reached",
            f"the function's deadline was near before a revision could start: {describe(error)}",
            "end long transactions (pg_stat_activity), or raise the function's timeout, and run again",
            sql_state=state,
        )
    if failure := condition(error):
        return failure
    if state == _UNDEFINED_SCHEMA:
        return no_version_table_schema(describe(error))
    return RunnerError(
        "internal_error" if state is None else "migration_failed",
        f"the run failed between two revisions: {describe(error)}{location(error)}",
        "see the log, then run again: applied revisions stay, and it continues from there",
        sql_state=state,
    )


def no_version_table_schema(what: str) -> RunnerError:
    """The error for a missing schema of the version table. `what`: PostgreSQL's message or the schema's name."""
    return RunnerError(
        "migration_failed",
        f"the schema of the version table does not exist: {what}",
        "create the schema that version_table_schema in env.py names, which Alembic does not create, and run again",
        sql_state=_UNDEFINED_SCHEMA,
    )


def id_too_long(error: BaseException, revision: str) -> str | None:
    """The reason for a revision whose id is too long for the version table; None for any other exception."""
    if sql_state(error) != _TOO_LONG or "version_num" not in (statement_of(error) or ""):
        return None
    return f"its id of {len(revision)} characters is too long for the version table: {describe(error)}"


def _revision_failure(
    error: BaseException, state: str | None, run: Run, left_transaction: bool, report: BlockerReport
) -> tuple[str, str, str]:
    """Code, message and next step for a failed revision. `report`: who held the lock that it waited for."""
    invocation = run.invocation
    revision, message = info(run.record.running.script).values()
    what = f"{'downgrade of ' if run.downgrade else ''}revision {revision} ({message})"
    reason = f"{describe(error)}{location(error)}"
    if run.record.self_committed:
        reason = f"{reason}; {_work_stays(run.record.self_committed)}"
    kept = _kept(run, left_transaction)
    last = invocation.applied[-1]["revision"] if invocation.applied else ", ".join(invocation.before or ()) or "base"
    if invocation.process.cancelled:
        how = "" if isinstance(error, Cancelled) else f": {reason}"
        return (
            "cancelled",
            f"{what} was canceled{how}; the last committed revision is {last}",
            f"{kept}; run again to continue from there",
        )
    if run.blocker_watch.waits_for_itself and (state in (*LOCK_STATES, QUERY_CANCELED) or gave_up()):
        return (
            "migration_failed",
            f"{what} waits for itself: it has two connections, and one waits for a lock of the other: {reason}",
            f"{kept}; run all of its statements on op.get_bind(), then run again",
        )
    if gave_up():
        return (
            "deadline_reached",
            f"{what} ran until the function's deadline was near, and the database stopped answering: {reason}; the last revision "
            f"known to be committed is {last}",
            "check whether the server is frozen or failing over, and run again: it continues from what the version table holds",
        )
    held = f"; held by {in_words(report.blockers)}" if report.blockers else ""
    if state == QUERY_CANCELED and invocation.process.is_late():
        step = remedies(report) or "raise the function's timeout, or split the revision into smaller steps"
        return (
            "deadline_reached",
            f"{what} ran until the function's deadline and was canceled: {reason}{held}; the last committed revision is {last}",
            f"{kept}; {step}",
        )
    if state == _READ_ONLY and (failure := condition(error)):
        return failure.code, f"{what} failed: {failure.message}", failure.next
    if state in LOCK_STATES:
        return (
            "lock_not_available",
            f"{what} could not get its lock in {run.progress.tries} tries: {reason}{held}",
            f"{kept}; {remedies(report) or _FIND_HOLDER}; then run again",
        )
    if known := _known_cause(error, reason, run):
        cause, step = known
        return "migration_failed", f"{what} failed: {cause}", f"{kept}; {step}"
    about, step = _remedy(error, reason, run) or ("", "fix it and run again")
    return "migration_failed", f"{what} failed: {reason}{about}", f"{kept}, and earlier revisions stay; {step}"


def _kept(run: Run, left_transaction: bool) -> str:
    """What a failed revision left behind."""
    if left_transaction:
        return "it committed part of its work itself: check the database before you run it again"
    if may_commit_unseen(Path(run.record.running.script.path)):
        return "it may have committed part of its work on the driver's connection: check the database before you run it again"
    return "it was rolled back"


def _known_cause(error: BaseException, reason: str, run: Run) -> tuple[str, str] | None:
    """The cause and the next step, if the fault is not in the revision's own statements. `reason`: the error as text."""
    invocation, state = run.invocation, sql_state(error)
    # Many histories begin with an empty revision.
    is_first = not any(revision["statements"] for revision in invocation.applied)
    is_there = state == _DUPLICATE_TABLE or (state == _DUPLICATE_COLUMN and is_first)
    if is_there and not invocation.before and not run.downgrade:
        return (
            f"{reason}; no revision is recorded as applied, so the tables were probably created without Alembic (create_all, or "
            "another tool)",
            "run `safe-alembic verify` where env.py reaches this database: it names the revision that has these tables; record "
            f"it with {_stamp(run)}",
        )
    if state in (_UNDEFINED_TABLE, _UNDEFINED_SCHEMA) and not invocation.before and is_first:
        return (
            f"{reason}; no revision before it changed anything, so the revisions probably start from objects that were created "
            "without Alembic (create_all, or another tool)",
            f"create them first, as for a new database, and run again, or record a revision that has them with {_stamp(run)}",
        )
    if too_long := id_too_long(error, run.record.running.script.revision):
        return too_long, _SHORTEN
    if what := _fails_in_outer_transaction(error, run):
        found = find_transaction(Path(run.project.script.dir) / "env.py", is_outer=True, in_block=run.progress.in_block)
        return (
            f"{what} does not work inside the transaction that env.py began{location(error)}",
            f"in env.py, line {found['line']} (`{found['code']}`): {found['words']}, so that Alembic begins the transactions, "
            "and run again",
        )
    return None


def _remedy(error: BaseException, reason: str, run: Run) -> tuple[str, str] | None:
    """What else is known about the reason, and the next step."""
    if is_connection_lost(error):
        return "", CONNECTION_ENDED
    if names := unset_variables(error):
        return "", f"set {', '.join(names)}, which it reads, {run.project.environment}, and run again"
    state = sql_state(error)
    if state == _FEATURE_NOT_SUPPORTED and (found := _MISSING_EXTENSION.search(reason)):
        return "", f"install {found[1]} on the server, or use a server whose pg_available_extensions has it, and run again"
    missing = _MISSING_NAME.search(reason) if state in (_UNDEFINED_OBJECT, _UNDEFINED_FUNCTION) else None
    if missing and (extension := _OF_EXTENSION.get(missing[1])):
        step = f'`CREATE EXTENSION "{extension}"` in this database, or in a revision before this one, and run again'
        return f"; the extension {extension} provides it", step
    if requirement := left_out(error):
        return f"; the package has only what the migrations import, without {requirement}", to_package(requirement)
    return None


def _fails_in_outer_transaction(error: BaseException, run: Run) -> str | None:
    """What a revision may not do in the transaction that env.py began; None for any other exception."""
    frames = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    # Alembic asserts that the transaction around an autocommit block is its own.
    asserts = isinstance(error, AssertionError) and frames[-1] == "autocommit_block"
    # SQLAlchemy's `with connection.begin()` accepts no statement after the transaction has ended within it.
    is_closed = run.progress.in_outer_transaction and _CLOSED_TRANSACTION in str(error)
    if not asserts and not is_closed:
        return None
    return "autocommit_block()" if "autocommit_block" in frames else "a commit"


def _stamp(run: Run) -> str:
    invocation = run.invocation
    if invocation.process.compute is None:
        return f"`{run.project.command} stamp <revision>`"
    name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
    target = f"--function-name {name}" if name else f"--stage {invocation.settings.stage}"
    # A first deploy that fails also removes the function.
    return (
        f"`npx migrate-invoke {target} --command stamp --revision <revision>`, after a deploy that allows it and runs no "
        "migrations (`allowStamp: true`, `runOnDeploy: false`)"
    )


def not_moved(lost: list[str], downgrade: bool, self_committed: list[str]) -> RunnerError:
    """The error for a run that ended without an exception, but whose revisions are missing from the version table."""
    kept = f"; {_work_stays(self_committed)}" if self_committed else ""
    verb = "reverted" if downgrade else "applied"
    return _version_not_moved(f"the version table does not show {', '.join(lost)} as {verb}{kept}")


def not_committed(error: BaseException, revisions: list[str], invocation: Invocation) -> RunnerError | None:
    """The error for a transaction of env.py that the database refused to commit after its revisions; None for any other error."""
    state = sql_state(error)
    if state is None or connection_failure(error):
        return None
    is_late = state == QUERY_CANCELED and invocation.process.is_late()
    return RunnerError(
        "deadline_reached" if is_late else "migration_failed",
        f"the transaction that env.py began, with {', '.join(revisions)}, could not be committed: {describe(error)}",
        "all of it was rolled back; fix the cause, or connect in env.py with connect(), not begin(), so that each revision has "
        "its own transaction, and run again",
        sql_state=state,
    )


def stamp_failed(error: Exception, target: list[str]) -> RunnerError | None:
    """The RunnerError for a database error of a stamp; None for any other exception. `target`: the revisions to stamp."""
    if too_long := id_too_long(error, max(target, key=len, default="")):
        return RunnerError("migration_failed", f"the stamp failed: {too_long}", _SHORTEN, sql_state=sql_state(error))
    return condition(error)


def not_stamped(after: tuple[str, ...], expected: list[str]) -> RunnerError:
    """The error for a stamp that ended without an exception, but did not change the version table."""
    return _version_not_moved(
        f"the version table has {', '.join(after) or 'nothing'} instead of {', '.join(expected) or 'nothing'}"
    )


def _version_not_moved(what: str) -> RunnerError:
    return RunnerError(
        "version_not_moved",
        f"the run ended without an error, but {what}",
        "look for a statement before context.configure() in env.py, and for a commit or rollback in a revision "
        "(use op.get_context().autocommit_block() to leave the transaction)",
    )


def _work_stays(revisions: list[str]) -> str:
    names = ", ".join(revisions)
    return f"{names} ended the transaction itself: its work stays, but its version stamp is lost"
