"""Logical replication out of the tenants' databases: only the tenants whose tables are followed are refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cdk_alembic.production import replication
from cdk_alembic.tenants import replicated as replicated_databases
from conftest import Backend, Database, fresh_database, invoke
from servers import postgres
from tenancy import SEARCH_PATH, batch, codes, create_schemas, outcomes, set_tenant_settings, versions, write_env

NAMES = ("acme", "globex", "initech")


@pytest.fixture
def followed(package: Backend, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """Tenants at r1 in a database of which a subscriber follows one tenant's table, with a pending revision that changes it."""
    with postgres(["wal_level=logical"]) as port:
        monkeypatch.setenv("PGPORT", str(port))
        with fresh_database() as database:
            set_tenant_settings(monkeypatch)
            write_env(package.initialise(database.url("postgresql+psycopg")), SEARCH_PATH)
            create_schemas(database, NAMES)
            package.table_revision("r1")
            assert codes(invoke(batch(*NAMES))) == {}
            package.revision("r2", "r1", 'op.add_column("r1", sa.Column("name", sa.Text))')
            package.table_revision("r3", "r2")
            database.execute("CREATE PUBLICATION shop FOR TABLE globex.r1")
            database.execute("SELECT pg_create_logical_replication_slot('copy', 'pgoutput')")
            try:
                yield database
            finally:
                database.execute("SELECT pg_drop_replication_slot('copy')")


def test_a_tenant_with_a_replicated_table_is_rejected_and_the_others_continue(
    package: Backend, followed: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The tenant that is followed is not the first one.
    plan = invoke(batch(*NAMES, command="plan"))
    said = "r2 alters r1, which a subscriber follows"
    assert "logical replication follows this database: copy (inactive)" in plan["warnings"]
    assert [warning for warning in plan["warnings"] if said in warning]

    set_tenant_settings(monkeypatch, onReplication="refuse")
    answer = invoke(batch(*NAMES))
    assert codes(answer) == {"globex": "breaks_replication"}
    assert "r2 alters r1" in outcomes(answer)["globex"]["error"]["message"]
    assert [versions(followed, name) for name in NAMES] == [["r3"], ["r1"], ["r3"]]
    assert followed.rows("SELECT to_regclass('globex.r3')") == [(None,)]

    followed.execute("DROP PUBLICATION shop")
    assert codes(invoke(batch(*NAMES))) == {}
    assert versions(followed, "globex") == ["r3"]


def test_a_plan_reports_it_for_each_tenant_and_renders_each_revision_once(
    package: Backend, followed: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered: list[object] = []
    render = replicated_databases.render
    monkeypatch.setattr(replicated_databases, "render", lambda *given: rendered.append(given) or render(*given))
    # The first tenant of a request shows env.py's database, and this one has nothing to say.
    assert codes(invoke(batch("initech"))) == {}
    warnings = invoke(batch("initech", "acme", "globex", command="plan"))["warnings"]
    assert len(rendered) == 1
    assert [warning.split(":")[0] for warning in warnings] == [
        "logical replication follows this database",
        "r2 alters r1, which a subscriber follows",
    ]
    set_tenant_settings(monkeypatch, onReplication="ignore")
    assert invoke(batch("initech", "acme", "globex", command="plan"))["warnings"] == []


def test_a_database_without_subscribers_is_read_once_for_all_its_tenants(
    package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[object] = []
    read = replication.read_replicated
    monkeypatch.setattr(replication, "read_replicated", lambda connection: reads.append(connection) or read(connection))
    set_tenant_settings(monkeypatch, onReplication="refuse")
    write_env(package.initialise(database.url("postgresql+psycopg")), SEARCH_PATH)
    create_schemas(database, NAMES)
    package.table_revision("r1")
    assert codes(invoke(batch(*NAMES))) == {}
    assert len(reads) == 1
    assert [versions(database, name) for name in NAMES] == [["r1"]] * 3
