"""Drift: what was changed by hand since the last run, and nothing else."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from cdk_alembic.drift import check
from cdk_alembic.drift.names import Names, quoted
from cdk_alembic.protocol import answer_size
from conftest import Backend, Database, failure, invoke, set_settings
from each_driver import DRIVERS
from manual_changes import BASE, PLANTED, WITHOUT_DDL
from network import aws


@pytest.fixture
def watched(backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """At head, and drift is watched."""
    set_settings(monkeypatch, onDrift="warn", allow=["downgrade"])
    backend.revision("aa", None, BASE)
    assert invoke()["warnings"] == []
    return database


def drift() -> dict[str, Any]:
    return invoke({"command": "drift"})["drift"]


def test_the_end_of_a_run_and_the_stored_catalog_are_committed_durably(watched: Database, backend: Backend) -> None:
    watched.execute(f'ALTER DATABASE "{watched.name}" SET synchronous_commit = on')
    backend.revision("bb", "aa", "pass")
    watched.execute(
        """
        CREATE TABLE cdk_alembic.commits (of text, waits text);
        CREATE FUNCTION cdk_alembic.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          INSERT INTO cdk_alembic.commits VALUES (TG_TABLE_NAME, current_setting('synchronous_commit')); RETURN NULL; END $$;
        CREATE TRIGGER ends AFTER UPDATE ON cdk_alembic.run FOR EACH ROW EXECUTE FUNCTION cdk_alembic.note();
        CREATE TRIGGER keeps AFTER INSERT OR UPDATE ON cdk_alembic.kept_catalog FOR EACH ROW EXECUTE FUNCTION cdk_alembic.note();
        """
    )
    assert invoke()["to"] == ["bb"]
    assert sorted(watched.rows("SELECT of, waits FROM cdk_alembic.commits")) == [("kept_catalog", "on"), ("run", "on")]


def test_each_kind_of_change_by_hand_is_found_alone_and_its_ddl_brings_it_back(watched: Database) -> None:
    assert drift()["status"] == "none"
    for name, (sql, change, key) in PLANTED.items():
        with watched.connect() as connection:
            before = connection.execute("SELECT digest FROM cdk_alembic.kept_catalog").fetchone()
            connection.execute(sql)
        found = drift()
        assert found["status"] == "drifted", name
        # Alone: the DDL of the change before, which was of another object, has brought that back.
        assert [(one["change"], one["object"]) for one in found["objects"]] == [(change, key)], name
        assert (found["digest"],) == before, name
        ddl = found["objects"][0].get("ddl")
        assert (ddl is None) == (name in WITHOUT_DDL), name
        if ddl is None:
            assert invoke({"command": "drift", "allow": ["drift"]})["drift"]["status"] == "drifted"
        else:
            with watched.connect() as connection:
                for statement in ddl.split(";\n"):
                    connection.execute(statement)
    restored = drift()
    assert (restored["status"], restored["objects"]) == ("none", [])


# Names that DDL must quote, and those whose end only the other names show: changes by hand, and the objects as DDL has them.
ODD_NAMES = '''
op.execute("""
CREATE SCHEMA "tenant-4";
CREATE TABLE "tenant-4"."order" ("user" int PRIMARY KEY, "Total.net" int DEFAULT 1, note text COLLATE "C",
  CONSTRAINT "is positive" CHECK ("user" > 0));
