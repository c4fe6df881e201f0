"""A backend and what the observer, started by the program with which lib/local starts it, reports of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from backends import Backend, Database

sys.path.append(str(Path(__file__).parent.parent / "support" / "python"))
from preloaded_python import run_preloaded

LAMBDA = Path(__file__).parent.parent.parent / "lambda" / "migrate"
BOOTSTRAP = (LAMBDA / "cdk_alembic_local" / "bootstrap.py").read_text()
CODE = {
    file.relative_to(LAMBDA).as_posix(): file.read_text()
    for package in ("cdk_alembic", "cdk_alembic_local")
    for file in (LAMBDA / package).rglob("*.py")
}
WITHOUT_BYTECODE = json.dumps({"code": CODE, "bytecode": None})
"""Written once: it is a megabyte, and most processes get it."""
NOTHING = {"added": {}, "removed": {}, "changed": {}}


class Observed(Backend):
    """The project is at backend/ below the folder in which the observer starts."""

    def __init__(self, root: Path, database: Database) -> None:
        super().__init__(root)
        self.database = database
        self.environment: dict[str, str] = {}
        self.scratch: str | None = database.url("postgresql")
        self.bytecode: str | None = None
        """What the next process gets, which then imports the observer's modules itself. None: it has them."""
        self.project = "backend"
        self.printed = ""

    def write_env_with_search_path(self, schema: str) -> None:
        """Makes env.py create and find its tables in this schema, as Alembic's cookbook does."""
        env = (self.directory / "alembic" / "env.py").read_text()
        assert env.count("        context.configure(\n            connection") == 1
        lines = (
            f"connection.exec_driver_sql('CREATE SCHEMA IF NOT EXISTS \"{schema}\"')",
            f"connection.exec_driver_sql('SET search_path = \"{schema}\", public')",
            "connection.commit()",
            f"connection.dialect.default_schema_name = {schema!r}",
            "context.configure(",
            "    connection",
        )
        self.write_env(
            env.replace("        context.configure(\n            connection", "\n".join(f"        {line}" for line in lines))
        )

    def ask(self, *asks: dict[str, Any]) -> list[dict[str, Any]]:
        """All reports of one process."""
        hello = {"project": self.project, "environment": self.environment, "scratch": self.scratch is not None}
        code = WITHOUT_BYTECODE if self.bytecode is None else json.dumps({"code": CODE, "bytecode": self.bytecode})
        led = {} if self.scratch is None else {"scratch": self.scratch}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG") and name != "PYTHONPATH"}
        lines = [json.dumps(hello), code, *(json.dumps({**ask, **led}) for ask in asks)]
        given = "".join(f"{line}\n" for line in lines)
        if self.bytecode is None:
            ran = run_preloaded(["-c", BOOTSTRAP], self.root, environment, given)
        else:
            command = [sys.executable, "-c", BOOTSTRAP]
            options = {"capture_output": True, "text": True, "check": False}
            ran = subprocess.run(command, cwd=self.root, env=environment, input=given, **options)
        self.printed = ran.stderr
        return [json.loads(line) for line in ran.stdout.splitlines()]

    def observe(self, *revisions: str, drift: bool = False, **ask: Any) -> dict[str, dict[str, Any]]:
        """RevisionFacts by id; what was reported besides by the report's name."""
        return self.facts(self.ask({"ask": "observe", "revisions": revisions, "drift": drift, **ask}))

    def failure(self, **ask: Any) -> dict[str, Any]:
        """The error with which an ask ends."""
        last = self.ask(ask)[-1]
        assert last["report"] == "failed", last
        assert last["error"]["message"] and last["error"]["next"]
        return last["error"]

    def facts(self, reports: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """As `observe` returns them."""
        assert reports and reports[-1] == {"report": "end"}, f"{reports[-1:]}\n{self.printed[-3000:]}"
        facts: dict[str, dict[str, Any]] = {}
        for report in reports:
            if report["report"] == "revision":
                facts[report["revision"]["revision"]] = report["revision"]
            elif report["report"] in report:
                facts[report["report"]] = report[report["report"]]
        return facts
