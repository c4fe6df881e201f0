"""The failure of a revision's function: StatementFailure."""

from __future__ import annotations

import traceback
from typing import Any

from cdk_alembic.database.failures import describe, sql_state, whole_statement_of
from cdk_alembic.protocol.log import redact

from ..waiting import Waiting


def failure_facts(error: BaseException, file: str) -> dict[str, Any]:
    """The error, and its line in the revision's file."""
    frames = traceback.extract_tb(error.__traceback__)
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
