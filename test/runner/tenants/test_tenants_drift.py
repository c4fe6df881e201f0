"""Drift of tenants: what was changed by hand in one of many, and nothing of the others."""

from __future__ import annotations

from typing import Any

import pytest
from cdk_alembic.connection import drivers
from conftest import Backend, Database, invoke
from each_driver import DRIVERS
from tenancy import SEARCH_PATH, STYLES, batch, codes, create_schemas, outcomes, set_tenant_settings, versions, write_env
from tenant_databases import tenants

TABLES = '''
op.execute("""
CREATE TABLE users (id int PRIMARY KEY, email text NOT NULL);
CREATE INDEX users_email ON users (email);
""")
'''
NAMES = ("acme", "globex", "initech", "tenant-4")


def drift(*names: str, **more: Any) -> dict[str, Any]:
    """By tenant."""
    answer = invoke(batch(*names, command="drift", **more))
    assert (answer["failed"], answer["left"]) == (0, [])
    return {name: outcome["drift"] for name, outcome in outcomes(answer).items()}


def statuses(*names: str, **more: Any) -> list[str]:
    return [found["status"] for found in drift(*names, **more).values()]


@pytest.fixture
def watched(package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch) -> Backend:
    """Schemas at head in one database, with drift watched."""
    set_tenant_settings(monkeypatch, onDrift="warn")
    write_env(package.initialise(database.url("postgresql+psycopg")), SEARCH_PATH)
    create_schemas(database, NAMES)
    package.revision("r1", None, TABLES)
    assert codes(invoke(batch(*NAMES))) == {}
    return package


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
@pytest.mark.parametrize("style", STYLES)
def test_a_change_by_hand_in_one_of_many_schemas_is_found_there_and_its_ddl_brings_it_back(
    package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, style: str, template: str, scheme: str
) -> None:
    set_tenant_settings(monkeypatch, onDrift="warn")
    write_env(package.initialise(database.url(scheme), template), STYLES[style], template)
    create_schemas(database, NAMES)
    package.revision("r1", None, 'op.create_table("users", sa.Column("id", sa.Integer), sa.Column("email", sa.Text))')
    assert codes(invoke(batch(*NAMES))) == {}
    kept = "SELECT version_table, digest FROM cdk_alembic.kept_catalog ORDER BY 1"
    before = database.rows(kept)
    assert [name for name, _ in before] == [f"{name}.alembic_version" for name in NAMES]
    assert statuses(*NAMES) == ["none"] * 4
    database.execute("ALTER TABLE globex.users DROP email; CREATE TABLE globex.by_hand (id int)")
    found = drift(*NAMES)
    odd = found.pop("globex")
    assert {one["status"] for one in found.values()} == {"none"}
    assert (odd["status"], odd["count"]) == ("drifted", 2)
    assert odd["objects"] == [
        {
            "change": "removed",
            "object": "column globex.users.email",
            "kept": "text",
            "ddl": "ALTER TABLE globex.users ADD COLUMN email text;",
        },
        {"change": "added", "object": "table globex.by_hand", "found": "TABLE", "ddl": "DROP TABLE globex.by_hand;"},
    ]
    for one in odd["objects"]:
        database.execute(one["ddl"])
    assert statuses(*NAMES) == ["none"] * 4
    assert database.rows(kept) == before


def test_objects_outside_of_a_tenants_schema_are_not_compared(watched: Backend, database: Database) -> None:
    database.execute(
        """
        CREATE SCHEMA hooli;
        CREATE TABLE hooli.users (id int PRIMARY KEY);
        CREATE TABLE users (id int PRIMARY KEY, acme_id int REFERENCES acme.users);
        CREATE VIEW everybody AS SELECT id FROM acme.users UNION ALL SELECT id FROM globex.users;
        CREATE FUNCTION twice(i int) RETURNS int LANGUAGE sql AS 'SELECT i * 2';
        CREATE EXTENSION pg_trgm SCHEMA acme;
        CREATE PUBLICATION shop FOR TABLE acme.users;
        CREATE FUNCTION quiet() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
        CREATE EVENT TRIGGER quiet ON ddl_command_end EXECUTE FUNCTION quiet();
        COMMENT ON SCHEMA hooli IS 'new';
        """
    )
    try:
        assert statuses(*NAMES) == ["none"] * 4
    finally:
        database.execute("DROP EVENT TRIGGER quiet; DROP PUBLICATION shop")


