"""A function that waits for something outside of the database ends."""

from __future__ import annotations

import socket
import threading
import time
import traceback
import urllib.request
from pathlib import Path

import pytest
from cdk_alembic_local.replay.failure_facts import failure_facts
from cdk_alembic_local.waiting import Waiting, limited

LIMIT = 0.2


def _run(path: Path, body: str, waits_in: str, **names: object) -> BaseException:
    """What ends a revision with this upgrade, in which no statement runs. `waits_in`: where it waits, `<function>` or
    `<function>:<line>`: the time counts from there on, however slow this machine is."""
    path.write_text("def upgrade():\n" + "".join(f"    {line}\n" for line in body.splitlines()))
    exec(compile(path.read_text(), str(path), "exec"), names)
    function, _, line = waits_in.partition(":")

    def seconds_without() -> float:
        stack = traceback.walk_stack(None)
        return LIMIT if any(frame.f_code.co_name == function and line in ("", str(at)) for frame, at in stack) else 0

    with pytest.raises(Waiting) as raised, limited(str(path), seconds_without, LIMIT):
        names["upgrade"]()
    return raised.value


def test_a_wait_for_a_service_that_does_not_answer_ends_with_the_function_that_waits(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        file = tmp_path / "aa.py"
        error = _run(file, f"fetch({url!r})", "urlopen", fetch=urllib.request.urlopen)
    facts = failure_facts(error, str(file))
    message = "Waiting: no statement for 0 s, and still in urllib.request.urlopen"
    assert facts == {"message": message, "line": 2, "waited": True}


def test_a_revision_cannot_catch_it_and_a_wait_in_c_is_named_by_its_line(tmp_path: Path) -> None:
    body = "while True:\n    try:\n        sleep(600)\n    except Exception:\n        pass"
    error = _run(tmp_path / "aa.py", body, "upgrade:4", sleep=time.sleep)
    assert str(error) == "no statement for 0 s, and still in sleep(600)"


def test_a_thread_for_which_the_revision_waits_counts_too(tmp_path: Path) -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait, daemon=True)
    thread.start()
    error = _run(tmp_path / "aa.py", "thread.join()", "join", thread=thread)
    done.set()
    assert "and still in threading." in str(error)


def test_statements_may_take_as_long_as_they_need(tmp_path: Path) -> None:
    checks = []
    with limited(str(tmp_path / "aa.py"), lambda: checks.append(1) or 0, LIMIT):
        while len(checks) < 3:
            time.sleep(LIMIT)
    assert len(checks) >= 3
