"""A faulty database, secret or version table of one tenant fails only that tenant; the others are migrated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cdk_alembic.connection import address as addresses
from conftest import Backend, Database, invoke
from each_driver import DRIVERS
from secret_databases import secret
from tenancy import VERSION_TABLE_SCHEMA, batch, codes, create_schemas, outcomes, set_tenant_settings, versions, write_env
from tenant_databases import tenants


@pytest.fixture(params=DRIVERS, ids=lambda driver: "-".join(driver))
def schemas(request: Any, package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    """A backend with each driver, the migrated schemas a, b and c, and a second revision."""
    template, scheme = request.param
    set_tenant_settings(monkeypatch, limits={"mutexWaitSeconds": 1, "lockRetrySeconds": 0})
    write_env(package.initialise(database.url(scheme), template), VERSION_TABLE_SCHEMA, template)
    create_schemas(database, "abc")
    package.table_revision("r1")
    assert invoke(batch(*"abc"))["failed"] == 0
    package.table_revision("r2", "r1")
    yield package


INVALID = {
    "overlapping rows": "INSERT INTO b.alembic_version VALUES ('r2')",
    "a row twice": "ALTER TABLE b.alembic_version DROP CONSTRAINT alembic_version_pkc;"
    " INSERT INTO b.alembic_version VALUES ('r1')",
    "NULL": "ALTER TABLE b.alembic_version DROP CONSTRAINT alembic_version_pkc, ALTER version_num DROP NOT NULL;"
    " INSERT INTO b.alembic_version VALUES (NULL)",
    "a renamed column": "ALTER TABLE b.alembic_version RENAME version_num TO version",
    "an integer column": "TRUNCATE b.alembic_version; ALTER TABLE b.alembic_version ALTER version_num TYPE int USING 1;"
    " INSERT INTO b.alembic_version VALUES (1)",
}


@pytest.mark.parametrize("command", ["upgrade", "plan"])
def test_an_invalid_version_table_fails_only_its_tenant(schemas: Backend, database: Database, command: str) -> None:
    for what, statement in INVALID.items():
        database.execute("CREATE TABLE b.kept AS SELECT * FROM b.alembic_version")
        database.execute(statement)
        answer = invoke(batch(*"abc", command=command))
        assert codes(answer) == {"b": "invalid_version_table"}, what
        assert outcomes(answer)["b"]["error"]["next"], what
        database.execute("DROP TABLE b.alembic_version; ALTER TABLE b.kept RENAME TO alembic_version")
        database.execute("ALTER TABLE b.alembic_version ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)")
    expected = ["r2"] if command == "upgrade" else ["r1"]
    assert versions(database, "a") == versions(database, "c") == expected


@pytest.mark.parametrize("command", ["upgrade", "plan"])
@pytest.mark.usefixtures("impatient")
def test_a_locked_version_table_fails_only_its_tenant(schemas: Backend, database: Database, command: str) -> None:
    with database.connect() as rival, rival.transaction():
        rival.execute("LOCK TABLE b.alembic_version IN ACCESS EXCLUSIVE MODE")
        answer = invoke(batch(*"abc", command=command))
        assert codes(answer) == {"b": "lock_not_available"}
    assert invoke(batch(*"abc", command=command))["failed"] == 0


def test_a_schema_that_the_role_may_not_use_fails_only_its_tenant(schemas: Backend, database: Database) -> None:
    database.execute("REVOKE ALL ON b.alembic_version FROM CURRENT_USER")
    role = f"somebody_{database.name}"
    with database.connect() as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'someone'")
        try:
            connection.execute(f"GRANT ALL ON SCHEMA a, c TO {role}; GRANT ALL ON ALL TABLES IN SCHEMA a, c TO {role}")
            connection.execute(f"GRANT USAGE ON SCHEMA b TO {role}")
            ini = schemas.directory / "alembic.ini"
            scheme = ini.read_text().split("sqlalchemy.url = ")[1].split(":")[0]
            there = f"@{database.host}:{database.port}/{database.name}"
            ini.write_text(ini.read_text().replace(database.url(scheme), f"{scheme}://{role}:someone{there}"))
            answer = invoke(batch(*"abc"))
        finally:
            connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
    assert codes(answer) == {"b": "permission_denied"}
    assert outcomes(answer)["a"]["to"] == ["r2"]


def test_a_tenant_whose_sessions_were_ended_reports_its_revision(schemas: Backend, database: Database) -> None:
    others = "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = current_database()"
    ended = f"{others} AND pid <> pg_backend_pid()"
    schemas.revision("r3", "r2", f"op.execute('{ended}')\nop.execute('SELECT pg_terminate_backend(pg_backend_pid())')")
    outcome = outcomes(invoke(batch("a")))["a"]
    assert (outcome["status"], outcome["applied"], outcome["to"]) == ("failed", ["r2"], ["r2"])


@pytest.mark.parametrize("bad", ["abc", "", "99999999", "0x10"])
def test_an_invalid_port_fails_only_its_tenant(
    package: Backend,
    own: dict[str, Database],
    by_secret: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
    bad: str,
) -> None:
    by_secret("postgresql+psycopg", "generic")
    fetch = addresses._fetch
    texts = {"arn:bad": secret(own["acme"], port=bad or "x"), "arn:url": f"postgresql://u:p@h:{bad or 'x'}/d"}
    monkeypatch.setattr(addresses, "_fetch", lambda arn: texts.get(arn) or fetch(arn))
    package.table_revision("r1")
    request = tenants(**{name: {"secretArn": f"arn:{name}"} for name in ("acme", "bad", "url", "globex")})
    answer = invoke(request)
    assert codes(answer) == {"bad": "secret_unavailable", "url": "secret_unavailable"}
    assert [versions(of_tenant, "public") for of_tenant in own.values()] == [["r1"], ["r1"]]
    assert codes(invoke(request)) == codes(answer)  # when the others have shown where they are
