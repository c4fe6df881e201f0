"""What another call sees of a run: the revision, its statement, and how far PostgreSQL is with it."""

from __future__ import annotations

from typing import Any

import pytest
from cdk_alembic.production.progress import estimate
from conftest import AT_GATE, BLOCKED, WAIT, Backend, Database, eventually, gate, invoke, set_settings
from each_driver import DRIVERS
from processes import Call

# It stops at one row until a lock is free, so the progress does not depend on the machine's speed.
HELD = """
CREATE FUNCTION held(id int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN IF id = 25000 THEN PERFORM pg_advisory_xact_lock_shared(4711); END IF; RETURN id; END $$
"""


@pytest.mark.parametrize(("template", "scheme"), DRIVERS[:1] + DRIVERS[3:4])
def test_current_shows_the_progress_of_an_index_and_its_blockers(
    package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, template: str, scheme: str
) -> None:
    set_settings(monkeypatch, limits={"lockTimeoutSeconds": 600})
    package.initialise(database.url(scheme), template)
    package.table_revision("aa")
    invoke()
    assert "running" not in invoke({"command": "current"})
    database.execute(HELD)
    database.execute("INSERT INTO aa SELECT generate_series(1, 100000)")
    package.revision("bb", "aa", "op.execute('CREATE INDEX ix_aa ON aa (held(id)) WHERE id <> 4712')", message="Index")
    with database.connect(application_name="report") as holder:
        holder.execute("SELECT pg_advisory_lock(4711)")
        run = Call({"requestedBy": "person mira"})
        eventually(lambda: database.rows(BLOCKED.format("CREATE INDEX")))
        running = invoke({"command": "current"})["running"]
        pid = holder.info.backend_pid
    answer = run.answer()
    assert (answer["to"], running["runId"]) == (["bb"], answer["runId"])
    assert (running["command"], running["requestedBy"]) == ("upgrade", "person mira")
    assert (running["revision"], running["message"]) == ("bb", "Index")
    assert running["statement"] == "CREATE INDEX ix_aa ON aa (held(id)) WHERE id <> ?"
    assert running["since"] >= running["startedAt"] and running["elapsedMs"] >= 0
    assert running["phase"] == "CREATE INDEX: building index: scanning table"
    assert running["percent"] in (24, 25)
    [blocker] = running["blockers"]
    assert (blocker["pid"], blocker["application"], blocker["state"]) == (pid, "report", "idle")
    assert "running" not in invoke({"command": "current"})


def test_current_shows_a_downgrade_and_statements_without_progress(
    backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_settings(monkeypatch, allow=["downgrade"])
    backend.revision("aa", None, "pass", WAIT)
    invoke()
    with gate(database):
        run = Call({"command": "downgrade", "revision": "base"})
        eventually(lambda: database.rows(AT_GATE))
        running = invoke({"command": "current"})["running"]
    assert run.answer()["to"] == []
    assert (running["command"], running["revision"], running["statement"]) == ("downgrade", "aa", "DO ?")
    assert not {"phase", "percent", "secondsLeft", "blockers"} & set(running)


def row(phase: str, done: int | None = 0, total: int | None = 0, what: str = "CREATE INDEX", **more: int) -> dict[str, Any]:
    return {"what": what, "phase": phase, "done": done, "total": total, "parts": 0, "partsDone": 0, **more}


@pytest.mark.parametrize(
    ("progress", "seconds", "facts"),
    [
        (row("building index: scanning table", 50, 100), 45, {"percent": 50, "secondsLeft": 135}),
        (row("building index: sorting live tuples"), 45, {"secondsLeft": 45}),
        (row("building index: scanning table", 1, 100), 45, {"percent": 1}),
        (row("building index: scanning table", 50, 100), 1, {"percent": 50}),
        (row("waiting for writers before build", what="CREATE INDEX CONCURRENTLY"), 45, {}),
        (row("building index: scanning table", 0, 100, parts=4, partsDone=2), 45, {"percent": 0, "secondsLeft": 45}),
        (row("scanning heap", 50, 100, "VACUUM"), 45, {"percent": 50}),
        (row("copying", 25, 100, "COPY FROM"), 45, {"percent": 25, "secondsLeft": 135}),
        (row("copying", None, None, "COPY FROM"), 45, {}),
    ],
)
def test_an_estimate_is_made_only_from_meaningful_progress(progress: dict[str, Any], seconds: float, facts: Any) -> None:
    assert estimate(progress, seconds) == {"phase": f"{progress['what']}: {progress['phase']}", **facts}
