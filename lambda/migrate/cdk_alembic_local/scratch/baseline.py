"""An initial schema: pg_dump's plain text."""

from __future__ import annotations

import re
from typing import Any

from cdk_alembic.catalog import raw
from cdk_alembic.database.failures import describe, shortened
from cdk_alembic.protocol.errors import RunnerError

from ..source.sql_text import statements
from .scratch import Scratch

# The scratch server has none of the dump's roles, and may be too old for its settings.
_NOT_NEEDED = re.compile(
    r"SET\s|GRANT\s|REVOKE\s|ALTER\s+DEFAULT\s+PRIVILEGES\s|ALTER\s[^'$]*\sOWNER\s+TO\s[^;]*\Z"
    r"|CREATE\s+SCHEMA\s+(?:IF\s+NOT\s+EXISTS\s+)?public\s*\Z|COMMENT\s+ON\s+(?:EXTENSION|SCHEMA\s+public)\s",
    re.IGNORECASE,
)


def load(scratch: Scratch, sql: str) -> None:
    """Runs the dump on the scratch database. Raises RunnerError `baseline_failed`."""

    def execute(connection: Any) -> None:
        for statement in statements(sql):
            try:
                raw.execute(connection, statement)
            except Exception as error:
                if _NOT_NEEDED.match(statement):
                    continue
                raise RunnerError(
                    "baseline_failed",
                    f"the baseline could not be loaded: {describe(error)}: {shortened(statement, 200)}",
                    "create it with `pg_dump --schema-only --no-owner --no-privileges`, and the version table's rows with "
                    "`pg_dump --data-only --table alembic_version`",
                ) from error

    scratch.run(execute)
