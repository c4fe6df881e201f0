"""Failures of one tenant, of all of them, or of env.py."""

from __future__ import annotations

import time
from typing import Any

import pytest
from cdk_alembic.database import version_table
from cdk_alembic.database.mutex import key_of
from conftest import AT_GATE, NEAR_DEADLINE, Backend, Context, Database, eventually, failure, gate, invoke
from each_driver import DRIVERS
from processes import Call
from tenancy import (
    SEARCH_PATH,
    VERSION_TABLE_SCHEMA,
    batch,
    codes,
    create_schemas,
    outcomes,
    set_tenant_settings,
    versions,
    write_env,
)


@pytest.fixture
def tenants(package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch) -> Backend:
    """A backend with the schemas a to e, and a first revision."""
    set_tenant_settings(monkeypatch, limits={"mutexWaitSeconds": 1})
    write_env(package.initialise(database.url("postgresql+psycopg")))
    create_schemas(database, "abcde")
    package.table_revision("r1")
    return package


class TestEnvPy:
    @pytest.mark.parametrize(("template", "scheme"), DRIVERS)
    def test_an_env_py_that_ignores_the_tenant_is_rejected_before_anything_is_written(
        self, package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, template: str, scheme: str
    ) -> None:
        set_tenant_settings(monkeypatch)
        package.initialise(database.url(scheme), template)
        create_schemas(database, "ab")
        package.table_revision("r1")
        answer = invoke(batch("a", "b"))
        assert codes(answer) == {"a": "invalid_project", "b": "invalid_project"}
        assert "-x tenant=a" in outcomes(answer)["a"]["error"]["message"]
        assert database.tables() == []
        assert codes(invoke(batch("a", command="plan"))) == {"a": "invalid_project"}

    def test_a_version_table_in_public_is_not_mistaken_for_a_new_tenants(self, tenants: Backend, database: Database) -> None:
        write_env(tenants, SEARCH_PATH.replace('"%s"', '"%s", public'))
        with database.connect() as connection:
            connection.execute("CREATE TABLE public.alembic_version (version_num varchar(32))")
            connection.execute("INSERT INTO public.alembic_version VALUES ('r1')")
        answer = invoke(batch("a"))
        assert codes(answer) == {"a": "invalid_project"}
        assert "public" in outcomes(answer)["a"]["error"]["message"]
        # With its own version table in the schema, the same search_path is no matter.
        write_env(tenants, VERSION_TABLE_SCHEMA.replace('"%s"', '"%s", public'))
        assert invoke(batch("a"))["failed"] == 0
        assert versions(database, "a") == ["r1"]

    def test_a_translated_schema_that_alembic_does_not_find_is_rejected(self, tenants: Backend, database: Database) -> None:
        configure = """
    connection = connection.execution_options(schema_translate_map={None: tenant})
    context.configure(connection=connection, target_metadata=target_metadata)
"""
        write_env(tenants, configure)
        answer = invoke(batch("a"))
        assert codes(answer) == {"a": "invalid_project"}
        assert "version_table_schema" in outcomes(answer)["a"]["error"]["next"]

    def test_an_env_py_that_creates_the_schema_is_accepted(self, tenants: Backend, database: Database) -> None:
        write_env(tenants, "    connection.execute(text('CREATE SCHEMA IF NOT EXISTS \"%s\"' % tenant))" + VERSION_TABLE_SCHEMA)
        assert invoke(batch("new"))["failed"] == 0
        assert versions(database, "new") == ["r1"]

    def test_an_env_py_with_its_own_transaction_is_verified_after_its_commit(self, tenants: Backend, database: Database) -> None:
        write_env(tenants, "    connection.begin()" + VERSION_TABLE_SCHEMA.replace("connection.commit()", ""))
        env = (tenants.directory / "alembic" / "env.py").read_text()
        tenants.write_env(
            env.replace("        context.run_migrations()", "        context.run_migrations()\n    connection.commit()")
        )
        assert [o["applied"] for o in invoke(batch("a", "b"))["outcomes"]] == [["r1"], ["r1"]]
        assert versions(database, "b") == ["r1"]

    def test_changes_of_env_py_to_the_configuration_do_not_reach_the_next_tenant(
        self, tenants: Backend, database: Database
    ) -> None:
        once = 'if config.attributes.setdefault("tenant", tenant) != tenant: raise Exception("of another tenant")\n'
        env = (tenants.directory / "alembic" / "env.py").read_text()
        tenants.write_env(env.replace("\n\ndef do_run", f"\n{once}\n\ndef do_run"))
        assert invoke(batch("a", "b", "c"))["failed"] == 0


