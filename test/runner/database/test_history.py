"""The record of runs in the database."""

from __future__ import annotations

import hashlib
import re
import uuid

import pytest
from alembic import autogenerate, migration
from cdk_alembic.database.history import restore_point
from conftest import Backend, Database, failure, invoke, set_settings
from each_driver import DRIVERS
from sqlalchemy import MetaData, create_engine

RUN = "SELECT stage, command, requested_by, from_revisions, to_revisions, outcome, error FROM cdk_alembic.run ORDER BY started_at"


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_a_run_is_recorded_with_who_where_what_and_how_it_ended(
    package: Backend, database: Database, template: str, scheme: str
) -> None:
    package.initialise(database.url(scheme), template)
    package.table_revision("aa")
    package.revision("bb", "aa", 'op.execute("SELECT pg_sleep(0.1)")', message='Wait "a" moment, {ok}')
    answer = invoke({"requestedBy": "person mira"})
    assert database.rows(RUN) == [("test", "upgrade", "person mira", [], ["bb"], "complete", None)]
    rows = database.rows(
        "SELECT revision, message, duration_ms >= 100 OR revision = 'aa', statements, checksum FROM cdk_alembic.run_revision"
    )
    checksums = [hashlib.sha256((package.versions / f"{name}.py").read_bytes()).hexdigest() for name in ("aa", "bb")]
    assert rows == [("aa", "Add aa", True, 1, checksums[0]), ("bb", 'Wait "a" moment, {ok}', True, 1, checksums[1])]
    [run] = invoke({"command": "history"})["runs"]
    assert run["runId"] == answer["runId"]
    assert (run["command"], run["stage"], run["requestedBy"], run["outcome"]) == ("upgrade", "test", "person mira", "complete")
    assert (run["from"], run["to"], run["applied"]) == ([], ["bb"], answer["applied"])
    assert run["startedAt"].endswith("Z") and run["startedAt"] <= run["endedAt"]
    point = run["restorePoint"]
    assert set(point) == {"at", "walPosition"} and point["at"] == run["startedAt"]
    assert re.search(r"\.\d{3}Z$", run["endedAt"])  # whole seconds would make 80 ms a second, or nothing
    [(is_before,)] = database.rows(
        f"SELECT '{point['at']}'::timestamptz <= started_at AND pg_current_wal_insert_lsn() > '{point['walPosition']}'::pg_lsn"
        " FROM cdk_alembic.run"
    )
    assert is_before


@pytest.mark.parametrize(
    ("host", "server"),
    [
        ("shop-prod.cluster-c1a2b3.eu-central-1.rds.amazonaws.com", {"cluster": "shop-prod"}),
        ("shop.c1a2b3.cn-north-1.rds.amazonaws.com.cn", {"instance": "shop"}),
        ("shop.cluster-ro-c1a2b3.eu-central-1.rds.amazonaws.com", {}),
        ("shop.proxy-c1a2b3.eu-central-1.rds.amazonaws.com", {}),
        ("db.example.com", {}),
        (None, {}),
    ],
)
def test_the_server_to_restore_is_read_from_its_address(host: str | None, server: dict[str, str]) -> None:
    assert restore_point("t", None, None, host) == {"at": "t", **server}


def test_a_failed_run_and_the_slices_after_it_have_the_restore_point_of_the_first(backend: Backend, database: Database) -> None:
    backend.table_revision("aa")
    backend.revision("bb", "aa", "op.execute('SELECT 1/0')")
    run_id = str(uuid.uuid4())
    invoke({"sliceSeconds": 0, "runId": run_id})
    point = failure({"sliceSeconds": 0, "runId": run_id})["error"]["restorePoint"]
    [run] = invoke({"command": "history"})["runs"]
    assert run["restorePoint"] == point


def test_the_slices_of_a_run_share_a_record(backend: Backend, database: Database) -> None:
    down = None
    for revision in ("aa", "bb", "cc"):
        down = backend.table_revision(revision, down)
    run_id = str(uuid.uuid4())
    for _ in range(3):
        answer = invoke({"sliceSeconds": 0, "revision": "cc", "runId": run_id})
        assert answer["runId"] == run_id
    [run] = invoke({"command": "history"})["runs"]
    assert (run["from"], run["to"], run["outcome"]) == ([], ["cc"], "complete")
    assert [item["revision"] for item in run["applied"]] == ["aa", "bb", "cc"]


