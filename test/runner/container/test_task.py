"""The container's entry as ECS runs it: a process of its own, a request in its environment, SIGTERM when it is stopped, SIGKILL
when that takes too long. Only ECS itself is not there."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO

import pytest
from cdk_alembic import task
from cdk_alembic.protocol import rules
from conftest import MUTEX, Backend, Database, eventually, invoke, set_settings
from each_driver import DRIVERS

RUNNER = Path(rules.__file__).parent.parent.parent
_fork = multiprocessing.get_context("fork")
SLEEPERS = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep%' AND state = 'active'"
    " AND pid <> pg_backend_pid()"
)
# What a shell shows for a process that SIGTERM has ended.
CANCELLED = 143
MARK = "# cdk-alembic: run in container"
LONG = f'{MARK}\nop.execute("INSERT INTO aa SELECT 1")\nop.execute("SELECT pg_sleep(600)")'
SHORT = f'{MARK}\nop.execute("INSERT INTO aa SELECT 1")'


class Task:
    """A task that runs. It is forked: Python and Alembic are loaded already."""

    def __init__(self, request: Any = None, text: str | None = None) -> None:
        self._log = TemporaryFile()  # noqa: SIM115
        self._process = _fork.Process(target=_run, args=(self._log, text or json.dumps(request or {})), daemon=True)
        self._process.start()

    def send(self, sent: signal.Signals) -> None:
        os.kill(self._process.pid, sent)

    def end(self, seconds: float = 300) -> tuple[int, dict[str, Any]]:
        """Exit code, and the answer in the log's last line."""
        self._process.join(seconds)
        self._log.seek(0)
        return self._process.exitcode, logged_answer(self._log.read().decode(), self._process.exitcode)

    def killed(self) -> None:
        self.send(signal.SIGKILL)
        self._process.join()


def _run(output: BinaryIO, request: str) -> None:
    os.environ[rules.REQUEST_VARIABLE] = request
    sys.stdout = os.fdopen(output.fileno(), "w", closefd=False)
    sys.exit(task.main())


def logged_answer(log: str, code: int | None) -> dict[str, Any]:
    lines = [json.loads(line) for line in log.splitlines()]
    last = lines[-1] if lines else {}
    assert last.get("event") == "task_ended" and last["exitCode"] == code
    return last["answer"]


@pytest.fixture
def long(backend: Backend, database: Database) -> Backend:
    """A database with a revision that would take a minute before it."""
    return made_long(backend)


def made_long(backend: Backend) -> Backend:
    backend.revision("aa", None, 'op.execute("CREATE TABLE aa (id int)")')
    invoke()
    backend.revision("bb", "aa", LONG)
    return backend


def last_run() -> dict[str, Any]:
    return invoke({"command": "history"})["runs"][0]


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
class TestEveryDriver:
    def test_sigterm_cancels_the_statement_in_the_database_and_rolls_its_revision_back(
        self, package: Backend, database: Database, template: str, scheme: str
    ) -> None:
        made_long(package.initialise(database.url(scheme), template))
        run_id = str(uuid.uuid4())
        running = Task({"runId": run_id, "requestedBy": "deploy app"})
        eventually(lambda: database.rows(SLEEPERS))
        running.send(signal.SIGTERM)
        eventually(lambda: not database.rows(SLEEPERS))
        code, answer = running.end()
        assert (code, answer["error"]["code"], answer["error"]["revision"]) == (CANCELLED, "cancelled", "bb")
        assert (answer["error"]["sqlState"], answer["applied"]) == ("57014", [])
        assert (database.versions(), database.rows("SELECT FROM aa")) == (["aa"], [])
        run = last_run()
        assert (run["runId"], run["outcome"], run["requestedBy"]) == (run_id, "cancelled", "deploy app")
        assert "revision bb" in run["error"] and run["endedAt"]

    def test_the_session_of_a_killed_task_ends_and_its_locks_are_free(
        self, package: Backend, database: Database, template: str, scheme: str
    ) -> None:
        backend = made_long(package.initialise(database.url(scheme), template))
        running = Task()
        eventually(lambda: database.rows(SLEEPERS))
        running.killed()
        eventually(lambda: not database.rows(SLEEPERS))
        eventually(lambda: not database.rows(f"SELECT FROM pg_locks WHERE {MUTEX}"))
        assert (database.versions(), last_run()["outcome"]) == (["aa"], "killed")
        backend.revision("bb", "aa", SHORT)
        code, answer = Task().end()
        assert (code, answer["status"], database.rows("SELECT id FROM aa")) == (0, "complete", [(1,)])


def test_a_task_that_was_cancelled_is_run_again_under_the_same_id_and_writes_each_row_once(
    long: Backend, database: Database
) -> None:
    request = {"runId": str(uuid.uuid4())}
    running = Task(request)
    eventually(lambda: database.rows(SLEEPERS))
    running.send(signal.SIGTERM)
    assert running.end()[0] == CANCELLED
    long.revision("bb", "aa", SHORT)
    code, answer = Task(request).end()
    assert (code, answer["status"], database.rows("SELECT id FROM aa")) == (0, "complete", [(1,)])
    run = last_run()
    assert (run["runId"], run["outcome"], run["error"]) == (request["runId"], "complete", None)
    assert [item["revision"] for item in run["applied"]] == ["bb"]


