"""A long history on an empty database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import REVISION, Backend, Database, fresh_database

REVISIONS = int(os.environ.get("REVISIONS", "1000"))

# A process of its own, as Lambda starts it: nothing of the tests counts as its memory.
ONE_CALL = """
import json, re, resource
from pathlib import Path
from cdk_alembic.handler import handler
class Context:
    aws_request_id = "scale"
    def get_remaining_time_in_millis(self):
        return 900_000
answer = handler({}, Context())
status = Path("/proc/self/status")
if status.exists():
    # On Linux the maximum of getrusage is that of the process that started this one, too.
    peak = int(re.search(r"VmHWM:\\s+([0-9]+) kB", status.read_text())[1]) * 1024
else:
    # In bytes on macOS.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"answer": answer, "megabytes": peak / 1024**2}))
"""


@pytest.fixture
def database() -> Iterator[Database]:
    """Of its own: to empty one of so many tables takes more locks than a server has."""
    with fresh_database() as database:
        yield database


def test_a_long_history_is_applied_to_an_empty_database_by_one_function(backend: Backend, database: Database) -> None:
    down = None
    for number in range(REVISIONS):
        revision = f"r{number:04}"
        text = REVISION.format(
            revision=revision,
            down=down,
            upgrade=f'    op.execute("CREATE TABLE t{number} (id int)")',
            downgrade="    pass",
            message=f"Add t{number}",
        )
        (backend.versions / f"{revision}.py").write_text(text)
        down = revision
    root = Path(__file__).parent.parent.parent.parent
    started = time.monotonic()
    call = subprocess.run(
        [sys.executable, "-c", ONE_CALL],
        env={**os.environ, "PYTHONPATH": str(root / "lambda" / "migrate")},
        capture_output=True,
        text=True,
        check=True,
    )
    lasted = time.monotonic() - started
    result = json.loads(call.stdout.splitlines()[-1])
    print(f"{REVISIONS} revisions in {lasted:.0f} s, {result['megabytes']:.0f} MB at most")
    assert (result["answer"]["status"], result["answer"]["to"]) == ("complete", [down])
    assert len(result["answer"]["applied"]) == REVISIONS
    assert result["megabytes"] < 512
    assert len(json.dumps(result["answer"])) < 6 * 1024 * 1024  # Lambda's limit for an answer
