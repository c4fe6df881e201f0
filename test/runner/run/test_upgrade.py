"""What an upgrade promises, on a real PostgreSQL with the real Alembic."""

from __future__ import annotations

import gc
import json

import pytest
from cdk_alembic.connection import address as secrets
from conftest import NEAR_DEADLINE, Backend, Database, failure, invoke, set_settings
from each_driver import DRIVERS

pytestmark = pytest.mark.every_driver


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
class TestEveryDriver:
    """The same promises with Alembic's own env.py, sync and async, unchanged."""

    def test_an_empty_database_is_brought_to_head(self, package: Backend, database: Database, template: str, scheme: str) -> None:
        package.initialise(database.url(scheme), template)
        package.table_revision("aa")
        package.revision(
            "bb", "aa", 'op.add_column("aa", sa.Column("name", sa.Text))\nop.execute("INSERT INTO aa VALUES (1, \'x\')")'
        )
        answer = invoke()
        assert answer["status"] == "complete"
        assert (answer["from"], answer["to"], answer["heads"], answer["target"]) == ([], ["bb"], ["bb"], ["bb"])
        assert [(item["revision"], item["message"], item["statements"]) for item in answer["applied"]] == [
            ("aa", "Add aa", 1),
            ("bb", "Add bb", 2),
        ]
        assert answer["pending"] == []
        assert database.versions() == ["bb"]
        assert database.rows("SELECT * FROM aa") == [(1, "x")]

    def test_a_failing_revision_is_named_and_leaves_those_before_it(
        self, package: Backend, database: Database, template: str, scheme: str
    ) -> None:
        package.initialise(database.url(scheme), template)
        package.table_revision("aa")
        package.revision(
            "bb", "aa", 'op.create_table("half", sa.Column("id", sa.Integer))\nop.execute("CREATE TABLE aa (id int)")'
        )
        answer = failure()
        assert answer["error"]["code"] == "migration_failed"
        assert answer["error"]["revision"] == "bb"
        assert answer["error"]["sqlState"] == "42P07"
        assert answer["error"]["statement"] == "CREATE TABLE aa (id int)"
        assert 'relation "aa" already exists' in answer["error"]["message"]
        assert [item["revision"] for item in answer["applied"]] == ["aa"]
        assert database.versions() == ["aa"]
        assert database.tables() == ["aa", "alembic_version"]

    def test_an_index_is_built_concurrently(self, package: Backend, database: Database, template: str, scheme: str) -> None:
        package.initialise(database.url(scheme), template)
        package.table_revision("aa")
        package.revision(
            "bb",
            "aa",
            'with op.get_context().autocommit_block():\n    op.create_index("ix_aa", "aa", ["id"], postgresql_concurrently=True)',
        )
        assert invoke()["to"] == ["bb"]
        assert database.rows("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_aa'::regclass") == [(True,)]

    def test_a_wrong_password_is_reported_as_refused(
        self, package: Backend, database: Database, template: str, scheme: str
    ) -> None:
        database.password = "wrong"
        package.initialise(database.url(scheme), template)
        package.table_revision("aa")
        assert failure()["error"]["code"] == "database_refused"

    def test_a_missing_database_is_reported_as_refused(
        self, package: Backend, database: Database, template: str, scheme: str
    ) -> None:
        database.name = "nowhere"
        package.initialise(database.url(scheme), template)
        package.table_revision("aa")
        answer = failure()
        assert answer["error"]["code"] == "database_refused"
        assert "nowhere" in answer["error"]["message"]

    def test_a_closed_port_is_reported_as_unreachable(
        self, package: Backend, database: Database, template: str, scheme: str
    ) -> None:
        database.port = "1"
        package.initialise(database.url(scheme), template)
        package.table_revision("aa")
        assert failure()["error"]["code"] == "database_unreachable"


@pytest.mark.parametrize("event", [None, {}, {"command": "upgrade"}, {"revision": "head"}])
def test_no_payload_and_an_empty_one_upgrade_to_head(backend: Backend, database: Database, event: object) -> None:
    backend.table_revision("aa")
    assert invoke(event)["to"] == ["aa"]
    assert database.versions() == ["aa"]


def test_a_second_upgrade_has_nothing_to_do(backend: Backend, database: Database) -> None:
    backend.table_revision("aa")
    invoke()
    answer = invoke()
    assert (answer["status"], answer["from"], answer["to"], answer["applied"]) == ("complete", ["aa"], ["aa"], [])


