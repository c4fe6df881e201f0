"""The failure of a revision's function: StatementFailure."""

from __future__ import annotations

import traceback
from typing import Any

from cdk_alembic.database.failures import describe, sql_state, whole_statement_of
from cdk_alembic.protocol.log import redact


def failure_facts(error: BaseException, file: str) -> dict[str, Any]:
    """The error, and its line in the revision's file."""
    line = next((frame.lineno for frame in reversed(traceback.extract_tb(error.__traceback__)) if frame.filename == file), None)
    # Whole: the review parses it.
    statement = whole_statement_of(error)
    facts = {"message": redact(describe(error)), "sqlState": sql_state(error), "statement": statement, "line": line}
    return {name: value for name, value in facts.items() if value is not None}
