"""Logical replication between two PostgreSQLs: a revision that would stop the subscriber is named, and refused on request."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from cdk_alembic.production.replication import _UNREAD, Changes, _changes, judge
from conftest import Backend, eventually, failure, fresh_database, invoke, set_settings
from servers import postgres


def test_a_revision_that_would_stop_the_subscriber_is_named_and_refused_before_it_does(
    package: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgres(["wal_level=logical"]) as port, postgres([]) as other:
        monkeypatch.setenv("PGPORT", str(port))
        with fresh_database() as database, psycopg.connect(dbname="postgres", port=other, autocommit=True) as subscriber:

            def arrived() -> list[tuple[Any, ...]]:
                return subscriber.execute("SELECT id FROM aa ORDER BY 1").fetchall()

            package.initialise(database.url("postgresql+psycopg"))
            package.table_revision("aa")
            assert "replication" not in invoke({"command": "plan"})
            invoke()
            database.execute("CREATE TYPE mood AS ENUM ('sad')")
            database.execute("CREATE PUBLICATION shop FOR TABLE aa; INSERT INTO aa VALUES (1)")
            subscriber.execute("CREATE TABLE aa (id int PRIMARY KEY)")
            source = f"host=127.0.0.1 port={port} user={database.user} dbname={database.name}"
            subscriber.execute(f"CREATE SUBSCRIPTION copy CONNECTION '{source}' PUBLICATION shop")
            try:
                # The first copy has a slot of its own, which is gone then.
                ready = "SELECT FROM pg_subscription_rel WHERE srsubstate = 'r'"
                eventually(lambda: subscriber.execute(ready).fetchall())
                assert arrived() == [(1,)]
                database.execute("UPDATE alembic_version SET version_num = 'newer'")
                ahead = invoke({"command": "plan"})
                assert ahead["status"] == "ahead" and "replication" not in ahead
                database.execute("UPDATE alembic_version SET version_num = 'aa'")
                package.table_revision("bb", "aa")
                package.revision("cc", "bb", 'op.add_column("aa", sa.Column("name", sa.Text, server_default="x"))')
                package.revision("dd", "cc", 'op.get_bind().execute(sa.text("SELECT 1")).scalar()')
                package.revision("ee", "dd", "op.execute('ALTER TYPE mood ADD VALUE $$glad$$')")

                plan = invoke({"command": "plan"})
                assert plan["replication"] == {
                    "slots": [{"name": "copy", "plugin": "pgoutput", "active": True}],
                    "publications": [{"name": "shop", "allTables": False, "tables": 1}],
                    "breaks": [{"revision": "cc", "what": "alters", "table": "aa"}],
                    "unread": ["dd", "ee"],
                }
                assert any("cc alters aa, which a subscriber follows" in warning for warning in plan["warnings"])

                set_settings(monkeypatch, onReplication="refuse")
                error = failure()["error"]
                assert (error["code"], error["revision"]) == ("breaks_replication", "cc")
                assert "(copy)" in error["message"] and "cc alters aa" in error["message"] and "dd" in error["message"]
                assert database.versions() == ["aa"]
                assert invoke({"revision": "bb"})["to"] == ["bb"]
                database.execute("INSERT INTO aa VALUES (2)")
                eventually(lambda: arrived() == [(1,), (2,)])

                set_settings(monkeypatch, onReplication="ignore")
                assert "replication" not in invoke({"command": "plan"})
                assert invoke()["to"] == ["ee"]
                database.execute("INSERT INTO aa VALUES (3)")
                errors = "SELECT apply_error_count FROM pg_stat_subscription_stats"
                eventually(lambda: subscriber.execute(errors).fetchone()[0] > 0)
                assert arrived() == [(1,), (2,)]
                subscriber.execute("ALTER TABLE aa ADD COLUMN name text")
                eventually(lambda: arrived() == [(1,), (2,), (3,)])
            finally:
                subscriber.execute("DROP SUBSCRIPTION copy")


def publication(all_tables: bool = False, schemas: tuple[str, ...] = (), tables: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"name": "p", "allTables": all_tables, "schemas": schemas, "tables": [name.split(".") for name in tables]}


def breaks(sql: str, followed: dict[str, Any], schema: str | None = None) -> list[str]:
    """What an SQL changes of what is followed. `schema`: a tenant's."""
    changes = Changes(list(_changes("r", sql, "alembic_version", schema)), [])
    return [f"{change['what']} {change['table']}" for change in judge(changes, followed, schema)["breaks"]]


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        # In which schema it will be is not known.
        ("CREATE TABLE cc (id int)", ["creates cc"]),
        ("CREATE TABLE app.cc (id int)", ["creates app.cc"]),
        ("CREATE TABLE IF NOT EXISTS other.cc (id int)", []),
        ('ALTER TABLE ONLY public."Aa" ADD name text; ALTER TABLE other ADD name text', ["alters public.Aa"]),
        ("ALTER TABLE IF EXISTS bb DROP name", ["alters bb"]),
        ("ALTER TABLE BB DROP name", ["alters bb"]),
        ('ALTER TABLE "BB" DROP name', []),
        ("ALTER TABLE elsewhere.bb DROP name", []),
        ("ALTER TABLE bb VALIDATE CONSTRAINT c", []),
        ("DROP TABLE other, bb, app.dd CASCADE", ["drops bb", "drops app.dd"]),
        ("SELECT id INTO app.ee FROM bb", ["creates app.ee"]),
        ("SELECT id FROM bb; INSERT INTO app.dd VALUES (1)", []),
        ("WITH new AS (SELECT 1) INSERT INTO app.dd SELECT * FROM new", []),
        ("UPDATE bb SET name = 'x'; CREATE INDEX ON bb (name); TRUNCATE bb", []),
    ],
)
def test_only_changes_of_replicated_tables_are_found(sql: str, found: list[str]) -> None:
    slots = [{"name": "s", "plugin": "pgoutput", "active": True}]
    tables = ("public.Aa", "public.bb", "app.dd")
    followed = {"slots": slots, "publications": [publication(tables=tables), publication(schemas=("app",))]}
    assert breaks(sql, followed) == found


