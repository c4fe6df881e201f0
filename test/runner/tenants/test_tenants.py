"""A batch of tenants, each in a schema of its own, on a real PostgreSQL."""

from __future__ import annotations

from typing import Any

import pytest
from alembic.script import ScriptDirectory
from conftest import Backend, Database
from conftest import invoke as invoke_handler
from each_driver import DRIVERS
from tenancy import STYLES, batch, create_schemas, outcomes, set_tenant_settings, versions, write_env


@pytest.fixture(autouse=True)
def tenant_settings(package: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    set_tenant_settings(monkeypatch)


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
@pytest.mark.parametrize("style", STYLES)
def test_every_tenant_reaches_head_with_each_style_of_env_py(
    package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, template: str, scheme: str, style: str
) -> None:
    runs: list[object] = []
    run_env = ScriptDirectory.run_env
    monkeypatch.setattr(ScriptDirectory, "run_env", lambda self: runs.append(self) or run_env(self))

    def invoke(event: dict[str, Any], env_runs: int) -> dict[str, Any]:
        runs.clear()
        answer = invoke_handler(event)
        assert len(runs) == env_runs
        return answer

    write_env(package.initialise(database.url(scheme), template), STYLES[style], template)
    create_schemas(database, ["a", "b", "c"])
    package.table_revision("r1")
    answer = invoke(batch("a", "b", "c"), env_runs=3)
    assert (answer["status"], answer["failed"], answer["left"]) == ("complete", 0, [])
    assert {name: (o["status"], o["from"], o["to"], o["applied"]) for name, o in outcomes(answer).items()} == {
        name: ("complete", [], ["r1"], ["r1"]) for name in ("a", "b", "c")
    }
    package.table_revision("r2", "r1")
    # The first tenant shows env.py's database.
    plan = invoke(batch("a", "b", "c", command="plan"), env_runs=1)
    assert [(o["status"], o["from"], o["pending"]) for o in plan["outcomes"]] == [("pending", ["r1"], 1)] * 3
    assert [o["applied"] for o in invoke(batch("a", "b", "c"), env_runs=3)["outcomes"]] == [["r2"]] * 3
    assert [(o["applied"], o["from"]) for o in invoke(batch("a", "b", "c"), env_runs=1)["outcomes"]] == [([], ["r2"])] * 3
    for name in ("a", "b", "c"):
        assert versions(database, name) == ["r2"]
        assert database.rows(f'SELECT FROM "{name}".r1') == database.rows(f'SELECT FROM "{name}".r2') == []
    assert database.tables() == []