def test_a_slice_stops_between_two_revisions_and_the_next_continues(backend: Backend, database: Database) -> None:
    down = None
    for revision in ("aa", "bb", "cc"):
        down = backend.table_revision(revision, down)
    first = invoke({"sliceSeconds": 0})
    assert (first["status"], first["to"], first["target"]) == ("partial", ["aa"], ["cc"])
    assert [item["revision"] for item in first["pending"]] == ["bb", "cc"]
    assert database.versions() == ["aa"]
    second = invoke({"sliceSeconds": 0, "revision": "cc"})
    assert (second["status"], second["from"], second["to"]) == ("partial", ["aa"], ["bb"])
    third = invoke({"sliceSeconds": 0, "revision": "cc"})
    assert (third["status"], third["to"], third["pending"]) == ("complete", ["cc"], [])


@pytest.mark.usefixtures("long_reserve")
def test_a_request_near_its_deadline_applies_one_revision_and_answers_partial(backend: Backend, database: Database) -> None:
    backend.revision("aa", None, NEAR_DEADLINE)
    backend.table_revision("bb", "aa")
    answer = invoke()
    assert (answer["status"], answer["to"]) == ("partial", ["aa"])
    assert database.versions() == ["aa"]


def test_a_relative_step_is_resolved_by_the_first_slice(backend: Backend) -> None:
    down = None
    for revision in ("aa", "bb", "cc"):
        down = backend.table_revision(revision, down)
    answer = invoke({"revision": "+2", "sliceSeconds": 0})
    assert (answer["status"], answer["to"], answer["target"]) == ("partial", ["aa"], ["bb"])
    assert invoke({"revision": answer["target"][0]})["to"] == ["bb"]


def test_a_revision_can_be_named_by_the_start_of_its_id(backend: Backend) -> None:
    backend.table_revision("abcdef123456")
    backend.table_revision("ffffff123456", "abcdef123456")
    answer = invoke({"revision": "abcd"})
    assert (answer["to"], answer["target"]) == (["abcdef123456"], ["abcdef123456"])


def test_each_revision_has_its_own_transaction(backend: Backend, database: Database) -> None:
    backend.revision("aa", None, 'op.execute("CREATE TABLE xids AS SELECT txid_current() AS xid")')
    backend.revision("bb", "aa", 'op.execute("INSERT INTO xids SELECT txid_current()")')
    invoke()
    assert database.rows("SELECT count(DISTINCT xid) FROM xids") == [(2,)]


def test_every_revision_is_one_json_line_in_the_log(backend: Backend, capsys: pytest.CaptureFixture[str]) -> None:
    backend.table_revision("aa")
    backend.table_revision("bb", "aa")
    invoke()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    applied = [line for line in lines if line["event"] == "revision_applied"]
    assert [(line["revision"], line["message"], line["statements"]) for line in applied] == [
        ("aa", "Add aa", 1),
        ("bb", "Add bb", 1),
    ]
    assert all(line["stage"] == "test" and line["milliseconds"] >= 0 for line in applied)


def test_log_lines_survive_an_env_that_configures_logging(backend: Backend, capsys: pytest.CaptureFixture[str]) -> None:
    assert "fileConfig" in (backend.directory / "alembic" / "env.py").read_text()
    backend.table_revision("aa")
    invoke()
    assert '"event": "revision_applied"' in capsys.readouterr().out


def test_an_env_that_starts_a_transaction_too_early_is_detected(backend: Backend, database: Database) -> None:
    env = (backend.directory / "alembic" / "env.py").read_text()
    call = "        context.configure(\n            connection=connection"
    assert call in env
    backend.write_env(
        "import sqlalchemy as sa\n" + env.replace(call, '        connection.execute(sa.text("SET work_mem = 4096"))\n' + call)
    )
    backend.table_revision("aa")
    answer = failure()
    assert answer["error"]["code"] == "version_not_moved"
    assert answer["applied"] == []
    assert "aa" not in database.tables()


def test_both_sides_of_a_merge_are_applied(backend: Backend, database: Database) -> None:
    backend.table_revision("aa")
    backend.table_revision("b1", "aa")
    backend.table_revision("b2", "aa")
    backend.revision("cc", ("b1", "b2"))
    answer = invoke({"sliceSeconds": 0})
    while answer["status"] == "partial":
        answer = invoke({"sliceSeconds": 0, "revision": "cc"})
    assert answer["to"] == ["cc"]
    assert database.tables() == ["aa", "alembic_version", "b1", "b2"]


def test_two_heads_are_named_with_the_command_that_merges_them(backend: Backend, database: Database) -> None:
    backend.table_revision("aa")
    backend.table_revision("b1", "aa")
    backend.table_revision("b2", "aa")
    answer = failure()
    assert answer["error"]["code"] == "multiple_heads"
    assert "b1, b2" in answer["error"]["message"]
    assert 'alembic merge -m "Merge heads" b1 b2' in answer["error"]["next"]
    assert database.tables() == []
    assert invoke({"revision": "heads"})["to"] == ["b1", "b2"]


