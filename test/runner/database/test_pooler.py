"""PgBouncer between the runner and PostgreSQL: in transaction or statement mode no lock would hold."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from conftest import DRIVERS, MUTEX, Backend, Database, eventually, failure, invoke
from network import closed_port, port_of

PGBOUNCER = os.environ.get("PGBOUNCER", "pgbouncer")

_INI = """
[databases]
{database} = host={host} port={port} dbname={database} user={user} password={password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen_port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = 10
ignore_startup_parameters = extra_float_digits
{user_line}
"""


@contextmanager
def pgbouncer(database: Database, mode: str) -> Iterator[str]:
    """Gives the port of a PgBouncer before the test's PostgreSQL."""
    with closed_port() as bound:
        port = port_of(bound)
    with tempfile.TemporaryDirectory() as folder:
        # It does not run as root.
        is_root = os.geteuid() == 0
        ini = Path(folder, "pgbouncer.ini")
        ini.write_text(
            _INI.format(
                database=database.name,
                host=database.host,
                port=database.port,
                user=database.user,
                password=database.password,
                listen_port=port,
                mode=mode,
                user_line="user = nobody" if is_root else "",
            )
        )
        if is_root:
            shutil.chown(folder, "nobody")
            shutil.chown(ini, "nobody")
        process = subprocess.Popen([PGBOUNCER, "-q", str(ini)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            eventually(lambda: process.poll() is not None or socket.socket().connect_ex(("127.0.0.1", port)) == 0)
            assert process.poll() is None
            yield str(port)
        finally:
            process.terminate()
            process.wait()


@pytest.fixture
def through(package: Backend, database: Database) -> Iterator[Callable[..., None]]:
    """Lets a backend connect through PgBouncer."""
    with ExitStack() as stack:

        def prepare(template: str, scheme: str, mode: str) -> None:
            port, database.port = database.port, stack.enter_context(pgbouncer(database, mode))
            package.initialise(database.url(scheme), template)
            database.port = port
            package.table_revision("aa")

        yield prepare


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
@pytest.mark.parametrize("mode", ["transaction", "statement"])
def test_a_pooler_that_shares_sessions_is_refused_before_any_lock_is_taken(
    database: Database, through: Callable[..., None], template: str, scheme: str, mode: str
) -> None:
    through(template, scheme, mode)
    for _ in range(2):
        error = failure()["error"]
        if mode == "statement" and scheme in ("postgresql+pg8000", "postgresql+psycopg2"):
            # PgBouncer ends the connection with its reason, which these two do not pass on.
            assert error["code"] == "database_unreachable"
        else:
            assert error["code"] == "pooled_connection", error
            assert "5432" in error["next"]
    assert database.rows(f"SELECT FROM pg_locks WHERE {MUTEX}") == []
    assert database.tables() == []


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_a_pooler_in_session_mode_is_accepted(
    database: Database, through: Callable[..., None], template: str, scheme: str
) -> None:
    through(template, scheme, "session")
    assert invoke()["to"] == ["aa"]