class TestOneTenant:
    def test_a_schema_that_does_not_exist_is_reported_and_not_created(self, tenants: Backend, database: Database) -> None:
        answer = invoke(batch("a", "nobody", "b"))
        assert codes(answer) == {"nobody": "database_refused"}
        assert outcomes(answer)["nobody"]["error"]["sqlState"] == "3F000"
        assert database.rows("SELECT FROM pg_namespace WHERE nspname = 'nobody'") == []

    def test_a_loss_of_data_is_refused_for_those_that_have_something_to_lose(self, tenants: Backend, database: Database) -> None:
        invoke(batch("a"))
        tenants.revision("r2", "r1", 'op.drop_table("r1")')
        answer = invoke(batch("a", "b"))
        assert codes(answer) == {"a": "blocked"}
        assert versions(database, "b") == ["r2"]
        assert [loss["what"] for loss in answer["dataLoss"]] == ["drop_table r1"]

    def test_a_plan_tells_what_a_tenant_without_a_version_table_would_lose(self, tenants: Backend, database: Database) -> None:
        invoke(batch("a"))
        with database.connect() as connection:
            connection.execute("CREATE TABLE b.members AS SELECT 1 AS id")
        tenants.revision("r2", "r1", 'op.execute("TRUNCATE members")')
        assert invoke(batch("b", "c", command="plan"))["dataLoss"][0]["rule"] == "truncate"
        assert invoke(batch("c", command="plan"))["dataLoss"] == []

    def test_an_invalid_index_stops_the_tenant_that_has_it(self, tenants: Backend, database: Database) -> None:
        invoke(batch("a", "b"))
        with database.connect() as connection:
            connection.execute("INSERT INTO a.r1 VALUES (1), (2)")
            connection.execute("ALTER TABLE a.r1 ADD same int")
            connection.execute("ALTER TABLE b.r1 ADD same int")
            connection.execute("UPDATE a.r1 SET same = 1")
            with pytest.raises(Exception, match="could not create unique index"):
                connection.execute("CREATE UNIQUE INDEX CONCURRENTLY ux_same ON a.r1 (same)")
            connection.execute("DELETE FROM a.r1")
        tenants.revision("r2", "r1", 'op.create_index("ux_same", "r1", ["same"], unique=True, if_not_exists=True)')
        assert codes(invoke(batch("a", "b"))) == {"a": "invalid_index"}
        assert invoke(batch("a", "b", allow=["drop_invalid_indexes"]))["failed"] == 0
        assert database.rows("SELECT indisvalid FROM pg_index WHERE indexrelid = 'a.ux_same'::regclass") == [(True,)]

    def test_a_tenant_with_a_busy_table_is_retried_after_the_others(
        self, tenants: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        set_tenant_settings(monkeypatch, limits={"lockTimeoutSeconds": 0.3})
        invoke(batch("a", "b", "c"))
        tenants.revision("r2", "r1", 'op.add_column("r1", sa.Column("more", sa.Text))')
        with database.connect() as rival, rival.transaction():
            rival.execute("LOCK TABLE a.r1")
            call = Call(batch("a", "b", "c"))
            eventually(lambda: versions(database, "c") == ["r2"])
            assert versions(database, "a") == ["r1"]
        answer = call.answer()
        assert (answer["failed"], [o["applied"] for o in answer["outcomes"]]) == (0, [["r2"]] * 3)

    def test_locked_tenants_share_one_wait(self, tenants: Backend, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        set_tenant_settings(monkeypatch, limits={"mutexWaitSeconds": 3})
        locked = [f"locked{number}" for number in range(20)]
        create_schemas(database, locked)
        with database.connect() as rival:
            for name in locked:
                rival.execute("SELECT pg_advisory_lock(%s)", [key_of("alembic_version", name)])
            started = time.monotonic()
            answer = invoke(batch(*locked, "e"))
            lasted = time.monotonic() - started
        assert codes(answer) == dict.fromkeys(locked, "locked")
        assert 3 <= lasted < 60  # twenty waits
        assert versions(database, "e") == ["r1"]

    def test_a_tenant_that_is_unlocked_in_the_meantime_is_migrated(
        self, tenants: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        set_tenant_settings(monkeypatch, limits={"mutexWaitSeconds": 120})
        with database.connect() as rival:
            rival.execute("SELECT pg_advisory_lock(%s)", [key_of("alembic_version", "a")])
            call = Call(batch("a", "b"))
            eventually(lambda: database.rows("SELECT FROM pg_tables WHERE schemaname = 'b' AND tablename = 'r1'"))
        assert call.answer()["failed"] == 0
        assert versions(database, "a") == ["r1"]


class TestTheCall:
    @pytest.mark.parametrize(
        "event", [None, {}, {"command": "plan"}, {"command": "upgrade", "revision": "head"}, {"tenants": []}]
    )
    def test_a_request_without_tenants_is_refused_with_what_to_send(
        self, tenants: Backend, database: Database, event: object
    ) -> None:
        error = failure(event)["error"]
        assert error["code"] == "invalid_request"
        assert "--tenants" in error["next"]
        assert database.tables() == []

    @pytest.mark.parametrize("name", ['a"; DROP SCHEMA b CASCADE; --', "a'b", "../a", "a b", "", "a\n"])
    def test_a_name_that_could_contain_code_is_rejected(self, tenants: Backend, database: Database, name: str) -> None:
        assert failure(batch("b", name))["error"]["code"] == "invalid_request"
        assert failure({"tenants": [{"name": "a", "schema": name}]})["error"]["code"] == "invalid_request"
        assert database.rows("SELECT FROM pg_tables WHERE schemaname = 'b'") == []

    @pytest.mark.parametrize("name", ["Acme-1", "0$a", "t.1", "A"])
    def test_every_accepted_name_works_as_a_schema(self, tenants: Backend, database: Database, name: str) -> None:
        create_schemas(database, [name])
        assert invoke(batch(name, "a"))["failed"] == 0
        assert versions(database, name) == ["r1"]
        assert invoke(batch(name, "a"))["outcomes"][0]["to"] == ["r1"]

    def test_a_database_that_refuses_connections_fails_the_request(self, tenants: Backend, database: Database) -> None:
        database.port = "1"
        write_env(tenants.initialise(database.url("postgresql+psycopg")))
        assert failure(batch("a", "b"))["error"]["code"] == "database_unreachable"

    def test_several_heads_fail_the_request(self, tenants: Backend) -> None:
        tenants.table_revision("s1")
        assert failure(batch("a"))["error"]["code"] == "multiple_heads"

    def test_a_slice_returns_the_tenants_that_are_left_for_the_next(self, tenants: Backend, database: Database) -> None:
        tenants.table_revision("r2", "r1")
        request = batch("a", "b", sliceSeconds=0)
        seen = []
        while True:
            answer = invoke(request)
            seen.append([(o["tenant"], o["status"], o["applied"]) for o in answer["outcomes"] if o["applied"]])
            if not answer["left"]:
                break
            assert answer["status"] == "partial"
            request = {**request, "tenants": answer["left"]}
        assert [item for call in seen for item in call] == [
            ("a", "partial", ["r1"]),
            ("a", "complete", ["r2"]),
            ("b", "partial", ["r1"]),
            ("b", "complete", ["r2"]),
        ]
        assert versions(database, "b") == ["r2"]

    @pytest.mark.usefixtures("long_reserve")
    def test_the_rest_is_returned_before_the_deadline(self, tenants: Backend) -> None:
        tenants.revision("r1", None, NEAR_DEADLINE)
        answer = invoke(batch(*"abcde"))
        assert time.monotonic() < Context.latest.deadline
        assert [o["tenant"] for o in answer["outcomes"] if o["status"] == "complete"] == ["a"]
        assert [tenant["name"] for tenant in answer["left"]] == list("bcde")

    def test_no_more_tenants_start_after_too_many_failures(self, tenants: Backend, database: Database) -> None:
        answer = invoke(batch("x1", "x2", "a", "b", toleratedFailures=1))
        assert (answer["status"], answer["failed"], answer["notStarted"], answer["left"]) == ("complete", 2, ["a", "b"], [])
        answer = invoke(batch("x1", "a", "x2", toleratedFailures=2))
        assert (answer["failed"], answer["notStarted"]) == (2, [])

    def test_a_request_that_is_killed_can_be_repeated(
        self, tenants: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        set_tenant_settings(monkeypatch, limits={"mutexWaitSeconds": 120})
        third = "(SELECT count(*) FROM pg_tables WHERE tablename = 'r1') = 3"
        wait = f"DO $$ BEGIN WHILE {third} AND EXISTS (SELECT FROM gate.closed) LOOP PERFORM pg_sleep(0.02); END LOOP; END $$"
        tenants.revision("r1", None, f'op.create_table("r1", sa.Column("id", sa.Integer))\nop.execute("{wait}")')
        with gate(database):
            call = Call(batch(*"abcde"))
            eventually(lambda: len(database.rows("SELECT FROM pg_tables WHERE tablename = 'r1'")) == 2)
            eventually(lambda: database.rows(AT_GATE))
            call.kill()
            assert len(database.rows("SELECT FROM pg_tables WHERE tablename = 'r1'")) == 2
        answer = invoke(batch(*"abcde"))
        assert answer["failed"] == 0
        assert [bool(o["applied"]) for o in answer["outcomes"]] == [False, False, True, True, True]
        for name in "abcde":
            assert versions(database, name) == ["r1"]
        assert database.rows("SELECT count(*) FROM cdk_alembic.run WHERE outcome = 'complete'") >= [(4,)]

    def test_at_most_two_connections_are_open(
        self, tenants: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        counts = []
        count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        tenants.revision("r2", "r1", "op.get_bind().exec_driver_sql('SELECT 1/0')")
        heads_in = version_table.heads_in

        def counted(*connection_and_table: Any) -> tuple[str, ...]:
            # A session that was closed is there for a moment more: so was the one that counts.
            counts.append(eventually(lambda: database.rows(count) == [(2,)]))
            return heads_in(*connection_and_table)

        monkeypatch.setattr(version_table, "heads_in", counted)
        invoke(batch(*"abc"))
        assert counts == [True] * 3

    def test_the_log_has_lines_for_the_request_and_not_for_its_tenants(
        self, tenants: Backend, capsys: pytest.CaptureFixture[str]
    ) -> None:
        invoke(batch(*"abcde"))
        output = capsys.readouterr()
        assert [line.split('"event": "')[1].split('"')[0] for line in output.out.splitlines()] == ["run_ended", "metrics"]
        assert output.err == ""