# Kinds of objects that a schema has: a change by hand, and the object that it is found as.
PLANTED = {
    "ALTER TABLE users ADD CONSTRAINT c CHECK (id > 0)": [("added", "constraint acme.users.c")],
    "CREATE VIEW v AS SELECT id FROM users": [("added", "view acme.v")],
    "CREATE SEQUENCE s": [("added", "sequence acme.s")],
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'": [("added", "function acme.f()")],
    "CREATE TYPE mood AS ENUM ('good')": [("added", "type acme.mood")],
    "CREATE DOMAIN code AS text CHECK (VALUE <> '')": [("added", "domain acme.code")],
    "CREATE STATISTICS st ON id, email FROM users": [("added", "statistics acme.st")],
    "CREATE POLICY p ON users": [("added", "policy acme.users.p")],
    "CREATE RULE r AS ON DELETE TO users DO INSTEAD NOTHING": [("added", "rule acme.users.r")],
    "COMMENT ON COLUMN users.email IS 'mail'": [("added", "comment on table column acme.users.email")],
    "ALTER INDEX users_email RENAME TO by_hand": [("added", "index acme.by_hand"), ("removed", "index acme.users_email")],
    "COMMENT ON INDEX by_hand IS 'mail'": [("added", "comment on index acme.by_hand")],
    "COMMENT ON CONSTRAINT users_pkey ON users IS 'key'": [("added", "comment on table constraint users_pkey on acme.users")],
    "COMMENT ON SCHEMA acme IS 'ours'": [("added", "comment on schema acme")],
    "GRANT SELECT ON users TO pg_monitor": [("added", "grants on table acme.users")],
    "GRANT USAGE ON SCHEMA acme TO pg_monitor": [("added", "grants on schema acme")],
    # Its columns, indexes, comments and the like are not listed beside it.
    "DROP STATISTICS st": [("removed", "statistics acme.st")],
    "COMMENT ON INDEX by_hand IS NULL": [("removed", "comment on index acme.by_hand")],
    "DROP TABLE users CASCADE": [("removed", "table acme.users"), ("removed", "view acme.v")],
}


def test_each_kind_of_object_of_a_schema_is_compared(watched: Backend, database: Database) -> None:
    for sql, expected in PLANTED.items():
        database.execute(f"SET search_path = acme; {sql}")
        # Accepts it: the next change is found alone.
        found = drift("globex", "acme", allow=["drift"])
        assert (found["globex"]["status"], found["acme"]["status"]) == ("none", "drifted"), sql
        assert [(one["change"], one["object"]) for one in found["acme"]["objects"]] == expected, sql
    assert statuses("globex", "acme") == ["none", "none"]


def test_members_of_a_dropped_table_are_not_listed_separately_even_in_a_schema_with_a_quoted_name(
    watched: Backend, database: Database
) -> None:
    database.execute('CREATE TABLE "tenant-4".orders (id serial); CREATE INDEX orders_id ON "tenant-4".orders (id)')
    database.execute("""COMMENT ON COLUMN "tenant-4".orders.id IS 'number'; GRANT SELECT ON "tenant-4".orders TO pg_monitor""")
    found = drift(*NAMES)["tenant-4"]
    assert [one["object"] for one in found["objects"]] == ["table tenant-4.orders"]


