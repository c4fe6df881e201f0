"""A function that waits for something outside of the database ends."""

from __future__ import annotations

import socket
import threading
import time
import urllib.request
from pathlib import Path

import pytest
from cdk_alembic_local.replay.failure_facts import failure_facts
from cdk_alembic_local.waiting import Waiting, limited

LIMIT = 0.2


def _run(path: Path, body: str, **names: object) -> BaseException:
    """What ends a revision with this upgrade, in which no statement runs."""
    path.write_text("def upgrade():\n" + "".join(f"    {line}\n" for line in body.splitlines()))
    exec(compile(path.read_text(), str(path), "exec"), names)
    began = time.perf_counter()
    with pytest.raises(Waiting) as raised, limited(str(path), lambda: time.perf_counter() - began, LIMIT):
        names["upgrade"]()
    return raised.value


def test_a_wait_for_a_service_that_does_not_answer_ends_with_the_function_that_waits(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        file = tmp_path / "aa.py"
        error = _run(file, f"fetch({url!r})", fetch=urllib.request.urlopen)
    facts = failure_facts(error, str(file))
    assert facts == {"message": "Waiting: no statement for 0 s, and still in urllib.request.urlopen", "line": 2}


def test_a_revision_cannot_catch_it_and_a_wait_in_c_is_named_by_its_line(tmp_path: Path) -> None:
    error = _run(
        tmp_path / "aa.py", "while True:\n    try:\n        sleep(600)\n    except Exception:\n        pass", sleep=time.sleep
    )
    assert str(error) == "no statement for 0 s, and still in sleep(600)"


def test_a_thread_for_which_the_revision_waits_counts_too(tmp_path: Path) -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait, daemon=True)
    thread.start()
    error = _run(tmp_path / "aa.py", "thread.join()", thread=thread)
    done.set()
    assert "and still in threading." in str(error)


def test_statements_may_take_as_long_as_they_need(tmp_path: Path) -> None:
    checks = []
    with limited(str(tmp_path / "aa.py"), lambda: checks.append(1) or 0, LIMIT):
        while len(checks) < 3:
            time.sleep(LIMIT)
    assert len(checks) >= 3
