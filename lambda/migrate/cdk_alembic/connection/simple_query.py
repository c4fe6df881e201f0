"""PostgreSQL's simple query protocol for what Alembic and its operations send over asyncpg.

SQLAlchemy has asyncpg prepare each statement, executes it, and closes it after DDL: three round trips instead of one.
https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SIMPLE-QUERY
"""

from __future__ import annotations

import re
from typing import Any

_UPDATED = re.compile(r"UPDATE (\d+)")


def send(cursor: Any, statement: str, parameters: Any, context: Any) -> bool | None:
    """SQLAlchemy's do_execute event. Takes over DDL and UPDATE without parameters or rows; skips SQL that an author wrote as
    text: it may contain several statements, which asyncpg otherwise refuses."""
    if parameters or not _is_one_command(statement, context):
        return None
    adapted = cursor._adapt_connection

    async def execute(driver: Any) -> str:
        # SQLAlchemy still has one after a revision's own COMMIT, and does not begin another.
        if adapted._transaction is None and not driver.is_in_transaction():
            await adapted._start_transaction()
        return await driver.execute(statement)

    try:
        status = adapted.run_async(execute)
    except Exception as error:
        adapted._handle_exception(error)
        raise
    if updated := _UPDATED.match(status):
        setattr(cursor, "_rowcount" if hasattr(cursor, "_rowcount") else "rowcount", int(updated[1]))
    return True


def _is_one_command(statement: str, context: Any) -> bool:
    from sqlalchemy import DDL

    # Before SQLAlchemy 2, the cursor also formats the statement.
    if getattr(context, "compiled", None) is None or context.dialect.paramstyle != "numeric_dollar":
        return False
    if context.isupdate:
        return "RETURNING" not in statement
    return context.isddl and not isinstance(context.compiled.statement, DDL)
