"""The failure of a revision's function: StatementFailure; and of env.py between two of them."""

from __future__ import annotations

import traceback
from typing import Any

from cdk_alembic.database.conditions import connection_failure
from cdk_alembic.database.failures import describe, location, root_of, sql_state, statement_of, whole_statement_of
from cdk_alembic.project.project import Project
from cdk_alembic.protocol.errors import RunnerError
from cdk_alembic.protocol.log import redact

from ..waiting import Waiting


def failure_facts(error: BaseException, file: str) -> dict[str, Any]:
    """The error, and its line in the revision's file."""
    frames = traceback.extract_tb(root_of(error).__traceback__)
    line = next((frame.lineno for frame in reversed(frames) if frame.filename == file), None)
    # Whole: the review parses it.
    statement = whole_statement_of(error)
    facts = {"message": redact(describe(error)), "sqlState": _sql_state(error), "statement": statement, "line": line}
    found = {name: value for name, value in facts.items() if value is not None}
    found |= {"waited": True} if isinstance(error, Waiting) else {}
    return found | ({"ownRaise": True} if _is_own_raise(frames, file) else {})


def _sql_state(error: BaseException | None) -> str | None:
    """PostgreSQL's code of the error, or of the one that it replaces: `except ProgrammingError: raise RuntimeError(...)`."""
    while error is not None:
        if state := sql_state(error):
            return state
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return None


def _is_own_raise(frames: traceback.StackSummary, file: str) -> bool:
    return bool(frames) and frames[-1].filename == file and (frames[-1].line or "").startswith(("raise ", "assert "))


def failure_between_revisions(project: Project, error: BaseException) -> RunnerError:
    """The error of an env.py that fails although no revision runs."""
    if isinstance(error, Exception) and (failure := connection_failure(error)):
        return failure
    return RunnerError(
        "invalid_project",
        f"env.py failed between two revisions: {describe(error)}{location(error)}",
        f"run `{project.command} upgrade head` on an empty database and fix what it reports",
        sql_state=sql_state(error),
        statement=statement_of(error),
    )
