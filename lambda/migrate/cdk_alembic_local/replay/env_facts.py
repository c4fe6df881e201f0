"""How env.py handles transactions, and how a replay handles its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cdk_alembic.catalog import catalog_sql, raw
from cdk_alembic.connection.pooled_connections import closing_pooled_connections
from cdk_alembic.connection.statements import refuse_autocommit
from cdk_alembic.database.failures import describe, location
from cdk_alembic.database.version_table import find
from cdk_alembic.project.environment import run_environment
from cdk_alembic.project.project import Project
from cdk_alembic.protocol.errors import EnvFailed, RunnerError
from cdk_alembic.protocol.log import redact, redacted
from cdk_alembic.run.failure import no_version_table_schema

from ..scratch import rows
from ..scratch.scratch import Scratch
from ..source.graph import relative
from . import watch


def basic_facts(project: Project, scratch: Scratch) -> dict[str, Any]:
    """Facts that do not require running env.py."""
    env = Path(project.script.dir) / "env.py"
    named = env.is_file() and "lock_timeout" in env.read_text(encoding="utf-8", errors="replace")
    return {"file": relative(env, project.directory), "postgres": scratch.version, "lockTimeout": named}


# Codes of the runner's refusals. Connection errors and missing privileges have other codes.
_REFUSALS = ("invalid_project", "migration_failed")


def environment_facts(project: Project, scratch: Scratch, is_new: bool) -> dict[str, Any]:
    """EnvironmentFacts without `outerTransaction` and `transaction`, observed on the scratch database, which is empty before and
    after.

    Stamps the first revision with Alembic alone: that runs env.py as `alembic upgrade` does, whatever the revision requires.
    `is_new`: whether the revisions start from an empty database, without a baseline.
    """
    facts: dict[str, Any] = {"keeps": True, **basic_facts(project, scratch)}
    bases = project.script.get_bases()
    if not bases:
        return facts
    if refused := _refusal(project, is_new):
        return {**facts, "keeps": False, "refused": redacted(refused.facts())}
    seen: list[str] = []

    def inspect_context(heads: tuple[str, ...], context: Any) -> tuple[()]:
        seen.extend(heads)
        return ()

    try:
        with _recording_options(facts):
            facts.update(_stamp(project, scratch, bases[0]))
        run_environment(project, inspect_context)
    except RunnerError as error:
        facts["failure"] = redact(error.message)
    except (Exception, SystemExit) as error:
        facts["failure"] = redact(f"{describe(error)}{location(error)}")
    finally:
        scratch.empty(keep_mark=True)
    return {**facts, "keeps": bases[0] in seen}


def _stamp(project: Project, scratch: Scratch, revision: str) -> dict[str, bool]:
    """Stamps like `alembic stamp`, without loading the revisions again. Returns facts of env.py's connection."""
    from alembic.runtime.environment import EnvironmentContext

    works: list[bool] = []
    timeouts: list[bool] = []

    def steps(heads: Any, context: Any) -> Iterator[Any]:
        def check_autocommit(**_: Any) -> None:
            # The condition of autocommit_block(), which commits the transaction that Alembic began.
            works.append(context._transaction is not None or not context._in_connection_transaction())
            timeouts.append(scratch.has_lock_timeout(context.connection))

        for step in project.script._stamp_revs((revision,), heads):
            step.migration_fn = check_autocommit
            yield step

    context = EnvironmentContext(project.config, project.script, fn=steps, destination_rev=(revision,), tag=None)
    with context, closing_pooled_connections():
        project.script.run_env()
    return {"autocommitBlocks": all(works), **({"lockTimeout": all(timeouts)} if timeouts else {})}


def _refusal(project: Project, is_new: bool) -> RunnerError | None:
    """The runner's error for this env.py, or for a new database; None if it accepts both. Writes nothing."""

    def inspect_context(_heads: tuple[str, ...], context: Any) -> tuple[()]:
        refuse_autocommit(context.connection)
        schema = context.connection.schema_for_object(context._version)
        if is_new and schema and not find(context, schema).has_schema:
            raise no_version_table_schema(schema)
        return ()

    try:
        run_environment(project, inspect_context)
    except RunnerError as error:
        return error if error.code in _REFUSALS and not isinstance(error, EnvFailed) else None
    except (Exception, SystemExit):
        # The next run of env.py fails as well, and its error is reported.
        return None
    return None


@contextmanager
def _recording_options(facts: dict[str, Any]) -> Iterator[None]:
    """Within this block, records env.py's own options in the facts: run_environment overrides the first one."""
    from alembic.runtime.environment import EnvironmentContext

    configure = EnvironmentContext.configure

    def observed(self: Any, *args: Any, **options: Any) -> None:
        facts["transactionPerMigration"] = bool(options.get("transaction_per_migration"))
        configure(self, *args, **options)
        facts["versionTable"] = self.get_context()._version.name
        facts["driver"] = self.get_context().dialect.driver

    EnvironmentContext.configure = observed
    try:
        yield
    finally:
        EnvironmentContext.configure = configure


def prepare(context: Any) -> None:
    """Prepares env.py's connection to the scratch database. Call it in a transaction that is committed."""
    connection = context.connection
    raw.execute(connection, "SET synchronous_commit = off")
    if context.version_table_schema:
        # In production the deployer creates the schema: Alembic requires it before the first revision.
        raw.execute(connection, f"CREATE SCHEMA IF NOT EXISTS {rows.quoted(context.version_table_schema)}")
    catalog_sql.prepare(connection, context)


@contextmanager
def prepared_connection(context: Any) -> Iterator[None]:
    """Within this block, env.py's connection to the scratch database is prepared for revisions and for rows."""
    with without_outer_transaction(context):
        with raw.committed(context.connection):
            prepare(context)
            rows.prepare(context.connection)
            watch.prepare(context.connection)
        yield


@contextmanager
def without_outer_transaction(context: Any) -> Iterator[None]:
    """Within this block, each migration has its own transaction, even if env.py started one around all of them."""
    connection = context.connection
    # Statements of env.py may have begun a transaction, which the first migration would join.
    raw.commit(connection)
    # SQLAlchemy rejects another transaction within `with engine.begin()` or `with connection.begin()`.
    block = getattr(connection, "_trans_context_manager", None)
    is_outer = context._in_external_transaction
    if block is not None:
        connection._trans_context_manager = None
    context._in_external_transaction = False
    try:
        yield
    finally:
        if block is not None:
            connection._trans_context_manager = block
        context._in_external_transaction = is_outer
