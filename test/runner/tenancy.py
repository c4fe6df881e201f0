"""A multi-tenant backend in the ways that Alembic's users write one, and its tenants."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from conftest import Backend, Database, set_settings

# Alembic's cookbook, https://alembic.sqlalchemy.org/en/latest/cookbook.html#rudimental-schema-level-multi-tenancy-for-postgresql-databases
SEARCH_PATH = """
    connection.execute(text('SET search_path TO "%s"' % tenant))
    connection.commit()
    connection.dialect.default_schema_name = tenant
    context.configure(connection=connection, target_metadata=target_metadata)
"""
VERSION_TABLE_SCHEMA = """
    connection.execute(text('SET search_path TO "%s"' % tenant))
    connection.commit()
    context.configure(connection=connection, target_metadata=target_metadata, version_table_schema=tenant)
"""
SCHEMA_TRANSLATE_MAP = """
    connection = connection.execution_options(schema_translate_map={None: tenant})
    context.configure(connection=connection, target_metadata=target_metadata, version_table_schema=tenant)
"""
STYLES = {
    "search_path": SEARCH_PATH,
    "version_table_schema": VERSION_TABLE_SCHEMA,
    "schema_translate_map": SCHEMA_TRANSLATE_MAP,
}

TENANT = 'context.get_x_argument(as_dictionary=True).get("tenant")'

_ENV = """
from logging.config import fileConfig
from sqlalchemy import engine_from_config, pool, text
from alembic import context

config = context.config
if config.config_file_name is not None:
    fileConfig(config.config_file_name)
target_metadata = None
tenant = {tenant}


def do_run_migrations(connection):
{configure}
    with context.begin_transaction():
        context.run_migrations()


"""
_SYNC = """
connectable = engine_from_config(config.get_section(config.config_ini_section, {}), prefix="sqlalchemy.", poolclass=pool.NullPool)
with connectable.connect() as connection:
    do_run_migrations(connection)
"""
_ASYNC = """
import asyncio
from sqlalchemy.ext.asyncio import async_engine_from_config


async def run():
    section = config.get_section(config.config_ini_section, {})
    connectable = async_engine_from_config(section, prefix="sqlalchemy.", poolclass=pool.NullPool)
    async with connectable.connect() as connection:
        await connection.run_sync(do_run_migrations)
    await connectable.dispose()


asyncio.run(run())
"""


def write_env(backend: Backend, configure: str = SEARCH_PATH, template: str = "generic", tenant: str = TENANT) -> None:
    """An env.py that takes its tenant from Alembic's x argument."""
    backend.write_env(_ENV.format(configure=configure.strip("\n"), tenant=tenant) + (_ASYNC if template == "async" else _SYNC))


def set_tenant_settings(monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
    set_settings(monkeypatch, **{"tenants": {}, **settings})


def create_schemas(database: Database, names: Iterable[str]) -> None:
    with database.connect() as connection, connection.pipeline():
        for name in names:
            connection.execute(f'CREATE SCHEMA "{name}"')


def batch(*names: str, **more: Any) -> dict[str, Any]:
    """A request."""
    return {"tenants": [{"name": name} for name in names], **more}


def versions(database: Database, schema: str, table: str = "alembic_version") -> list[str]:
    return [row[0] for row in database.rows(f'SELECT version_num FROM "{schema}"."{table}" ORDER BY 1')]


def outcomes(answer: dict[str, Any]) -> dict[str, Any]:
    """By tenant."""
    return {outcome["tenant"]: outcome for outcome in answer["outcomes"]}


def codes(answer: dict[str, Any]) -> dict[str, str]:
    """Of the tenants that failed."""
    return {name: outcome["error"]["code"] for name, outcome in outcomes(answer).items() if "error" in outcome}
