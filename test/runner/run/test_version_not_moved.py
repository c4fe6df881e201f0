"""Runs that do not move the version: env.py or a revision ends or hides Alembic's transaction."""

from __future__ import annotations

import json

import pytest
from conftest import COUNT_TRIES, Backend, Database, count_tries, eventually, failure, invoke, set_settings
from each_driver import DRIVERS
from processes import Call

COMMIT = 'op.execute("CREATE TABLE {0} (id int)")\nop.get_bind().commit()'


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_a_commit_at_the_end_of_a_revision_is_detected(package: Backend, database: Database, template: str, scheme: str) -> None:
    package.initialise(database.url(scheme), template)
    package.table_revision("aa")
    package.revision("bb", "aa", COMMIT.format("bb"))
    answer = failure()
    assert answer["error"]["code"] == "version_not_moved"
    assert "does not show bb as applied; bb ended the transaction itself: its work stays" in answer["error"]["message"]
    assert "autocommit_block" in answer["error"]["next"]
    # That is what it looks like, and what the answer says.
    assert database.tables() == ["aa", "alembic_version", "bb"]
    assert database.versions() == ["aa"]
    assert [item["revision"] for item in answer["applied"]] == ["aa"]


def test_a_commit_in_a_revision_is_harmless_when_another_one_follows(backend: Backend, database: Database) -> None:
    backend.revision("aa", None, COMMIT.format("aa"))
    backend.table_revision("bb", "aa")
    answer = invoke()
    assert [item["revision"] for item in answer["applied"]] == ["aa", "bb"]
    assert database.versions() == ["bb"]


def test_a_commit_is_reported_when_the_next_revision_fails(backend: Backend, database: Database) -> None:
    backend.table_revision("aa")
    backend.revision("bb", "aa", COMMIT.format("bb"))
    backend.revision("cc", "bb", 'op.execute("SELECT 1/0")')
    answer = failure()
    assert (answer["error"]["code"], answer["error"]["revision"]) == ("migration_failed", "cc")
    assert "bb ended the transaction itself" in answer["error"]["message"]
    assert [item["revision"] for item in answer["applied"]] == ["aa"]
    assert database.versions() == ["aa"]


class TestATransactionOfTheEnvironment:
    """env.py begins one itself, around all revisions: they count together or not at all."""

    @pytest.fixture(autouse=True)
    def begin(self, backend: Backend) -> None:
        env = (backend.directory / "alembic" / "env.py").read_text()
        assert "connectable.connect()" in env
        backend.write_env(env.replace("connectable.connect()", "connectable.begin()"))
        backend.table_revision("aa")

    def test_all_revisions_are_applied_in_one_transaction_of_env_py(self, backend: Backend, database: Database) -> None:
        backend.table_revision("bb", "aa")
        answer = invoke()
        assert [item["revision"] for item in answer["applied"]] == ["aa", "bb"]
        assert database.versions() == ["bb"]
        assert [item["revision"] for item in invoke({"command": "history"})["runs"][0]["applied"]] == ["aa", "bb"]

    def test_a_failure_rolls_back_all_of_them_and_is_reported(self, backend: Backend, database: Database) -> None:
        backend.revision("bb", "aa", 'op.execute("SELECT 1/0")')
        answer = failure()
        assert (answer["error"]["revision"], answer["applied"]) == ("bb", [])
        assert database.tables() == []
        assert invoke({"command": "history"})["runs"][0]["applied"] == []

    def test_a_busy_table_rolls_back_all_of_them_before_the_retry(
        self, backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        set_settings(monkeypatch, limits={"lockTimeoutSeconds": 0.2})
        with database.connect() as connection:
            connection.execute("CREATE TABLE busy (id int)")
        tries = count_tries(database)
        backend.revision("bb", "aa", f'{COUNT_TRIES}op.execute("ALTER TABLE busy ADD name text")')
        with database.connect() as reader:
            reader.execute("BEGIN; LOCK busy IN ACCESS SHARE MODE")
            run = Call()
            eventually(lambda: tries() >= 2)
            reader.execute("COMMIT")
            answer = run.answer()
        assert [item["revision"] for item in answer["applied"]] == ["aa", "bb"]


def test_an_environment_that_returns_early_is_an_error(backend: Backend, database: Database) -> None:
    env = (backend.directory / "alembic" / "env.py").read_text()
    line = "    with connectable.connect() as connection:"
    backend.write_env(env.replace(line, f"    if True:\n        return\n{line}"))
    backend.table_revision("aa")
    answer = failure()
    assert answer["error"]["code"] == "invalid_project"
    assert "did not call context.run_migrations()" in answer["error"]["message"]
    assert database.tables() == []


@pytest.mark.parametrize("caught", ["Exception", "BaseException"])
@pytest.mark.parametrize("broken", ['op.execute("SELECT 1/0")', "import sys\nsys.exit(0)"])
def test_an_environment_that_catches_a_failure_does_not_turn_it_into_success(
    backend: Backend, database: Database, caught: str, broken: str
) -> None:
    env = (backend.directory / "alembic" / "env.py").read_text()
    line = "            context.run_migrations()"
    assert env.count(line) == 1
    backend.write_env(
        env.replace(line, f'            try:\n    {line}\n            except {caught}:\n                print("failed")')
    )
    backend.table_revision("aa")
    backend.revision("bb", "aa", broken)
    answer = failure()
    assert (answer["error"]["code"], answer["error"]["revision"]) == ("migration_failed", "bb")
    assert [item["revision"] for item in answer["applied"]] == ["aa"]
    assert database.versions() == ["aa"]


def test_a_revision_file_that_exits_when_it_is_loaded_is_an_invalid_project(backend: Backend) -> None:
    backend.table_revision("aa")
    with (backend.versions / "aa.py").open("a") as file:
        file.write("\nimport sys\nsys.exit(3)\n")
    assert failure()["error"]["code"] == "invalid_project"


def test_a_failure_fits_into_the_answer_to_cloudformation(backend: Backend) -> None:
    backend.revision("aa", None, 'op.execute("SELECT * FROM missing WHERE x = \'" + "x" * 100000 + "\'")')
    answer = failure()
    assert answer["error"]["sqlState"] == "42P01"
    assert len(json.dumps(answer)) < 4096
    backend.revision("aa", None, 'raise ValueError("x" * 100000)')
    assert len(json.dumps(failure())) < 4096


def test_a_database_without_a_second_connection_to_spare_is_unreachable_and_untouched(
    backend: Backend, database: Database
) -> None:
    role = f"role_{database.name}"
    with database.connect() as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN SUPERUSER PASSWORD 'pw' CONNECTION LIMIT 1")
        connection.execute(f"ALTER ROLE {role} NOSUPERUSER")
        connection.execute(f'GRANT ALL ON DATABASE "{database.name}" TO {role}')
    try:
        database.user, database.password = role, "pw"
        backend.initialise(database.url("postgresql+psycopg"))
        backend.table_revision("aa")
        answer = failure()
    finally:
        with database.connect() as connection:
            connection.execute(f"DROP OWNED BY {role}")
            connection.execute(f"DROP ROLE {role}")
    assert (answer["error"]["code"], answer["applied"]) == ("database_unreachable", [])
    assert "too many connections" in answer["error"]["message"]