def test_a_failure_is_not_hidden_by_the_cleanup_after_it(backend: Backend) -> None:
    backend.revision("aa", None, 'try:\n    op.execute("SELECT 1/0")\nfinally:\n    op.execute("SELECT 2")')
    answer = failure()
    assert (answer["error"]["sqlState"], answer["error"]["statement"]) == ("22012", "SELECT 1/0")
    assert "division by zero" in answer["error"]["message"]


def test_a_rotated_secret_reaches_a_backend_that_is_already_imported(
    backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_settings(monkeypatch, database={"source": "secret", "secretArn": "arn:db", "variables": {"password": "TEST_PASSWORD"}})
    (backend.directory / "settings.py").write_text('import os\nPASSWORD = os.environ["TEST_PASSWORD"]\n')
    backend.revision("aa", None, 'import settings\nop.execute(f"CREATE TABLE {settings.PASSWORD} (id int)")')
    backend.revision("bb", "aa", 'import settings\nop.execute(f"CREATE TABLE {settings.PASSWORD} (id int)")')
    for password, revision in (("first", "aa"), ("second", "bb")):
        secret = {"host": database.host, "port": database.port, "username": "u", "password": password, "dbname": "d"}
        monkeypatch.setattr(secrets, "_fetch", lambda arn, secret=secret: json.dumps(secret))
        invoke({"revision": revision})
    assert database.tables() == ["alembic_version", "first", "second"]


def test_an_autocommit_block_in_a_transaction_of_env_py_fails_with_what_to_change(package: Backend, database: Database) -> None:
    package.initialise(database.url("postgresql+psycopg2"))
    env = (package.directory / "alembic" / "env.py").read_text()
    package.write_env(env.replace("connectable.connect()", "connectable.begin()"))
    package.table_revision("aa")
    package.revision("bb", "aa", "with op.get_context().autocommit_block():\n    op.execute('VACUUM')")
    answer = failure()
    error = answer["error"]
    assert "failed: autocommit_block() does not work inside the transaction that env.py began (bb.py:" in error["message"]
    assert "write `with connectable.connect() as connection:` there" in error["next"]
    assert (answer["applied"], database.tables()) == ([], [])


DEFERRED = """
op.execute("CREATE TABLE a (id int PRIMARY KEY)")
op.execute("CREATE TABLE b (id int REFERENCES a DEFERRABLE INITIALLY DEFERRED)")
op.execute("INSERT INTO b VALUES (1)")
"""


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_a_transaction_of_env_py_that_cannot_be_committed_is_a_failed_run(
    package: Backend, database: Database, template: str, scheme: str
) -> None:
    package.initialise(database.url(scheme), template)
    env = (package.directory / "alembic" / "env.py").read_text()
    assert "connectable.connect()" in env
    package.write_env(env.replace("connectable.connect()", "connectable.begin()"))
    package.table_revision("aa")
    package.revision("bb", "aa", DEFERRED)
    answer = failure()
    error = answer["error"]
    assert (error["code"], error["sqlState"], answer["applied"]) == ("migration_failed", "23503", [])
    assert error["message"].startswith(
        "the transaction that env.py began, with aa, bb, could not be committed: insert or update on"
    )
    assert database.tables() == []
    assert database.rows("SELECT outcome, error, to_revisions FROM cdk_alembic.run") == [(error["code"], error["message"], [])]


def test_an_env_py_that_fails_after_its_transaction_has_applied_the_revisions(backend: Backend, database: Database) -> None:
    env = (backend.directory / "alembic" / "env.py").read_text()
    call = "    run_migrations_online()\n"
    assert call in env
    env = env.replace("connectable.connect()", "connectable.begin()")
    backend.write_env(env.replace(call, f'{call}    raise ValueError("after the migrations")\n'))
    backend.table_revision("aa")
    answer = failure()
    error = answer["error"]
    assert error["message"].startswith("env.py failed: ValueError: after the migrations")
    assert [item["revision"] for item in answer["applied"]] == ["aa"]
    assert database.rows("SELECT outcome, error, to_revisions FROM cdk_alembic.run") == [
        ("invalid_project", error["message"], ["aa"])
    ]
    assert database.rows("SELECT revision FROM cdk_alembic.run_revision") == [("aa",)]


def test_garbage_is_collected_while_revisions_run_but_not_while_the_backend_is_imported(
    backend: Backend, database: Database
) -> None:
    env = (backend.directory / "alembic" / "env.py").read_text()
    backend.write_env(f"import gc, os\nos.environ['WHILE_IMPORTING'] = str(gc.isenabled())\n{env}")
    found = "CREATE TABLE collected AS SELECT '{os.environ['WHILE_IMPORTING']}' AS importing, {gc.isenabled()} AS running"
    backend.revision("aa", None, f'import gc, os\nop.execute(f"{found}")')
    invoke()
    assert database.rows("SELECT * FROM collected") == [("False", True)]
    assert gc.isenabled()