@pytest.mark.parametrize(
    ("sql", "followed_of"),
    [
        ("ALTER TABLE orders ADD name text", ["acme"]),
        ("ALTER TABLE acme.orders ADD name text", ["acme", "globex"]),
        ("ALTER TABLE globex.orders ADD name text", []),
        ("ALTER TABLE shared ADD name text; DROP TABLE public.shared", ["acme", "globex"]),
        ("CREATE TABLE new (id int)", ["globex"]),
        ("CREATE TABLE acme.new (id int)", []),
    ],
)
def test_a_table_without_a_schema_is_that_of_the_tenant(sql: str, followed_of: list[str]) -> None:
    slots = [{"name": "s", "plugin": "pgoutput", "active": True}]
    publications = [publication(tables=("acme.orders", "public.shared")), publication(schemas=("globex",))]
    followed = {"slots": slots, "publications": publications}
    assert [schema for schema in ("acme", "globex") if breaks(sql, followed, schema)] == followed_of


@pytest.mark.parametrize(
    ("sql", "is_unread"),
    [
        ("SELECT 1; DROP SCHEMA app CASCADE", True),
        ("DROP TYPE mood CASCADE", True),
        ("DROP TYPE mood; SELECT ? FROM a_cascade", False),
        ("ALTER TYPE mood ADD VALUE ?", True),
        ("DROP OWNED BY app", True),
        ("DO ?", True),
        ("CALL make_tables()", True),
        ("INSERT INTO bb VALUES (?) ON CONFLICT DO NOTHING", False),
        ("CREATE SCHEMA app; CREATE TYPE mood AS ENUM (?)", False),
    ],
)
def test_a_statement_that_changes_tables_without_naming_them_is_not_considered_harmless(sql: str, is_unread: bool) -> None:
    assert bool(_UNREAD.search(sql)) == is_unread


def test_a_publication_of_all_tables_and_other_plugins_replicate_every_table() -> None:
    sql = "CREATE TABLE alembic_version (v text); CREATE TABLE new (id int)"
    for plugin, publications in (("pgoutput", [publication(all_tables=True)]), ("wal2json", [])):
        followed = {"slots": [{"name": "s", "plugin": plugin, "active": False}], "publications": publications}
        assert breaks(sql, followed) == ["creates new"]
