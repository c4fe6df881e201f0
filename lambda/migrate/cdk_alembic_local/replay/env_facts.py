"""How env.py handles transactions, and how a replay handles its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cdk_alembic.database.failures import describe, location
from cdk_alembic.project.environment import run_environment
from cdk_alembic.project.project import Project
from cdk_alembic.protocol.errors import RunnerError
from cdk_alembic.protocol.log import redact

from ..scratch import catalog, raw, rows
from ..scratch.scratch import Scratch
from ..source.graph import relative

# A revision that waits for a lock held by its own second connection would wait forever.
LOCK_TIMEOUT = "20s"


def about(project: Project, scratch: Scratch) -> dict[str, str]:
    """Facts that do not require running env.py."""
    return {"file": relative(Path(project.script.dir) / "env.py", project.directory), "postgres": scratch.version}


def environment_facts(project: Project, scratch: Scratch) -> dict[str, Any]:
    """EnvironmentFacts without `outerTransaction`, observed on the empty scratch database, which is empty again afterwards.

    Uses Alembic alone to stamp the first revision: this runs env.py as `alembic upgrade` does, whatever the revision requires.
    """
    from alembic import command

    facts: dict[str, Any] = {"keeps": True, **about(project, scratch)}
    bases = project.script.get_bases()
    if not bases:
        return facts
    seen: list[str] = []

    def look(heads: tuple[str, ...], context: Any) -> tuple[()]:
        seen.extend(heads)
        return ()

    try:
        with _configured(facts):
            command.stamp(project.config, bases[0])
        run_environment(project, look)
    except RunnerError as error:
        facts["failure"] = redact(error.message)
    except (Exception, SystemExit) as error:
        facts["failure"] = redact(f"{describe(error)}{location(error)}")
    finally:
        scratch.empty(keep_mark=True)
    return {**facts, "keeps": bases[0] in seen}


@contextmanager
def _configured(facts: dict[str, Any]) -> Iterator[None]:
    """Adds env.py's own option to the facts: run_environment overrides it."""
    from alembic.runtime.environment import EnvironmentContext

    configure = EnvironmentContext.configure

    def observed(self: Any, *args: Any, **options: Any) -> None:
        facts["transactionPerMigration"] = bool(options.get("transaction_per_migration"))
        configure(self, *args, **options)

    EnvironmentContext.configure = observed
    try:
        yield
    finally:
        EnvironmentContext.configure = configure


def prepare(context: Any) -> None:
    """Prepares env.py's connection to the scratch database. Call it in a transaction that is committed."""
    connection = context.connection
    raw.execute(connection, f"SET lock_timeout = '{LOCK_TIMEOUT}'")
    raw.execute(connection, "SET synchronous_commit = off")
    if context.version_table_schema:
        # In production the deployer creates it, not a revision: Alembic requires it before the first one.
        raw.execute(connection, f"CREATE SCHEMA IF NOT EXISTS {rows.quoted(context.version_table_schema)}")
    catalog.prepare(connection, context)


@contextmanager
def around_outer_transaction(context: Any) -> Iterator[None]:
    """Within this block, each migration has its own transaction, even if env.py started one around all of them."""
    if not context._in_external_transaction:
        yield
        return
    connection = context.connection
    transaction = connection.get_transaction()
    if transaction is not None:
        transaction.commit()
    # SQLAlchemy rejects another transaction within `with engine.begin()`.
    manager = getattr(connection, "_trans_context_manager", None)
    with suppress(AttributeError):
        connection._trans_context_manager = None
    context._in_external_transaction = False
    try:
        yield
    finally:
        with suppress(AttributeError):
            connection._trans_context_manager = manager
