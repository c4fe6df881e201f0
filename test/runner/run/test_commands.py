"""plan, current, history, downgrade and stamp; and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import COUNT_TRIES, Backend, Database, count_tries, failure, invoke, set_settings


@pytest.fixture
def chain(backend: Backend) -> Backend:
    """Three revisions in a row, each a table."""
    down = None
    for revision in ("aa", "bb", "cc"):
        down = backend.table_revision(revision, down)
    return backend


def test_plan_names_what_is_pending_and_changes_nothing(chain: Backend, database: Database) -> None:
    answer = invoke({"command": "plan"})
    assert (answer["status"], answer["to"], answer["target"]) == ("pending", [], ["cc"])
    assert answer["pending"] == [{"revision": name, "message": f"Add {name}"} for name in ("aa", "bb", "cc")]
    assert database.tables() == []


def test_plan_to_a_revision_stops_there(chain: Backend) -> None:
    answer = invoke({"command": "plan", "revision": "bb"})
    assert [item["revision"] for item in answer["pending"]] == ["aa", "bb"]


def test_plan_at_head_is_complete(chain: Backend) -> None:
    invoke()
    answer = invoke({"command": "plan"})
    assert (answer["status"], answer["pending"]) == ("complete", [])


def test_current_shows_the_revision_and_what_is_pending(chain: Backend) -> None:
    invoke({"revision": "aa"})
    answer = invoke({"command": "current"})
    assert (answer["status"], answer["from"], answer["to"]) == ("pending", ["aa"], ["aa"])
    assert [item["revision"] for item in answer["pending"]] == ["bb", "cc"]


def test_history_is_newest_first_and_shows_what_is_applied(chain: Backend) -> None:
    invoke({"revision": "bb"})
    assert invoke({"command": "history"})["history"] == [
        {"revision": "cc", "message": "Add cc", "downRevisions": ["bb"], "applied": False},
        {"revision": "bb", "message": "Add bb", "downRevisions": ["aa"], "applied": True},
        {"revision": "aa", "message": "Add aa", "downRevisions": [], "applied": True},
    ]


def test_history_shows_where_a_failed_run_left_the_database(chain: Backend) -> None:
    chain.revision("dd", "cc", "1 / 0")
    failure()
    run = invoke({"command": "history"})["runs"][0]
    assert (run["from"], run["to"], run["outcome"]) == ([], ["cc"], "migration_failed")


@pytest.mark.parametrize("command", ["downgrade", "stamp"])
def test_a_command_that_the_stage_does_not_allow_is_refused_before_connecting(
    chain: Backend, database: Database, command: str
) -> None:
    invoke()
    database.port = "1"
    answer = failure({"command": command, "revision": "aa"})
    assert answer["error"]["code"] == "not_allowed"
    assert f"allow{command.capitalize()}" in answer["error"]["next"]
    assert database.versions() == ["cc"]


def test_a_downgrade_goes_down_to_the_revision(chain: Backend, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    set_settings(monkeypatch, allow=["downgrade"])
    invoke()
    answer = invoke({"command": "downgrade", "revision": "aa"})
    assert (answer["status"], answer["from"], answer["to"], answer["target"]) == ("complete", ["cc"], ["aa"], ["aa"])
    assert [item["revision"] for item in answer["applied"]] == ["cc", "bb"]
    assert database.tables() == ["aa", "alembic_version"]


def test_a_relative_downgrade_in_slices_ends_at_its_first_target(
    chain: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_settings(monkeypatch, allow=["downgrade"])
    invoke()
    answer = invoke({"command": "downgrade", "revision": "-2", "sliceSeconds": 0})
    assert (answer["status"], answer["to"], answer["target"]) == ("partial", ["bb"], ["aa"])
    answer = invoke({"command": "downgrade", "revision": answer["continueWith"], "sliceSeconds": 0})
    assert (answer["status"], answer["to"]) == ("complete", ["aa"])
    assert "continueWith" not in answer


def in_slices(command: str, revision: str) -> list[str]:
    """The revisions of a run in slices of one revision each."""
    names = []
    while True:
        answer = invoke({"command": command, "revision": revision, "sliceSeconds": 0})
        names += [item["revision"] for item in answer["applied"]]
        if answer["status"] != "partial":
            return names
        revision = answer["continueWith"]


@pytest.fixture
def branches(backend: Backend) -> Backend:
    """Two labeled branches from one revision, and a labeled one of its own."""
    for revision, down, label in (
        ("m1", None, None),
        ("a1", "m1", "left"),
        ("a2", "a1", None),
        ("b1", "m1", "right"),
        ("b2", "b1", None),
        ("c1", None, "other"),
        ("c2", "c1", None),
    ):
        backend.table_revision(revision, down)
        file = backend.versions / f"{revision}.py"
        file.write_text(file.read_text().replace("branch_labels = None", f"branch_labels = {label!r}"))
    return backend


@pytest.mark.parametrize(
    ("revision", "reverted"),
    [
        ("other@base", ["c2", "c1"]),
        ("other@-2", ["c2", "c1"]),
        ("c2-2", ["c2", "c1", "b2", "b1", "a2", "a1", "m1"]),
        ("left@m1", ["a2", "a1"]),
        ("left@-2", ["a2", "a1"]),
        ("a1-1", ["b2", "b1", "a2", "a1"]),
        ("m1", ["b2", "b1", "a2", "a1"]),
    ],
)
def test_a_downgrade_of_a_branch_in_slices_reverts_what_alembic_reverts(
    branches: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, revision: str, reverted: list[str]
) -> None:
    set_settings(monkeypatch, allow=["downgrade"])
    invoke()
    at_once = invoke({"command": "downgrade", "revision": revision})
    assert sorted(item["revision"] for item in at_once["applied"]) == sorted(reverted)
    invoke()
    assert sorted(in_slices("downgrade", revision)) == sorted(reverted)
    assert database.tables() == sorted({"m1", "a1", "a2", "b1", "b2", "c1", "c2", "alembic_version"} - set(reverted))


def test_a_downgrade_from_several_heads_in_slices_stays_on_one_branch(
    branches: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_settings(monkeypatch, allow=["downgrade"])
    invoke()
    assert len({revision[0] for revision in in_slices("downgrade", "-2")}) == 1
    assert len(database.tables()) == 6


def test_a_downgrade_goes_on_from_rows_of_which_one_implies_another_and_an_upgrade_names_the_row_to_delete(
    backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_settings(monkeypatch, allow=["downgrade"])
    for revision, down in (("m1", None), ("a1", "m1"), ("a2", "a1"), ("b1", "a1"), ("c1", "m1")):
        backend.table_revision(revision, down)
    file = backend.versions / "b1.py"
    file.write_text(file.read_text().replace("depends_on = None", "depends_on = 'a2'"))
    invoke({"revision": "heads"})
    # As Alembic writes it.
    first = invoke({"command": "downgrade", "revision": "b1-1", "sliceSeconds": 0})
    assert (first["status"], first["to"]) == ("partial", ["a1", "a2", "c1"])
    error = failure({"revision": "heads"})["error"]
    assert (error["code"], error["next"]) == (
        "invalid_version_table",
        "delete the row a1: the later one implies it; nothing was changed",
    )
    assert invoke({"command": "downgrade", "revision": first["continueWith"]})["to"] == ["a1", "c1"]
    assert database.tables() == ["a1", "alembic_version", "c1", "m1"]


def test_an_upgrade_of_a_branch_goes_as_many_steps_as_requested(branches: Backend, database: Database) -> None:
    assert in_slices("upgrade", "other@+1") == ["c1"]
    assert in_slices("upgrade", "left@+2") == ["m1", "a1"]
    assert in_slices("upgrade", "left@+1") == ["a2"]


def test_a_downgrade_that_waited_for_a_lock_reverts_no_other_branch(
    branches: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_settings(monkeypatch, allow=["downgrade"])
    tries = count_tries(database)
    file = branches.versions / "c1.py"
    is_first = "(SELECT last_value FROM tries) = 1"
    fails_once = f"""{COUNT_TRIES}    op.execute("DO $$ BEGIN IF {is_first} THEN RAISE lock_not_available; END IF; END $$")
    op.drop_table"""
    file.write_text(file.read_text().replace("op.drop_table", fails_once))
    invoke()
    answer = invoke({"command": "downgrade", "revision": "other@base"})
    assert tries() == 2
    assert [item["revision"] for item in answer["applied"]] == ["c2", "c1"]
    assert database.versions() == ["a2", "b2"]


def test_a_downgrade_to_base_empties_the_database(chain: Backend, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    set_settings(monkeypatch, allow=["downgrade"])
    invoke()
    answer = invoke({"command": "downgrade", "revision": "base"})
    assert (answer["status"], answer["to"], answer["target"]) == ("complete", [], [])
    assert database.tables() == ["alembic_version"]
    assert database.versions() == []


def test_a_failing_downgrade_is_named_and_rolled_back(
    backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_settings(monkeypatch, allow=["downgrade"])
    backend.revision("aa", None, 'op.execute("CREATE TABLE kept (id int)")', 'op.execute("DROP TABLE kept; DROP TABLE missing")')
    invoke()
    answer = failure({"command": "downgrade", "revision": "base"})
    assert (answer["error"]["code"], answer["error"]["revision"]) == ("migration_failed", "aa")
    assert answer["error"]["message"].startswith("downgrade of revision aa")
    assert database.tables() == ["alembic_version", "kept"]


def test_stamp_moves_the_version_and_nothing_else(chain: Backend, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    set_settings(monkeypatch, allow=["stamp"])
    answer = invoke({"command": "stamp", "revision": "bb"})
    assert (answer["status"], answer["from"], answer["to"]) == ("complete", [], ["bb"])
    assert database.tables() == ["alembic_version"]
    assert invoke({"command": "stamp", "revision": "base"})["to"] == []


@pytest.mark.parametrize(
    ("revision", "after"),
    [("other@base", ["a2", "b2"]), ("c1", ["a2", "b2", "c1"]), ("a1", ["a1", "b2", "c2"]), ("other@head", ["a2", "b2", "c2"])],
)
def test_a_stamp_of_one_branch_keeps_the_others_as_alembic_does(
    branches: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, revision: str, after: list[str]
) -> None:
    set_settings(monkeypatch, allow=["stamp"])
    invoke()
    answer = invoke({"command": "stamp", "revision": revision})
    assert (answer["status"], answer["to"], database.versions()) == ("complete", after, after)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("statement", "revision", "code"),
    [
        ("BEGIN; LOCK TABLE alembic_version", "bb", "lock_not_available"),
        ("ALTER DATABASE {name} SET default_transaction_read_only = on", "bb", "read_only"),
        ("SELECT 1", "x" * 40, "migration_failed"),
    ],
)
def test_a_stamp_that_the_database_refuses_fails_with_the_reason(
    backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, statement: str, revision: str, code: str
) -> None:
    set_settings(monkeypatch, allow=["stamp"])
    backend.table_revision("aa")
    invoke()
    backend.table_revision(revision, "aa")
    with database.connect() as connection:
        connection.execute(statement.format(name=database.name))
        try:
            error = failure({"command": "stamp", "revision": revision})["error"]
        finally:
            connection.execute("ROLLBACK")
            connection.execute(f"ALTER DATABASE {database.name} RESET default_transaction_read_only")
    assert error["code"] == code
    if code == "lock_not_available":
        assert error["blockers"][0]["state"] == "idle in transaction"
    if code == "migration_failed":
        assert error["message"].startswith("the stamp failed: its id of 40 characters is too long")
    assert database.versions() == ["aa"]


@pytest.mark.parametrize("command", ["upgrade", "plan"])
def test_a_revision_that_the_scripts_do_not_have_is_named(chain: Backend, database: Database, command: str) -> None:
    answer = failure({"command": command, "revision": "ffffffffffff"})
    assert answer["error"]["code"] == "unknown_revision"
    assert "ffffffffffff" in answer["error"]["message"]
    assert "cc" in answer["error"]["next"]
    assert database.tables() == []


def test_a_step_past_the_head_is_refused(chain: Backend, database: Database) -> None:
    assert failure({"revision": "+4"})["error"]["code"] == "unknown_revision"
    assert "AssertionError" not in failure({"revision": "aa+9"})["error"]["message"]
    assert database.tables() == []


class TestDatabaseAhead:
    """The database has a revision that this release does not know."""

    @pytest.fixture(autouse=True)
    def newer_database(self, chain: Backend) -> None:
        invoke()
        (chain.versions / "cc.py").unlink()

    def test_upgrade_fails_names_the_revision_and_what_to_deploy(self, database: Database) -> None:
        answer = failure()
        assert (answer["error"]["code"], answer["error"]["revision"]) == ("database_ahead", "cc")
        assert "deploy the release that has this revision" in answer["error"]["next"]
        assert database.versions() == ["cc"]

    @pytest.mark.parametrize("command", ["plan", "current", "history"])
    def test_a_command_that_reads_answers_ahead(self, command: str) -> None:
        answer = invoke({"command": command})
        assert (answer["status"], answer["unknown"], answer["to"]) == ("ahead", ["cc"], ["cc"])

    def test_history_shows_what_the_newer_release_found_and_applied(self, chain: Backend, database: Database) -> None:
        assert [item["applied"] for item in invoke({"command": "history"})["history"]] == [True, True]
        (chain.versions / "bb.py").unlink()
        assert [item["applied"] for item in invoke({"command": "history"})["history"]] == [True]
        with database.connect() as connection:
            connection.execute("DROP SCHEMA cdk_alembic CASCADE")
        assert [item["applied"] for item in invoke({"command": "history"})["history"]] == [False]

    @pytest.mark.parametrize("command", ["downgrade", "stamp"])
    def test_no_other_command_changes_it(self, database: Database, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
        set_settings(monkeypatch, allow=["downgrade", "stamp"])
        assert failure({"command": command, "revision": "aa"})["error"]["code"] == "database_ahead"
        assert database.versions() == ["cc"]


def test_the_start_of_an_id_in_the_database_is_not_mistaken_for_the_revision(backend: Backend, database: Database) -> None:
    backend.table_revision("abcdef123456")
    invoke()
    with database.connect() as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'abcdef'")
    assert failure()["error"]["code"] == "database_ahead"


CATCHING = "\nfrom contextlib import suppress\nwith suppress(Exception):\n    {}\n"
"""The end of an env.py that goes on after a failure."""


class TestProjectsThatCannotRun:
    """Each is reported in one sentence, without a stack trace."""

    def test_a_missing_alembic_project_is_reported(self, package: Backend) -> None:
        answer = failure()
        assert answer["error"]["code"] == "invalid_project"
        assert "alembic.ini" in answer["error"]["message"]

    def test_a_missing_backend_folder_is_reported(
        self, package: Backend, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("LAMBDA_TASK_ROOT", str(tmp_path / "nowhere"))
        assert "backend/" in failure()["error"]["message"]

    def test_a_syntax_error_in_a_revision_is_reported(self, backend: Backend) -> None:
        backend.revision("aa", None, "op.create_table(")
        answer = failure()
        assert answer["error"]["code"] == "invalid_project"
        assert "aa.py" in answer["error"]["message"]

    def test_a_missing_down_revision_is_reported(self, backend: Backend) -> None:
        backend.table_revision("aa", "missing")
        answer = failure()
        assert answer["error"]["code"] == "invalid_project"
        assert "missing" in answer["error"]["message"]

    def test_an_env_py_that_raises_is_reported(self, backend: Backend) -> None:
        backend.table_revision("aa")
        backend.write_env('import os\nos.environ["NOT_THERE"]\n')
        answer = failure()
        assert answer["error"]["code"] == "invalid_project"
        assert answer["error"]["message"] == "env.py failed: the environment variable NOT_THERE is not set (env.py:2)"
        assert "the `environment` of the construct" in answer["error"]["next"]

    @pytest.mark.parametrize(
        "statement",
        [
            'raise FileNotFoundError("settings.yaml does not exist")',
            'raise TimeoutError("the secrets did not arrive")',
            'from urllib.request import urlopen; urlopen("http://127.0.0.1:1/settings")',
        ],
    )
    def test_a_missing_file_or_service_of_env_py_is_not_blamed_on_the_database(self, backend: Backend, statement: str) -> None:
        backend.table_revision("aa")
        backend.write_env(statement)
        error = failure()["error"]
        assert (error["code"], error["message"].startswith("env.py failed: ")) == ("invalid_project", True), error["message"]

    @pytest.mark.parametrize(("name", "version"), [("sqlalchemy", "1.3.24"), ("alembic", "1.7.7")])
    def test_versions_that_are_too_old_are_reported(
        self, backend: Backend, monkeypatch: pytest.MonkeyPatch, name: str, version: str
    ) -> None:
        monkeypatch.setattr(f"{name}.__version__", version)
        error = failure()["error"]
        assert error["code"] == "invalid_project"
        assert f"{name} {version} is installed, and" in error["message"]

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("script_location = alembic\n", "no section headers"),
            ("[other]\n", "has no '[alembic]' section"),
            ("[alembic]\nscript_location = %(nope)s/alembic\n", "'nope' which is not a valid option name"),
        ],
    )
    def test_a_configuration_that_cannot_be_read_is_reported(self, backend: Backend, text: str, reason: str) -> None:
        (backend.directory / "alembic.ini").write_text(text)
        error = failure()["error"]
        assert (error["code"], reason in error["message"]) == ("invalid_project", True), error["message"]
        assert "internal" not in error["next"]

    def test_an_env_py_that_exits_is_reported(self, backend: Backend) -> None:
        backend.table_revision("aa")
        backend.write_env("import sys\nsys.exit(1)\n")
        assert failure()["error"]["code"] == "invalid_project"

    def test_an_env_py_that_runs_no_migrations_is_reported(self, backend: Backend) -> None:
        backend.table_revision("aa")
        backend.write_env("")
        assert "run_migrations" in failure()["error"]["message"]

    def test_an_env_py_that_runs_migrations_twice_is_reported(self, backend: Backend, database: Database) -> None:
        backend.table_revision("aa")
        backend.write_env((backend.directory / "alembic" / "env.py").read_text() + "\nrun_migrations_online()\n")
        assert "more than once" in failure()["error"]["message"]

    def test_an_env_py_that_runs_migrations_twice_and_catches_the_error_is_reported(
        self, backend: Backend, database: Database
    ) -> None:
        backend.table_revision("aa")
        backend.write_env((backend.directory / "alembic" / "env.py").read_text() + CATCHING.format("run_migrations_online()"))
        assert "more than once" in failure()["error"]["message"]

    def test_an_env_py_that_catches_a_failure_and_runs_again_is_reported(self, backend: Backend, database: Database) -> None:
        backend.revision("aa", None, 'raise ValueError("of aa")')
        env = (backend.directory / "alembic" / "env.py").read_text()
        calls = CATCHING.format("run_migrations_online()") + "run_migrations_online()\n"
        backend.write_env(env.replace("\n    run_migrations_online()\n", "\n    pass\n") + calls)
        assert "ValueError: of aa" in failure()["error"]["message"]
        assert database.tables() == []

    def test_a_revision_that_raises_is_named_with_its_line(self, backend: Backend, database: Database) -> None:
        backend.revision("aa", None, 'op.execute("CREATE TABLE gone (id int)")\n{}["key"]')
        answer = failure()
        assert (answer["error"]["code"], answer["error"]["revision"]) == ("migration_failed", "aa")
        assert "KeyError: 'key' (aa.py:16)" in answer["error"]["message"]
        assert database.tables() == []

    def test_a_revision_that_exits_is_a_failure(self, backend: Backend, database: Database) -> None:
        backend.revision("aa", None, "import sys\nsys.exit(0)")
        assert failure()["error"]["revision"] == "aa"

    def test_a_password_in_an_error_is_redacted(self, backend: Backend, capsys: pytest.CaptureFixture[str]) -> None:
        backend.revision("aa", None, 'raise ValueError("postgresql://app:hunter2@db/x and password=hunter3")')
        answer = failure()
        assert "hunter" not in json.dumps(answer) + capsys.readouterr().out
        assert "postgresql://app:***@db/x" in answer["error"]["message"]


@pytest.mark.parametrize("settings_", ["", "{", "[]", "{}", '{"stage": "dev", "allow": [], "database": {"source": "file"}}'])
def test_invalid_settings_are_an_error_of_the_deployment(
    package: Backend, monkeypatch: pytest.MonkeyPatch, settings_: str
) -> None:
    monkeypatch.setenv("CDK_ALEMBIC_SETTINGS", settings_)
    assert failure()["error"]["code"] == "invalid_settings"


@pytest.mark.parametrize(
    ("event", "prop", "setting"),
    [
        ({"command": "downgrade", "revision": "base"}, "allowDowngrade", '"downgrade" in `allow`'),
        ({"command": "stamp", "revision": "head"}, "allowStamp", '"stamp" in `allow`'),
        ({"snapshot": True}, "MigrationSnapshot", "`snapshot`"),
    ],
)
def test_what_a_stage_does_not_allow_is_named_with_and_without_the_cdk(
    backend: Backend, event: dict[str, Any], prop: str, setting: str
) -> None:
    backend.table_revision("aa")
    error = failure(event)["error"]
    assert error["code"] == "not_allowed"
    assert (prop in error["next"], f"or {setting} in CDK_ALEMBIC_SETTINGS" in error["next"]) == (True, True), error["next"]
