"""Servers of a test's own: a PostgreSQL with TLS, because all other tests share one without it, and PgBouncer."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import psycopg
from conftest import Database, eventually
from network import closed_port, port_of

# Neither server runs as root.
ACCOUNT = "nobody" if os.geteuid() == 0 else None


@contextmanager
def own_folder() -> Iterator[Path]:
    """A folder of the account that runs the servers."""
    with tempfile.TemporaryDirectory() as folder:
        own(Path(folder))
        yield Path(folder)


def own(path: Path) -> None:
    if ACCOUNT:
        shutil.chown(path, ACCOUNT)


@contextmanager
def running(
    command: Callable[[int], list[str]],
    is_ready: Callable[[int], bool],
    user: str | None = None,
    stop: signal.Signals = signal.SIGTERM,
) -> Iterator[int]:
    """Runs a server. Gives its port."""
    process, port = _started(command, is_ready, user)
    try:
        yield port
    finally:
        process.send_signal(stop)
        process.wait()


def _started(
    command: Callable[[int], list[str]], is_ready: Callable[[int], bool], user: str | None, attempts: int = 5
) -> tuple[subprocess.Popen[bytes], int]:
    with closed_port() as bound:
        port = port_of(bound)
    process = subprocess.Popen(command(port), user=user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    eventually(lambda: process.poll() is not None or is_ready(port))
    if process.poll() is None:
        return process, port
    # Another process may have taken the port first.
    assert attempts > 1, f"{process.args} ended with exit code {process.returncode}"
    return _started(command, is_ready, user, attempts - 1)


@contextmanager
def pgbouncer(database: Database, mode: str) -> Iterator[str]:
    """Gives the port of a PgBouncer before the test's PostgreSQL."""
    with own_folder() as folder:
        ini = folder / "pgbouncer.ini"

        def command(port: int) -> list[str]:
            ini.write_text(
                _PGBOUNCER.format(
                    database=database.name,
                    host=database.host,
                    port=database.port,
                    user=database.user,
                    password=database.password,
                    listen_port=port,
                    mode=mode,
                    user_line=f"user = {ACCOUNT}" if ACCOUNT else "",
                )
            )
            own(ini)
            return [os.environ.get("PGBOUNCER", "pgbouncer"), "-q", str(ini)]

        with running(command, lambda port: socket.socket().connect_ex(("127.0.0.1", port)) == 0) as port:
            yield str(port)


_PGBOUNCER = """
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
def postgres_with_tls(key: Path, certificate: Path) -> Iterator[int]:
    """Gives the port of a PostgreSQL with this key and certificate."""
    with postgres(["ssl=on"], {"server.key": key.read_text(), "server.crt": certificate.read_text()}) as port:
        yield port


@contextmanager
def postgres(settings: Iterable[str], files: Mapping[str, str] = MappingProxyType({})) -> Iterator[int]:
    """Gives the port of a PostgreSQL with these settings, and these files in its folder. It asks for no password."""
    with own_folder() as folder:
        data = new_data(folder, programs())
        for name, text in files.items():
            # It refuses a key that others may read.
            (data / name).touch(mode=0o600)
            (data / name).write_text(text)
            own(data / name)
        with served(data, programs(), settings) as port:
            yield port


def programs() -> str:
    """The folder with the programs of the tests' PostgreSQL."""
    with psycopg.connect(dbname="postgres") as connection:
        [folder] = connection.execute("SELECT setting FROM pg_config WHERE name = 'BINDIR'").fetchone()
    return folder


def new_data(folder: Path, programs: str) -> Path:
    """The data of a new PostgreSQL, as `initdb` in the folder `programs` makes it."""
    data = folder / "data"
    create = [f"{programs}/initdb", "-D", str(data), "-U", os.environ["PGUSER"], "--auth=trust"]
    create += ["--encoding=UTF8", "--no-locale", "--no-sync"]
    subprocess.run(create, user=ACCOUNT, check=True, capture_output=True)
    return data


@contextmanager
def served(data: Path, programs: str, settings: Iterable[str] = ()) -> Iterator[int]:
    """Gives the port of a PostgreSQL with this data."""
    all_settings = ["fsync=off", "listen_addresses=127.0.0.1", "unix_socket_directories=", *settings]

    def command(port: int) -> list[str]:
        return [f"{programs}/postgres", "-D", str(data), "-p", str(port), *[f"-c{setting}" for setting in all_settings]]

    def is_ready(_: int) -> bool:
        # Its eighth line is the server's state, https://www.postgresql.org/docs/current/storage-file-layout.html
        pid_file = data / "postmaster.pid"
        return pid_file.exists() and pid_file.read_text().splitlines()[7:] == ["ready   "]

    # At once: on SIGTERM it would wait for a session that a test left open.
    with running(command, is_ready, ACCOUNT, signal.SIGQUIT) as port:
        yield port
