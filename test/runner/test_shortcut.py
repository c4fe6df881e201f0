"""The shortcut of a call that has nothing to do: it is taken where it can be, and it never answers otherwise than the full way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cdk_alembic import full
from conftest import DRIVERS, Backend, Context, Database

# Lambda starts a process of its own, which has imported nothing.
COLD = """
import json, sys
from cdk_alembic.handler import handler
class Context:
    aws_request_id = "cold"
    def get_remaining_time_in_millis(self):
        return 60_000
answer = handler(json.loads(sys.argv[1]), Context())
print(json.dumps([answer, [name for name in ("sqlalchemy", "alembic") if name in sys.modules]]))
"""


def cold(event: Any = None) -> tuple[dict[str, Any], list[str], dict[str, Any]]:
    """The answer of a fresh process, what it imported of SQLAlchemy and Alembic, and its log's line `run_ended`."""
    code = Path(__file__).parent.parent.parent / "lambda" / "migrate"
    run = subprocess.run(
        [sys.executable, "-c", COLD, json.dumps(event)],
        env={**os.environ, "PYTHONPATH": str(code)},
        capture_output=True,
        text=True,
        check=True,
    )
    *lines, last = run.stdout.splitlines()
    ended = [json.loads(line) for line in lines if '"run_ended"' in line]
    return (*json.loads(last), ended[0])


@pytest.fixture
def parts(package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch) -> Backend:
    """A backend that reads the parts of the address from the environment."""
    for name, value in {
        "HOST": database.host,
        "PORT": database.port,
        "USER": database.user,
        "PASSWORD": database.password,
    }.items():
        monkeypatch.setenv(f"POSTGRES_{name}", value)
    monkeypatch.setenv("POSTGRES_DB", database.name)
    return package


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
@pytest.mark.parametrize("event", [None, {}, {"command": "plan"}, {"command": "current"}])
def test_a_cold_call_with_nothing_to_do_imports_neither_alembic_nor_sqlalchemy(
    package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, template: str, scheme: str, event: Any
) -> None:
    monkeypatch.setenv("DATABASE_URL", database.url(scheme))
    package.initialise("driver://", template).read_url_from("DATABASE_URL").with_shortcut(scheme.split("+")[1])
    package.table_revision("aa")
    first, imported, ended = cold()
    assert (first["status"], ended["shortcut"], len(imported)) == ("complete", False, 2)
    answer, imported, ended = cold(event)
    assert (imported, ended["shortcut"]) == ([], True), ended
    assert answer == full.carry_out(event, Context(60), "")