def test_a_statement_has_no_deadline_and_a_killed_task_still_ends_it(backend: Backend, database: Database) -> None:
    names = ("statement_timeout", "transaction_timeout", "lock_timeout", "client_connection_check_interval")
    shown = ", ".join(f"current_setting('{name}') AS {name}" for name in names)
    backend.revision("aa", None, f'{MARK}\nop.execute("CREATE TABLE shown AS SELECT {shown}")'.replace('"', '"""'))
    with database.connect() as connection:
        connection.execute(f'ALTER DATABASE "{database.name}" SET statement_timeout = 1000')
    try:
        assert Task().end()[0] == 0
    finally:
        with database.connect() as connection:
            connection.execute(f'ALTER DATABASE "{database.name}" RESET statement_timeout')
    assert database.rows("SELECT * FROM shown") == [("0", "0", "5s", "1s")]


def test_a_task_applies_its_revisions_and_leaves_the_rest_to_the_function(backend: Backend, database: Database) -> None:
    backend.revision("aa", None, SHORT.replace("INSERT INTO aa SELECT 1", "CREATE TABLE aa (id int)"))
    backend.revision("bb", "aa", SHORT)
    backend.table_revision("cc", "bb")
    code, answer = Task().end()
    assert (code, answer["status"], database.versions()) == (0, "partial", ["bb"])
    assert [item["revision"] for item in answer["applied"]] == ["aa", "bb"]
    assert [item["revision"] for item in answer["pending"]] == ["cc"]


def test_a_task_applies_all_revisions_if_the_request_says_so(backend: Backend, database: Database) -> None:
    backend.table_revision("aa")
    backend.revision("bb", "aa", SHORT)
    backend.table_revision("cc", "bb")
    code, answer = Task({"in": "container"}).end()
    assert (code, answer["status"], database.versions()) == (0, "complete", ["cc"])


def test_a_task_with_nothing_to_do_succeeds(long: Backend, database: Database) -> None:
    code, answer = Task({"in": "container", "revision": "aa"}).end()
    assert (code, answer["status"], answer["applied"]) == (0, "complete", [])


def test_a_canceled_run_starts_no_more_statements_even_if_its_revision_continues(long: Backend, database: Database) -> None:
    stubborn = """try:
    with op.get_bind().begin_nested():
        op.execute("SELECT pg_sleep(600)")
except Exception:
    pass
op.execute("SELECT nextval('further')")"""
    long.revision("bb", "aa", f"{MARK}\n{stubborn}")
    with database.connect() as connection:
        connection.execute("CREATE SEQUENCE further")
    running = Task()
    eventually(lambda: database.rows(SLEEPERS))
    running.send(signal.SIGTERM)
    code, answer = running.end()
    assert (code, answer["error"]["code"], database.versions()) == (CANCELLED, "cancelled", ["aa"])
    assert database.rows("SELECT is_called FROM further") == [(False,)]


def test_a_revision_that_swallows_the_cancellation_does_not_count_as_applied(long: Backend, database: Database) -> None:
    swallowing = """with op.get_context().autocommit_block():
    try:
        op.execute("SELECT pg_sleep(600)")
    except Exception:
        pass"""
    long.revision("bb", "aa", f"{MARK}\n{swallowing}")
    running = Task()
    eventually(lambda: database.rows(SLEEPERS))
    running.send(signal.SIGTERM)
    code, answer = running.end()
    assert (code, answer["error"]["code"], database.versions()) == (CANCELLED, "cancelled", ["aa"])


def test_a_task_that_waits_for_another_run_can_be_cancelled_at_once(long: Backend, database: Database) -> None:
    holder = Task()
    eventually(lambda: database.rows(SLEEPERS))
    waiting = Task({"runId": str(uuid.uuid4())})
    # The holder's own session has gone on to other statements.
    sessions = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    asking = f"SELECT {sessions} AND query LIKE '%pg_try_advisory_lock%'"
    eventually(lambda: database.rows(asking))
    waiting.send(signal.SIGTERM)
    code, answer = waiting.end()
    assert (code, answer["error"]["code"]) == (CANCELLED, "cancelled")
    assert database.rows(SLEEPERS)
    holder.send(signal.SIGTERM)
    holder.end()


def test_the_guard_stops_a_task_like_the_function(long: Backend, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    long.revision("bb", "aa", f'{MARK}\nop.drop_table("aa")')
    code, answer = Task().end()
    assert (code, answer["error"]["code"], database.versions()) == (3, "blocked", ["aa"])


def test_a_task_that_fails_is_recorded_in_the_history_and_in_its_exit_code(long: Backend, database: Database) -> None:
    long.revision("bb", "aa", f'{MARK}\nop.execute("SELECT 1 / 0")')
    code, answer = Task().end()
    assert (code, answer["error"]["code"]) == (1, "migration_failed")
    run = last_run()
    assert run["outcome"] == "migration_failed" and "division by zero" in run["error"]


def test_a_task_locked_out_by_another_run_did_not_start(
    long: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_settings(monkeypatch, limits={"mutexWaitSeconds": 0})
    holder = Task()
    eventually(lambda: database.rows(SLEEPERS))
    code, answer = Task().end()
    assert (code, answer["error"]["code"]) == (3, "locked")
    holder.send(signal.SIGTERM)
    holder.end()


@pytest.mark.parametrize("text", ["{", "[]", '{"later": 1}'])
def test_an_invalid_request_gets_an_answer(package: Backend, text: str) -> None:
    code, answer = Task(text=text).end()
    assert (code, answer["error"]["code"]) == (2, "invalid_request")


def test_a_database_that_does_not_answer_has_its_exit_code(package: Backend) -> None:
    package.initialise("postgresql+psycopg://app:pw@127.0.0.1:9/app").table_revision("aa")
    # The command of the container's image.
    command = [sys.executable, "-m", "cdk_alembic.task"]
    ran = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(RUNNER)}, capture_output=True, text=True, check=False)
    assert (ran.returncode, logged_answer(ran.stdout, ran.returncode)["error"]["code"]) == (4, "database_unreachable")