def test_a_tenant_without_drift_costs_one_query(watched: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    queries: list[str] = []
    fetch_value = drivers._Blocking.fetch_value
    monkeypatch.setattr(drivers._Blocking, "fetch_value", lambda self, query: queries.append(query) or fetch_value(self, query))
    assert statuses(*NAMES) == ["none"] * 4
    # The first tenant shows env.py's database; one query finds the schemas, and one sets the session.
    assert len(queries) == 2 + len(NAMES) - 1


def test_the_answer_has_the_first_objects_and_no_long_definition(watched: Backend, database: Database) -> None:
    database.execute("ALTER TABLE acme.users " + ", ".join(f"ADD c{number} int" for number in range(30)))
    database.execute(f"CREATE FUNCTION globex.f() RETURNS text LANGUAGE sql AS $$ SELECT '{'x' * 3000}' $$")
    found = drift(*NAMES)
    assert (found["acme"]["count"], len(found["acme"]["objects"])) == (30, 10)
    assert found["globex"]["objects"] == [{"change": "added", "object": "function globex.f()"}]


def test_the_catalogs_of_tenants_at_head_are_kept_when_a_stage_turns_it_on(
    watched: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.execute("DROP TABLE cdk_alembic.kept_catalog")
    found = drift(*NAMES)
    assert {one["status"] for one in found.values()} == {"unknown"}
    assert "set onDrift" in found["acme"]["reason"]
    set_tenant_settings(monkeypatch)
    assert codes(invoke(batch(*NAMES))) == {}
    assert statuses(*NAMES) == ["unknown"] * 4
    set_tenant_settings(monkeypatch, onDrift="ignore")
    assert [outcome["applied"] for outcome in invoke(batch(*NAMES))["outcomes"]] == [[]] * 4
    rows = "SELECT version_table, xmin::text FROM cdk_alembic.kept_catalog ORDER BY 1"
    kept = database.rows(rows)
    assert len(kept) == 4
    assert statuses(*NAMES) == ["none"] * 4
    assert codes(invoke(batch(*NAMES))) == {}
    assert database.rows(rows) == kept


def test_a_drifted_tenant_is_rejected_and_the_others_continue(
    watched: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.execute("CREATE TABLE globex.by_hand (id int)")
    watched.table_revision("r2", "r1")
    set_tenant_settings(monkeypatch, onDrift="refuse")
    answer = invoke(batch(*NAMES))
    assert codes(answer) == {"globex": "drifted"}
    error = outcomes(answer)["globex"]["error"]
    assert "tenant globex: 1 object was changed by hand" in error["message"] and "table globex.by_hand" in error["message"]
    assert [versions(database, name) for name in NAMES] == [["r2"], ["r1"], ["r2"], ["r2"]]
    assert statuses(*NAMES) == ["none", "drifted", "none", "none"]
    # It stays a drift: no revision changed it.
    assert codes(invoke(batch(*NAMES, allow=["drift"]))) == {}
    assert [versions(database, name) for name in NAMES] == [["r2"]] * 4
    found = drift(*NAMES)["globex"]
    assert [one["object"] for one in found["objects"]] == ["table globex.by_hand"]
    watched.table_revision("r3", "r2")
    set_tenant_settings(monkeypatch, onDrift="warn")
    assert [warning for warning in invoke(batch(*NAMES))["warnings"] if warning.startswith("tenant globex: 1 object")]


def test_a_tenant_that_was_moved_since_is_unknown_and_one_that_is_behind_is_compared(
    watched: Backend, database: Database
) -> None:
    watched.table_revision("r2", "r1")
    database.execute("UPDATE initech.alembic_version SET version_num = 'r2'")
    answer = outcomes(invoke(batch(*NAMES, command="drift")))
    assert [(answer[name]["status"], answer[name]["drift"]["status"]) for name in NAMES] == [
        ("pending", "none"),
        ("pending", "none"),
        ("complete", "unknown"),
        ("pending", "none"),
    ]
    assert "kept at r1, and the database is at r2" in answer["initech"]["drift"]["reason"]


def test_each_database_of_a_tenant_is_compared_as_a_whole(
    package: Backend, database: Database, own: dict[str, Database], by_secret: Any
) -> None:
    by_secret("postgresql+psycopg", "generic", onDrift="warn")
    package.revision("r1", None, TABLES)
    request = tenants(acme={"secretArn": "arn:acme"}, globex={"secretArn": "arn:globex"})
    assert codes(invoke(request)) == {}
    assert own["globex"].rows("SELECT version_table FROM cdk_alembic.kept_catalog") == [("alembic_version",)]
    assert database.rows("SELECT to_regclass('cdk_alembic.kept_catalog')") == [(None,)]
    look = {**request, "command": "drift"}
    assert [outcome["drift"]["status"] for outcome in invoke(look)["outcomes"]] == ["none", "none"]
    own["globex"].execute("DROP INDEX users_email; CREATE SCHEMA by_hand")
    found = [outcome["drift"] for outcome in invoke(look)["outcomes"]]
    assert [one["status"] for one in found] == ["none", "drifted"]
    assert [one["object"] for one in found[1]["objects"]] == ["index users_email", "schema by_hand"]
    own["globex"].execute("CREATE INDEX users_email ON users (email); DROP SCHEMA by_hand")
    assert [outcome["drift"]["status"] for outcome in invoke(look)["outcomes"]] == ["none", "none"]


def test_each_tenant_that_drifted_has_a_line_in_the_log(
    watched: Backend, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    database.execute("DROP INDEX globex.users_email")
    drift(*NAMES)
    lines = [line for line in capsys.readouterr().out.splitlines() if '"drift_found"' in line]
    assert len(lines) == 1
    assert '"tenant": "globex"' in lines[0] and '"index globex.users_email"' in lines[0]
