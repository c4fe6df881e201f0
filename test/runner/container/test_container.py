"""Revisions that run in a container, seen from the function: it applies what comes before them, and goes on after them."""

from __future__ import annotations

import pytest
from cdk_alembic.project.sources import runs_in_container
from conftest import Backend, Database, failure, invoke, set_settings

MACHINE = "arn:aws:states:eu-central-1:111122223333:stateMachine:app-container"
MARK = "# cdk-alembic: run in container"


@pytest.fixture
def history(backend: Backend) -> Backend:
    """A database with rows, and three pending revisions, of which the second is for the container."""
    backend.table_revision("aa")
    invoke()
    backend.table_revision("bb", "aa")
    backend.revision("cc", "bb", f'{MARK}\nop.execute("CREATE TABLE cc (id int)")')
    backend.table_revision("dd", "cc")
    return backend


class TestStageWithContainer:
    @pytest.fixture(autouse=True)
    def container(self, history: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
        set_settings(monkeypatch, container=MACHINE)

    def test_the_plan_says_what_runs_in_the_container_and_who_starts_it(self) -> None:
        answer = invoke({"command": "plan"})
        assert answer["status"] == "pending"
        assert answer["container"] == {"revisions": ["cc"], "stateMachineArn": MACHINE}

    def test_the_function_applies_the_revisions_before_it_and_stops(self, database: Database) -> None:
        answer = invoke()
        assert (answer["status"], [item["revision"] for item in answer["applied"]]) == ("partial", ["bb"])
        assert [item["revision"] for item in answer["pending"]] == ["cc", "dd"]
        assert answer["container"] == {"revisions": ["cc"], "stateMachineArn": MACHINE}
        assert database.versions() == ["bb"]

    def test_with_no_revision_before_it_the_function_stops_and_names_the_run(self, database: Database) -> None:
        first = invoke()
        answer = invoke({"runId": first["runId"]})
        assert (answer["status"], answer["applied"], answer["runId"]) == ("partial", [], first["runId"])
        [run, _] = invoke({"command": "history"})["runs"]
        assert (run["outcome"], run["to"], run["error"]) == ("partial", ["bb"], None)

    def test_the_function_applies_the_revisions_after_it(self, history: Backend, database: Database) -> None:
        invoke()
        history.revision("cc", "bb", 'op.execute("CREATE TABLE cc (id int)")')  # as if the container had applied it
        invoke({"revision": "cc"})
        history.revision("cc", "bb", f'{MARK}\nop.execute("CREATE TABLE cc (id int)")')
        answer = invoke()
        assert (answer["status"], [item["revision"] for item in answer["applied"]]) == ("complete", ["dd"])
        assert "container" not in answer

    def test_a_request_can_run_all_revisions_in_the_container(self, database: Database) -> None:
        answer = invoke({"in": "container"})
        assert (answer["status"], answer["applied"]) == ("partial", [])
        assert answer["container"]["revisions"] == ["bb", "cc", "dd"]
        assert database.versions() == ["aa"]

    def test_without_such_a_pending_revision_the_answer_has_no_container(self) -> None:
        assert "container" not in invoke({"command": "plan", "revision": "bb"})

    def test_data_loss_is_refused_before_a_container_is_started(self, history: Backend) -> None:
        history.revision("ee", "dd", 'op.drop_table("aa")')
        answer = failure()
        assert (answer["error"]["code"], answer["applied"]) == ("blocked", [])


class TestStageWithoutContainer:
    @pytest.fixture(autouse=True)
    def stage(self, history: Backend) -> None:
        pass

    def test_a_revision_for_the_container_is_refused_before_anything_is_applied(self, database: Database) -> None:
        answer = failure()
        assert (answer["error"]["code"], answer["error"]["revision"], answer["applied"]) == ("needs_container", "cc", [])
        assert "MigrationCompute.container" in answer["error"]["next"]
        assert database.versions() == ["aa"]

    def test_the_plan_shows_the_revision_for_the_container(self) -> None:
        assert invoke({"command": "plan"})["container"] == {"revisions": ["cc"]}

    def test_revisions_before_it_can_be_applied_by_name(self, database: Database) -> None:
        assert invoke({"revision": "bb"})["status"] == "complete"

    def test_a_request_for_a_container_is_refused(self, database: Database) -> None:
        assert failure({"revision": "bb", "in": "container"})["error"]["code"] == "needs_container"
        assert database.versions() == ["aa"]

    def test_an_upgrade_from_an_empty_database_needs_no_container(self, database: Database) -> None:
        with database.connect() as connection:
            connection.execute("DROP TABLE alembic_version, aa; DROP SCHEMA cdk_alembic CASCADE")
        assert "container" not in invoke({"command": "plan"})
        assert invoke({"sliceSeconds": 0})["status"] == "partial"
        assert invoke()["status"] == "complete"
        assert database.versions() == ["dd"]


@pytest.mark.parametrize("comment", [MARK, "#cdk-alembic: run in a container", "    # cdk-alembic:  run  in container  "])
def test_the_comment_can_be_on_any_line(comment: str) -> None:
    assert runs_in_container(f"revision = 'aa'\nif True:\n    pass\n{comment}\n".encode())


@pytest.mark.parametrize("source", [f'"""{MARK}"""', f"x = '{MARK}'", "# cdk-alembic: run in containers", f"# see `{MARK}`"])
def test_text_that_only_mentions_the_comment_does_not_count(source: str) -> None:
    assert not runs_in_container(source.encode())
