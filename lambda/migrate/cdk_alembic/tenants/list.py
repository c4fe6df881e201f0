"""The command `tenants`: runs the configured query page by page over a read-only connection."""

from __future__ import annotations

import importlib.util
import json
import os
import re
from typing import Any

from ..connection import address, drivers
from ..connection.address import DatabaseVariables
from ..connection.retries import Retries
from ..database.conditions import connection_failure
from ..database.failures import describe
from ..project.configuration import package_root
from ..project.search_path import search_package
from ..protocol.checks import value_problems
from ..protocol.errors import RunnerError
from ..protocol.log import hide
from ..protocol.request import Invocation
from ..protocol.rules import CONTRACT_VERSION, DEPENDENCIES_DIRECTORY, DRIVERS, TENANTS, TENANTS_PAGE

# Sorting 100,000 tenants takes a second; the query must not use up the function's time.
_MAX_QUERY_SECONDS = 60

_COLUMNS = {"name": "name", "schema": "schema", "secret_arn": "secretArn"}

# Sorts by bytes, in any locale. NULLs come first, so the first page reports them.
_PAGE = """
WITH listed AS (SELECT row_to_json(given.*) AS row FROM (
{query}
) AS given)
SELECT coalesce(json_agg(row), '[]')::text FROM (
  SELECT row FROM listed {after} ORDER BY (row->>'name') COLLATE "C" NULLS FIRST LIMIT {limit}
) AS page
"""
_AFTER = """WHERE (row->>'name') COLLATE "C" > '{name}'"""


def list_tenants(invocation: Invocation, variables: DatabaseVariables) -> dict[str, Any]:
    """Returns the contract's TenantList. Raises RunnerError."""
    query = (invocation.settings.tenants or {}).get("query")
    if query is None:
        raise _unusable("the settings have no query that lists the tenants", "list them as the construct's TenantSource says")
    page = _page(query, invocation.request.after)
    retries, rows = Retries(invocation), None
    while rows is None:
        try:
            rows = _ask(variables, page, invocation.process.seconds_left())
        except RunnerError as error:
            retries.pause(error)
    tenants = [{_COLUMNS.get(name, name): value for name, value in row.items() if value is not None} for row in rows]
    _check(tenants)
    return {
        "contract": CONTRACT_VERSION,
        "command": "tenants",
        "stage": invocation.settings.stage,
        "tenants": tenants[:TENANTS_PAGE],
        "more": len(tenants) > TENANTS_PAGE,
    }


def _page(query: str, after: str | None) -> str:
    query = query.strip().removesuffix(";")
    if ";" in query:
        # One statement can't leave its read-only transaction. A second one could.
        raise _unusable("the query that lists the tenants has a semicolon", "write one SELECT statement without a semicolon")
    # The name was validated: it has no quote.
    return _PAGE.format(query=query, after=_AFTER.format(name=after) if after else "", limit=TENANTS_PAGE + 1)


def _ask(variables: DatabaseVariables, query: str, seconds_left: float) -> list[dict[str, Any]]:
    seconds = max(1, min(_MAX_QUERY_SECONDS, int(seconds_left)))
    timeouts = {"default_transaction_read_only": "on", "lock_timeout": "1000", "statement_timeout": str(seconds * 1000)}
    try:
        connection = drivers.connect(*_address(variables), timeouts)
        try:
            return json.loads(connection.fetch_value(query))
        finally:
            connection.close()
    except RunnerError:
        raise
    except Exception as error:
        if failure := connection_failure(error):
            raise failure from error
        raise _unusable(
            f"the query that lists the tenants failed: {describe(error)}",
            "run it by hand with the function's role: a SELECT with the columns name and, if needed, schema and secret_arn",
        ) from error


def _address(variables: DatabaseVariables) -> tuple[str, dict[str, Any]]:
    """The driver, and its arguments for the function's own database. Raises RunnerError."""
    search_package([package_root() / DEPENDENCIES_DIRECTORY])
    installed = [name for name in DRIVERS if importlib.util.find_spec(name)]
    if not installed:
        raise _unusable("the backend has no driver for PostgreSQL", f"add one to its dependencies: {', '.join(DRIVERS)}")
    driver = installed[0]
    if variables.database["source"] != "environment":
        found = address.fetch(variables.database)
        hide(found["password"])
        variables.close()
        variables.require_tls(found["host"])
        return driver, drivers.options(driver, found)
    if "DATABASE_URL" in os.environ:
        return _of_url(os.environ["DATABASE_URL"], installed)
    if "POSTGRES_HOST" in os.environ:
        names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "database": "DB"}
        found = {part: os.environ.get(f"POSTGRES_{name}", "") for part, name in names.items()}
        return driver, drivers.options(driver, {**found, "port": found["port"] or address.DEFAULT_PORT})
    raise _unusable(
        "the tenants could not be listed: neither DATABASE_URL nor POSTGRES_HOST is set",
        "pass the construct a MigrationDatabase with a secret, or list the tenants elsewhere",
    )


def _of_url(url: str, installed: list[str]) -> tuple[str, dict[str, Any]]:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    named = re.match(r"postgres\w*\+(\w+):", url)
    driver = named[1] if named and named[1] in installed else installed[0]
    try:
        parsed = make_url(re.sub(r"^postgres\w*(\+\w+)?:", f"postgresql+{driver}:", url))
        _, options = parsed.get_dialect()().create_connect_args(parsed)
    except (ArgumentError, ValueError) as error:
        raise _unusable("DATABASE_URL is not a valid address", "write it as postgresql://user:password@host:port/name") from error
    return driver, options


def _check(tenants: list[dict[str, Any]]) -> None:
    if problems := value_problems(TENANTS, tenants, "tenants"):
        raise _unusable(
            f"the query that lists the tenants returns invalid rows: {'; '.join(problems)}",
            "fix the rows, or exclude them in the query; its columns are name, schema and secret_arn",
        )


def _unusable(message: str, next: str) -> RunnerError:
    return RunnerError("invalid_settings", message, next)