def test_a_failed_run_is_recorded_with_its_code_and_its_error(backend: Backend, database: Database) -> None:
    backend.table_revision("start")
    invoke()
    backend.table_revision("aa", "start")
    backend.revision("bb", "aa", 'raise ValueError("postgresql://app:hunter2@db/x" + 100_000 * "!")')
    failure()
    [_, (*_, heads, outcome, error)] = database.rows(RUN)
    assert outcome == "migration_failed"
    assert "revision bb (Add bb) failed" in error and "hunter2" not in error
    assert len(error) < 1500
    assert heads == ["aa"]
    run = invoke({"command": "history"})["runs"][0]
    assert ([item["revision"] for item in run["applied"]], run["outcome"]) == (["aa"], "migration_failed")


def test_a_request_with_nothing_to_do_leaves_no_record(backend: Backend, database: Database) -> None:
    backend.table_revision("aa")
    invoke()
    answer = invoke()
    assert "runId" not in answer
    assert len(database.rows(RUN)) == 1


def test_history_shows_the_twenty_latest_runs_newest_first(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    set_settings(monkeypatch, allow=["downgrade"])
    backend.table_revision("aa")
    for _ in range(11):
        invoke()
        invoke({"command": "downgrade", "revision": "base"})
    runs = invoke({"command": "history"})["runs"]
    assert [run["command"] for run in runs] == ["downgrade", "upgrade"] * 10
    assert runs[0]["from"] == ["aa"] and runs[0]["to"] == []


@pytest.mark.parametrize("command", ["plan", "current"])
def test_an_applied_revision_whose_file_was_edited_is_reported(backend: Backend, command: str) -> None:
    backend.table_revision("aa")
    backend.table_revision("bb", "aa")
    invoke()
    assert invoke({"command": command})["edited"] == []
    backend.revision("aa", None, 'op.create_table("other")')
    assert invoke({"command": command})["edited"] == ["aa"]


@pytest.mark.parametrize("begins", ["connect", "begin"])
def test_a_role_that_may_not_write_the_record_migrates_with_a_warning(backend: Backend, database: Database, begins: str) -> None:
    role = f"role_{database.name}"
    with database.connect() as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'pw'; GRANT ALL ON SCHEMA public TO {role}")
    try:
        database.user, database.password = role, "pw"
        backend.initialise(database.url("postgresql+psycopg"))
        backend.write_env(
            (backend.directory / "alembic" / "env.py").read_text().replace("connectable.connect()", f"connectable.{begins}()")
        )
        backend.table_revision("aa")
        backend.table_revision("bb", "aa")
        answer = invoke()
        assert (answer["status"], answer["to"]) == ("complete", ["bb"])
        assert len(answer["warnings"]) == 1
        assert answer["warnings"][0].startswith("the run history could not be written: permission denied")
        assert "runId" not in answer
        assert invoke({"command": "history"})["runs"] == []
    finally:
        with database.connect() as connection:
            connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


class TestAutogenerate:
    """`alembic check` of the backend, after a run."""

    @pytest.fixture(autouse=True)
    def migrated(self, backend: Backend) -> None:
        backend.revision("aa", None)
        invoke()

    def proposals(self, database: Database, **options: object) -> list[object]:
        engine = create_engine(database.url("postgresql+psycopg"))
        with engine.connect() as connection:
            context = migration.MigrationContext.configure(connection, opts={"target_metadata": MetaData(), **options})
            return autogenerate.compare_metadata(context, MetaData())

    def test_autogenerate_ignores_the_run_history(self, database: Database) -> None:
        assert database.rows("SELECT count(*) FROM cdk_alembic.run") == [(1,)]
        assert self.proposals(database) == []

    def test_autogenerate_over_all_schemas_can_exclude_the_run_history_by_name(self, database: Database) -> None:
        assert self.proposals(database, include_schemas=True) != []  # so it has to be left out

        def include_name(name: str | None, kind: str, parents: object) -> bool:
            return not (kind == "schema" and name == "cdk_alembic")

        assert self.proposals(database, include_schemas=True, include_name=include_name) == []


def test_each_version_table_of_a_database_has_its_own_records(backend: Backend, database: Database) -> None:
    backend.configure_with('version_table="first"')
    backend.table_revision("aa")
    invoke()
    env = (backend.directory / "alembic" / "env.py").read_text()
    backend.write_env(env.replace('"first"', '"second"'))
    assert invoke({"command": "history"})["runs"] == []
