"""TLS, with a server that has a certificate for an RDS name. The name is resolved to this machine."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cdk_alembic.connection import address as addresses
from conftest import Backend, Database, empty, failure, invoke
from each_driver import DRIVERS
from network import aws
from secret_databases import secret, secret_settings
from servers import postgres_with_tls

pytestmark = pytest.mark.every_driver

RDS_HOST = "db.abcdef.eu-central-1.rds.amazonaws.com"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    openssl = os.environ.get("OPENSSL", "openssl")
    folder = tmp_path_factory.mktemp("tls")

    def run(command: str) -> None:
        subprocess.run([openssl, *command.split()], cwd=folder, check=True, capture_output=True)

    for name in ("ca", "other"):
        run(f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={name} -keyout {name}.key -out {name}.pem")
    (folder / "names").write_text(f"subjectAltName=DNS:{RDS_HOST}\n")
    run("req -newkey rsa:2048 -nodes -subj /CN=server -keyout server.key -out server.csr")
    run("x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem")
    return folder


@pytest.fixture(scope="module")
def port(authority: Path) -> Iterator[int]:
    with postgres_with_tls(authority / "server.key", authority / "server.pem") as port:
        yield port


@pytest.fixture
def database(port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setenv("PGPORT", str(port))
    database = Database("postgres")
    yield database
    empty(database)


@pytest.fixture
def rds(authority: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    resolve = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *rest, **options: resolve("127.0.0.1" if host == RDS_HOST else host, *rest, **options),
    )
    monkeypatch.setenv("PGHOSTADDR", "127.0.0.1")  # libpq resolves names by itself
    return authority


def prepare(package: Backend, monkeypatch: pytest.MonkeyPatch, scheme: str, template: str, bundle: Path) -> None:
    secret_settings(monkeypatch, scheme)
    monkeypatch.setattr(addresses, "RDS_BUNDLE", bundle)
    package.initialise("driver://", template).read_url_from("DATABASE_URL")
    package.revision(
        "aa",
        None,
        "import json, os\n"
        'op.execute("CREATE TABLE tls AS SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")\n'
        'asked = json.dumps({name: os.environ[name] for name in ("PGSSLMODE", "PGSSLROOTCERT") if name in os.environ})\n'
        "op.execute(f\"CREATE TABLE asked AS SELECT '{asked}'::text AS variables\")",
    )


def asked(database: Database) -> dict[str, str]:
    """The variables of TLS that the backend has found."""
    return json.loads(database.rows("SELECT variables FROM asked")[0][0])


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_the_certificate_of_an_rds_host_is_verified_against_the_bundle(
    package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, rds: Path, template: str, scheme: str
) -> None:
    prepare(package, monkeypatch, scheme, template, rds / "ca.pem")
    with aws(monkeypatch, lambda *_: {"SecretString": secret(database, host=RDS_HOST)}):
        assert invoke()["to"] == ["aa"]
    assert asked(database) == {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": str(rds / "ca.pem")}
    assert "PGSSLMODE" not in os.environ
    assert database.rows("SELECT * FROM tls") == [(True,)]


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_a_replaced_address_loses_its_tls_settings(
    package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, rds: Path, template: str, scheme: str
) -> None:
    prepare(package, monkeypatch, scheme, template, rds / "ca.pem")
    package.initialise(f"{scheme}://shop:shop@db:5432/shop", template)
    off = {"pg8000": {"ssl_context": None}, "asyncpg": {"ssl": False}}.get(scheme.partition("+")[2], {"sslmode": "disable"})
    env = (package.directory / "alembic" / "env.py").read_text()
    package.write_env(env.replace("poolclass=pool.NullPool", f"poolclass=pool.NullPool, connect_args={off}"))
    with aws(monkeypatch, lambda *_: {"SecretString": secret(database, host=RDS_HOST)}):
        assert invoke()["to"] == ["aa"]
    assert database.rows("SELECT * FROM tls") == [(True,)]


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_a_certificate_of_another_authority_is_rejected(
    package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, rds: Path, template: str, scheme: str
) -> None:
    prepare(package, monkeypatch, scheme, template, rds / "other.pem")
    with aws(monkeypatch, lambda *_: {"SecretString": secret(database, host=RDS_HOST)}):
        answer = failure()
    assert answer["error"]["code"] == "database_refused"
    assert "TLS" in answer["error"]["next"]
    assert database.tables() == []


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_without_the_bundle_the_connection_is_encrypted_and_a_warning_says_it_is_not_verified(
    package: Backend,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    rds: Path,
    capsys: pytest.CaptureFixture[str],
    template: str,
    scheme: str,
) -> None:
    prepare(package, monkeypatch, scheme, template, rds / "missing.pem")
    with aws(monkeypatch, lambda *_: {"SecretString": secret(database, host=RDS_HOST)}):
        assert invoke()["to"] == ["aa"]
    assert asked(database) == {"PGSSLMODE": "require"}
    assert database.rows("SELECT * FROM tls") == [(True,)]
    assert '"event": "tls_not_verified"' in capsys.readouterr().out


def test_a_host_name_that_is_not_in_the_certificate_is_rejected(
    package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, rds: Path
) -> None:
    prepare(package, monkeypatch, "postgresql+psycopg", "generic", rds / "ca.pem")
    with aws(monkeypatch, lambda *_: {"SecretString": secret(database, host="other.eu-central-1.rds.amazonaws.com")}):
        assert failure()["error"]["code"] == "database_refused"


@pytest.mark.parametrize(
    ("host", "before", "after"),
    [
        ("db.internal", {}, {}),
        ("db.rds.amazonaws.com.evil.org", {}, {}),
        (RDS_HOST, {"PGSSLMODE": "disable"}, {"PGSSLMODE": "disable"}),
        (RDS_HOST, {"PGSSLMODE": "require"}, {"PGSSLMODE": "require"}),
        (RDS_HOST, {"PGSSLROOTCERT": "/mine.pem"}, {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": "/mine.pem"}),
        (RDS_HOST, {}, {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": "BUNDLE"}),
        ("db.abc.cn-north-1.rds.amazonaws.com.cn", {}, {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": "BUNDLE"}),
    ],
)
def test_tls_variables_are_set_only_for_rds_and_only_where_the_user_set_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, before: dict[str, str], after: dict[str, str]
) -> None:
    bundle = tmp_path / "rds-ca.pem"
    bundle.write_text("")
    monkeypatch.setattr(addresses, "RDS_BUNDLE", bundle)
    monkeypatch.setattr(
        addresses, "_fetch", lambda arn: json.dumps({"host": host, "username": "u", "password": "p", "dbname": "d"})
    )
    environ = dict(before)
    addresses.DatabaseVariables(environ, {"source": "secret", "secretArn": "arn:db", "variables": {"password": "W"}}).fill()
    assert environ == {"W": "p", **{name: value.replace("BUNDLE", str(bundle)) for name, value in after.items()}}