CREATE INDEX "By Hand" ON "tenant-4"."order" ("Total.net");
CREATE VIEW "tenant-4"."My View" AS SELECT "user" FROM "tenant-4"."order";
CREATE FUNCTION "tenant-4"."Twice"(i int) RETURNS int LANGUAGE sql AS 'SELECT i * 2';
CREATE SEQUENCE "tenant-4"."Numbers" OWNED BY "tenant-4"."order"."user";
CREATE TYPE "tenant-4"."Mood" AS ENUM ('it''s good');
CREATE POLICY "My Policy" ON "tenant-4"."order" TO pg_monitor;
COMMENT ON COLUMN "tenant-4"."order"."Total.net" IS 'one';
GRANT SELECT ON "tenant-4"."order" TO pg_monitor;
CREATE TABLE "a.b" (c int);
""")
'''
CHANGED_NAMES = (
    'ALTER TABLE "tenant-4"."order" DROP "Total.net"',
    'ALTER TABLE "tenant-4"."order" ALTER "Total.net" TYPE bigint, ALTER "Total.net" SET DEFAULT 2',
    'ALTER TABLE "tenant-4"."order" DROP note',
    'ALTER TABLE "tenant-4"."order" DROP CONSTRAINT "is positive"',
    'DROP INDEX "tenant-4"."By Hand"',
    'CREATE OR REPLACE VIEW "tenant-4"."My View" AS SELECT "user" + 0 AS "user" FROM "tenant-4"."order"',
    'DROP FUNCTION "tenant-4"."Twice"(int)',
    'ALTER SEQUENCE "tenant-4"."Numbers" CYCLE',
    'DROP TYPE "tenant-4"."Mood"',
    'DROP POLICY "My Policy" ON "tenant-4"."order"',
    'COMMENT ON COLUMN "tenant-4"."order"."Total.net" IS NULL',
    'REVOKE SELECT ON "tenant-4"."order" FROM pg_monitor',
    'DROP TABLE "tenant-4"."order" CASCADE',
    'CREATE TABLE "tenant-4"."Sel.ect" ("by hand" int)',
    'ALTER TABLE "a.b" ADD "select" int',
    'CREATE SCHEMA "By Hand"; CREATE TABLE "By Hand".t (id int)',
)


def test_ddl_quotes_names_and_finds_where_they_end(backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    set_settings(monkeypatch, onDrift="warn")
    backend.revision("aa", None, ODD_NAMES)
    invoke()
    for sql in CHANGED_NAMES:
        database.execute(sql)
        found = drift()
        assert found["status"] == "drifted", sql
        for one in sorted(found["objects"], key=lambda one: (one["change"] == "added", one["object"].split()[0] != "table")):
            assert "ddl" in one, (sql, one)
            with database.connect() as connection:
                for statement in one["ddl"].split(";\n"):
                    connection.execute(statement)
        assert (sql, drift()["objects"]) == (sql, [])


def test_a_name_that_can_mean_two_objects_gets_no_ddl() -> None:
    names = Names(["schema a", "schema a.b", "table a.b.c"])
    assert (names.quoted("a.b.c"), names.quoted("a.c"), names.quoted("c.d")) == (None, "a.c", '"c.d"')
    assert Names(["table a", "table a.b"]).member("a.b.c") is None


def test_each_reserved_word_is_quoted(database: Database) -> None:
    reserved = [word for (word,) in database.rows("SELECT word FROM pg_get_keywords() WHERE catcode IN ('R', 'T')")]
    assert len(reserved) > 90 and [word for word in reserved if quoted(word) == word] == []


# What happens to every database, and is no drift. A list undoes nothing of its own.
HARMLESS = [
    [
        "INSERT INTO users (email) SELECT 'a' || i FROM generate_series(1, 50) AS i",
        "VACUUM FULL",
        "ANALYZE",
        "REINDEX TABLE users",
        "CLUSTER users USING users_pkey",
    ],
    [
        "ALTER TABLE users SET WITHOUT CLUSTER",
        "SELECT nextval('numbers')",
        "REFRESH MATERIALIZED VIEW totals",
        "CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
        "CREATE INDEX ON events_2026 (at)",
        "COMMENT ON TABLE events_2026 IS 'this year'; GRANT SELECT ON events_2026 TO pg_monitor",
        "DROP TABLE events_2025",
        "CREATE TEMPORARY TABLE mine (id int)",
        "ALTER ROLE CURRENT_USER IN DATABASE {database} SET search_path = billing, public",
        "ALTER DATABASE {database} SET timezone = 'Asia/Tokyo'",
        "ALTER DATABASE {database} SET datestyle = 'SQL, DMY'",
        "ALTER DATABASE {database} SET intervalstyle = 'iso_8601'",
        "ALTER DATABASE {database} SET quote_all_identifiers = on",
    ],
]


def test_routine_maintenance_is_not_drift(watched: Database) -> None:
    try:
        for statements in HARMLESS:
            for statement in statements:
                watched.execute(statement.format(database=watched.name))
            assert drift()["objects"] == []
    finally:
        watched.execute(f"ALTER DATABASE {watched.name} RESET ALL; ALTER ROLE CURRENT_USER IN DATABASE {watched.name} RESET ALL")


@pytest.mark.parametrize("condition", ["code IN ('a', 'it''s, b')", "code NOT IN ('a')", "code = ANY (ARRAY['a', 'b'])"])
def test_conditions_that_postgresql_prints_differently_after_a_dump_and_a_restore_are_not_drift(
    backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, condition: str
) -> None:
    set_settings(monkeypatch, onDrift="warn")
    table = f"CREATE TABLE t (code varchar(9), CONSTRAINT known CHECK ({condition}))"
    backend.revision("aa", None, f'op.execute("""{table}; CREATE INDEX i ON t (code) WHERE {condition}""")')
    invoke()
    get = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'known'"
    ((check,),), ((index,),) = database.rows(get), database.rows("SELECT pg_get_indexdef('i'::regclass)")
    # As pg_dump and pg_restore do.
    database.execute(f"ALTER TABLE t DROP CONSTRAINT known, ADD CONSTRAINT known {check}; DROP INDEX i; {index}")
    assert drift()["objects"] == []
    database.execute("ALTER TABLE t DROP CONSTRAINT known, ADD CONSTRAINT known CHECK (code IN ('a', 'other'))")
    assert [one["object"] for one in drift()["objects"]] == ["constraint t.known"]


def test_upgrades_in_slices_and_downgrades_are_not_drift(watched: Database, backend: Backend) -> None:
    backend.revision("bb", "aa", 'op.add_column("users", sa.Column("phone", sa.Text))', 'op.drop_column("users", "phone")')
    backend.revision("cc", "bb", 'op.create_index("users_phone", "users", ["phone"])', 'op.drop_index("users_phone")')
    for _ in ("bb", "cc"):
        assert invoke({"sliceSeconds": 0})["warnings"] == []
        assert drift()["status"] == "none"
    for revision in ("bb", "aa"):
        assert invoke({"command": "downgrade", "revision": revision})["warnings"] == []
        assert drift()["status"] == "none"


def test_drift_is_a_line_in_the_plan_and_a_warning_of_the_run_and_stays_drift_after_it(
    watched: Database, backend: Backend
) -> None:
    watched.execute("DROP INDEX orders_user_id; ALTER TABLE users ADD by_hand int")
    drop = 'op.drop_column("users", "by_hand")  # cdk-alembic: allow drop-column: nobody needs it'
    backend.revision("bb", "aa", f'{drop}\nop.create_table("t", sa.Column("id", sa.Integer))')
    line = "2 objects were changed by hand since "
    (warning,) = invoke({"command": "plan"})["warnings"]
    assert warning.startswith(line) and warning.endswith(": column users.by_hand (added), index orders_user_id (removed)")
    answer = invoke()
    assert answer["status"] == "complete" and answer["warnings"] == [warning]
    # The revision dropped the column; the index is still missing.
    assert [one["object"] for one in drift()["objects"]] == ["index orders_user_id"]


def test_a_stage_that_rejects_drift_applies_nothing_until_the_drift_is_allowed(
    watched: Database, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_settings(monkeypatch, onDrift="refuse")
    watched.execute("DROP INDEX orders_user_id")
    # At head there is nothing to refuse.
    assert invoke()["status"] == "complete"
    backend.table_revision("bb", "aa")
    error = failure()["error"]
    assert error["code"] == "drifted" and "index orders_user_id (removed)" in error["message"]
    assert watched.versions() == ["aa"] and "bb" not in watched.tables()
    assert invoke({"allow": ["drift"]})["applied"][0]["revision"] == "bb"
    assert drift()["status"] == "drifted"
    invoke({"command": "drift", "allow": ["drift"]})
    assert drift()["status"] == "none"


@pytest.mark.usefixtures("impatient")
def test_a_stage_that_refuses_drift_applies_nothing_if_the_schema_cannot_be_read(
    watched: Database, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_settings(monkeypatch, onDrift="refuse")
    backend.table_revision("bb", "aa")
    with watched.connect() as other, other.transaction():
        other.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        error = failure()["error"]
        assert error["code"] == "drifted"
        assert error["message"].startswith("the schema could not be compared with what the last run kept: ")
        assert watched.versions() == ["aa"] and "bb" not in watched.tables()
        (warning,) = invoke({"allow": ["drift"]})["warnings"][:1]
        assert warning.startswith("the catalog could not be compared: ")
    assert watched.versions() == ["bb"]


def test_a_connection_that_is_lost_while_the_schema_is_read_is_not_drift(
    watched: Database, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_settings(monkeypatch, onDrift="refuse")
    backend.table_revision("bb", "aa")
    read = check.entries_now

    def ended(connection: Any, *arguments: Any) -> Any:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        watched.execute(f"SELECT pg_terminate_backend({pid}, 60000)")
        return read(connection, *arguments)

    monkeypatch.setattr(check, "entries_now", ended)
    assert failure()["error"]["code"] == "database_unreachable"
    assert watched.versions() == ["aa"] and "bb" not in watched.tables()


def test_a_stage_that_ignores_drift_reports_it_only_for_the_command(
    watched: Database, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_settings(monkeypatch, onDrift="ignore")
    watched.execute("DROP INDEX orders_user_id")
    backend.table_revision("bb", "aa")
    assert invoke({"command": "plan"})["warnings"] == []
    assert invoke()["warnings"] == []
    assert [one["object"] for one in drift()["objects"]] == ["index orders_user_id"]


def test_a_database_that_another_tool_moved_is_unknown_until_the_next_run(watched: Database, backend: Backend) -> None:
    backend.table_revision("bb", "aa")
    backend.table_revision("cc", "bb")
    watched.execute("CREATE TABLE bb (id int PRIMARY KEY); UPDATE alembic_version SET version_num = 'bb'")
    found = drift()
    assert (found["status"], found["objects"]) == ("unknown", [])
    assert found["reason"].startswith("the catalog was kept at aa, and the database is at bb")
    assert invoke()["warnings"] == []
    assert drift()["status"] == "none"


def test_a_catalog_of_another_major_version_is_not_compared(watched: Database) -> None:
    watched.execute("UPDATE cdk_alembic.kept_catalog SET postgres = 9; DROP INDEX orders_user_id")
    found = drift()
    assert found["status"] == "unknown" and found["reason"].startswith("it was kept on PostgreSQL 9")


def test_a_stage_that_turns_it_on_at_head_keeps_the_catalog_with_the_next_run(
    backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.table_revision("aa")
    invoke()
    set_settings(monkeypatch, onDrift="warn")
    assert drift()["status"] == "unknown"
    invoke()
    assert drift()["status"] == "none"
    database.execute("ALTER TABLE aa ADD by_hand int")
    # A run with nothing to do does not accept it.
    invoke()
    assert drift()["status"] == "drifted"


def test_drift_that_the_command_finds_is_logged_and_sent_as_an_event(
    backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_settings(monkeypatch, onDrift="warn", eventBus="bus")
    sent: list[dict[str, Any]] = []

    def answer(_: str, request: dict[str, Any]) -> dict[str, Any]:
        sent.append(request["Entries"][0])
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}

    with aws(monkeypatch, answer):
        backend.table_revision("aa")
        invoke()
        sent.clear()
        invoke({"command": "drift"})
        assert sent == [] and "drift_found" not in capsys.readouterr().out
        database.execute("ALTER TABLE aa ADD by_hand int")
        found = invoke({"command": "drift"})["drift"]
    facts = {
        "stage": "test",
        "keptAt": found["keptAt"],
        "count": 1,
        "objects": [{"change": "added", "object": "column aa.by_hand"}],
    }
    (event,) = sent
    assert event["DetailType"] == "Migration Drift Found" and json.loads(event["Detail"]) == facts
    (line,) = [json.loads(text) for text in capsys.readouterr().out.splitlines() if '"drift_found"' in text]
    assert {key: line[key] for key in facts} == facts


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_drift_is_found_with_each_driver(
    package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, template: str, scheme: str
) -> None:
    set_settings(monkeypatch, onDrift="warn")
    package.initialise(database.url(scheme), template)
    package.table_revision("aa")
    assert invoke()["warnings"] == []
    assert drift()["status"] == "none"
    database.execute("ALTER TABLE aa ADD by_hand text DEFAULT '100%'")
    assert [one["found"] for one in drift()["objects"]] == ["text DEFAULT '100%'::text"]
    package.table_revision("bb", "aa")
    (warning,) = invoke()["warnings"]
    assert "column aa.by_hand (added)" in warning


def test_objects_that_do_not_fit_into_the_answer_are_counted(
    watched: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    watched.execute("; ".join(f"CREATE TABLE by_hand_{n} (id bigint PRIMARY KEY)" for n in range(20)))
    whole = drift()
    monkeypatch.setattr(answer_size, "MAX_LENGTH", 1000)
    capsys.readouterr()
    found = drift()
    assert len(json.dumps(found["objects"])) <= 1000
    assert found["objects"] == whole["objects"][: len(found["objects"])]
    assert len(found["objects"]) + found["objectsLeftOut"] == len(whole["objects"]) == 20
    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "drift_found" in line]
    assert line["count"] == 20


def test_a_stage_that_does_not_watch_keeps_nothing_and_loads_nothing(backend: Backend, database: Database) -> None:
    for name in [name for name in sys.modules if name.startswith(("cdk_alembic.drift", "cdk_alembic.catalog"))]:
        del sys.modules[name]
    backend.table_revision("aa")
    invoke()
    invoke({"command": "plan"})
    assert not [name for name in sys.modules if name.startswith(("cdk_alembic.drift", "cdk_alembic.catalog"))]
    assert database.rows("SELECT to_regclass('cdk_alembic.kept_catalog')") == [(None,)]
