"""A standby, and a failover to it: physical replication between two real servers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from conftest import Backend, eventually, failure, invoke
from servers import new_data, own, own_folder, programs, served

CRASH = """
import os, pathlib, signal, time
pid_file = pathlib.Path({pid_file!r})
op.execute("INSERT INTO first VALUES (2)")
os.kill(int(pid_file.read_text().split()[0]), signal.SIGQUIT)
while pid_file.exists():
    time.sleep(0.02)
op.execute("INSERT INTO first VALUES (3)")
"""
"""In a revision: the server ends, and all its sessions, between two statements."""


@dataclass
class Servers:
    primary: int
    standby: int
    pid_file: Path
    """The primary's."""

    def wait_for_standby(self) -> None:
        [(lsn,)] = rows(self.primary, "SELECT pg_current_wal_flush_lsn()")
        eventually(lambda: rows(self.standby, f"SELECT pg_last_wal_replay_lsn() >= '{lsn}'") == [(True,)])

    def promote_standby(self) -> None:
        assert rows(self.standby, "SELECT pg_promote()") == [(True,)]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data of a server that has never run."""
    with own_folder() as folder:
        yield new_data(folder, programs())


@pytest.fixture
def servers(data: Path) -> Iterator[Servers]:
    with own_folder() as folder:
        copies = [folder / "primary", folder / "standby"]
        for copy in copies:
            shutil.copytree(data, copy, copy_function=shutil.copy2)
            for path in (copy, *copy.rglob("*")):
                own(path)
        with served(copies[0], programs()) as primary:
            (copies[1] / "standby.signal").touch()
            following = f"primary_conninfo=host=127.0.0.1 port={primary} sslmode=disable"
            with served(copies[1], programs(), [following]) as standby:
                yield Servers(primary, standby, copies[0] / "postmaster.pid")


@pytest.fixture
def backend(package: Backend, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Backend:
    monkeypatch.setenv("DATABASE_URL", url(servers.primary))
    return package.initialise("driver://").read_url_from("DATABASE_URL")


def url(port: int) -> str:
    return f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"


def rows(port: int, query: str) -> list[tuple]:
    with psycopg.connect(host="127.0.0.1", port=port, dbname="postgres", autocommit=True) as connection:
        return connection.execute(query).fetchall()


def test_a_standby_can_be_read_and_refuses_to_migrate(
    backend: Backend, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.table_revision("first")
    invoke()
    backend.table_revision("second", "first")
    servers.wait_for_standby()
    monkeypatch.setenv("DATABASE_URL", url(servers.standby))

    for command in ("plan", "current", "history", "statistics"):
        assert [pending["revision"] for pending in invoke({"command": command})["pending"]] == ["second"], command
    error = failure()["error"]
    assert error["code"] == "read_only" and "connect to the writer" in error["next"]
    assert rows(servers.standby, "SELECT version_num FROM alembic_version") == [("first",)]


def test_after_a_failover_the_next_run_continues(backend: Backend, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    backend.table_revision("first")
    backend.revision("second", "first", 'op.execute("INSERT INTO first VALUES (1)")')
    invoke()
    backend.revision("third", "second", CRASH.format(pid_file=str(servers.pid_file)))
    servers.wait_for_standby()
    error = failure()["error"]
    assert error["revision"] == "third" and "it was rolled back" in error["next"] and "failover" in error["next"]

    servers.promote_standby()
    monkeypatch.setenv("DATABASE_URL", url(servers.standby))
    backend.revision("third", "second", 'op.execute("INSERT INTO first VALUES (4)")')
    assert [applied["revision"] for applied in invoke()["applied"]] == ["third"]
    assert rows(servers.standby, "SELECT id FROM first ORDER BY 1") == [(1,), (4,)]
    assert rows(servers.standby, "SELECT version_num FROM alembic_version") == [("third",)]
