"""An address that only alembic.ini or code has: the function's own database takes its place, and nothing else is connected to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from cdk_alembic.connection import address as addresses
from conftest import TEMPLATES, Backend, Database, failure, fresh_database, invoke, set_settings
from each_driver import DRIVERS
from network import closed_port, port_of
from secret_databases import role, secret, secret_settings

# Takes the application_name from env.py, which the address does not have.
CONNECTION = (
    "op.execute(\"CREATE TABLE connection AS SELECT current_setting('application_name') AS name, current_user::text AS role\")"
)

ENGINES = """
from alembic import context
from sqlalchemy import create_engine, text

def run(url, revisions=False):
    with create_engine(url).connect() as connection:
        connection.execute(text("SELECT 1"))
        connection.rollback()
        if revisions:
            context.configure(connection=connection)
            with context.begin_transaction():
                context.run_migrations()

"""


@pytest.fixture(scope="module")
def decoy() -> Iterator[Database]:
    """Where env.py's own address leads: the same server by another name."""
    with fresh_database() as database:
        database.host = "localhost"
        yield database


@pytest.fixture(autouse=True)
def given(package: Backend, database: Database, decoy: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    secret_settings(monkeypatch, "postgresql+psycopg")
    monkeypatch.setattr(addresses, "_fetch", lambda arn: secret(database))
    yield
    assert decoy.tables() == []


def replaced(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"event": "address_replaced"' in line]


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_an_address_in_alembic_ini_is_replaced_and_other_options_of_env_py_stay(
    package: Backend,
    database: Database,
    decoy: Database,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    template: str,
    scheme: str,
) -> None:
    options = {"pg8000": {"application_name": "shop"}, "asyncpg": {"server_settings": {"application_name": "shop"}}}
    arguments = options.get(scheme.partition("+")[2], {"application_name": "shop", "sslmode": "prefer"})
    package.initialise(decoy.url(scheme), template)
    env = (package.directory / "alembic" / "env.py").read_text()
    package.write_env(env.replace("poolclass=pool.NullPool", f"poolclass=pool.NullPool, connect_args={arguments}"))
    package.table_revision("aa")
    package.revision("bb", "aa", CONNECTION)
    with role(database, "the role's own", "shop") as name:
        monkeypatch.setattr(addresses, "_fetch", lambda arn: secret(database, username=name, password="the role's own"))
        assert invoke()["to"] == ["bb"]
        (line,) = replaced(capsys)
        assert database.versions() == ["bb"]
        assert database.rows("SELECT * FROM connection") == [("shop", name)]
        assert (line["own"], line["by"]) == (
            f"localhost:{decoy.port}/{decoy.name}",
            f"{database.host}:{database.port}/{database.name}",
        )
        assert line["reason"] == f"env.py's own address localhost:{decoy.port}/{decoy.name} was replaced"
        assert invoke({"command": "current"})["to"] == ["bb"]


def test_the_address_of_the_function_and_another_database_on_its_server_are_kept(
    package: Backend, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    package.initialise("driver://").read_url_from("DATABASE_URL")
    server = database.url("postgresql+psycopg").removesuffix(database.name)
    own = 'os.environ["DATABASE_URL"] + "?application_name=shop"'
    package.write_env(f'{ENGINES}import os\nrun("{server}postgres")\nrun({own}, revisions=True)\n')
    package.revision("aa", None, CONNECTION)
    assert invoke()["to"] == ["aa"]
    assert database.rows("SELECT name FROM connection") == [("shop",)]
    assert replaced(capsys) == []


def test_migrating_another_database_of_the_functions_server_is_a_warning(package: Backend, database: Database) -> None:
    package.initialise("driver://").read_url_from("DATABASE_URL")
    with fresh_database() as other:
        own = f'os.environ["DATABASE_URL"].replace("/{database.name}", "/{other.name}")'
        package.write_env(f"{ENGINES}import os\nrun({own}, revisions=True)\n")
        package.table_revision("aa")
        for command in ("plan", "upgrade"):
            [warning] = invoke({"command": command})["warnings"]
            assert warning.startswith(f"env.py migrates the database {other.name}, and the function was given {database.name}: ")
        assert other.tables() == ["aa", "alembic_version"]
    assert database.tables() == []


def test_a_function_without_an_address_connects_to_the_database_of_env_py(
    package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_settings(monkeypatch)
    package.initialise(database.url("postgresql+psycopg").replace("127.0.0.1", "localhost"))
    package.table_revision("aa")
    assert invoke()["to"] == ["aa"]
    assert database.tables() == ["aa", "alembic_version"]
    assert replaced(capsys) == []


class TestSeveralDatabases:
    """Nothing of them is applied, not even in the function's own database."""

    @pytest.fixture(autouse=True)
    def nothing_applied(self, package: Backend, database: Database) -> Iterator[None]:
        package.table_revision("aa")
        yield
        assert [table for table in database.tables() if table != "alembic_version"] == []

    def refused(self) -> str:
        error = failure()["error"]
        assert error["code"] == "invalid_project"
        return error["message"]

    def test_in_alembics_own_template(self, package: Backend, database: Database, decoy: Database) -> None:
        package.initialise("driver://", "multidb")
        ini = package.directory / "alembic.ini"
        urls = {"engine1": decoy.url("postgresql+psycopg"), "engine2": f"{decoy.url('postgresql+psycopg')}_2"}
        sections = "\n".join(f"[{name}]\nsqlalchemy.url = {url}\n" for name, url in urls.items())
        text = (TEMPLATES / "multidb" / "alembic.ini.mako").read_text().replace("${script_location}", "alembic")
        start, _, rest = text.partition("databases = engine1, engine2")
        ini.write_text(
            f"{start}databases = engine1, engine2\n{sections}{rest[rest.index('[logger') :] if '[logger' in rest else ''}"
        )
        package.write_env((TEMPLATES / "multidb" / "env.py").read_text())
        assert self.refused() == f"env.py connects to more than one database: localhost:{decoy.port}/{decoy.name} and " + (
            f"localhost:{decoy.port}/{decoy.name}_2"
        )

    @pytest.mark.parametrize("catches", [False, True])
    def test_one_after_the_other(self, package: Backend, decoy: Database, catches: bool) -> None:
        url = decoy.url("postgresql+psycopg")
        package.initialise(url)
        second = f'run("{url}_2", revisions=True)'
        caught = f"try:\n    {second}\nexcept Exception:\n    pass"
        package.write_env(f'{ENGINES}run("{url}", revisions=True)\n{caught if catches else second}\n')
        assert "more than one database" in self.refused()

    def test_migrations_of_one_address_twice(self, package: Backend, decoy: Database) -> None:
        url = decoy.url("postgresql+psycopg")
        package.initialise(url)
        package.write_env(ENGINES + f'run("{url}", revisions=True)\n' * 2)
        assert "more than once" in self.refused()

    def test_the_functions_own_and_another(self, package: Backend, decoy: Database) -> None:
        package.initialise("driver://")
        with closed_port() as bound:
            other = f"postgresql+psycopg://nobody:x@{decoy.host}:{port_of(bound)}/other"
            package.write_env(f'{ENGINES}import os\nrun(os.environ["DATABASE_URL"])\nrun("{other}", revisions=True)\n')
            assert f"localhost:{port_of(bound)}/other" in self.refused()


def test_a_revision_may_read_from_another_database(package: Backend, database: Database, decoy: Database) -> None:
    package.initialise(decoy.url("postgresql+psycopg"))
    other = decoy.url("postgresql+psycopg").replace(decoy.name, "postgres")
    package.revision(
        "aa",
        None,
        f'with sa.create_engine("{other}").connect() as connection:\n'
        '    name = connection.execute(sa.text("SELECT current_database()")).scalar()\n'
        "op.execute(f\"CREATE TABLE read AS SELECT '{name}' AS name\")",
    )
    assert invoke()["to"] == ["aa"]
    assert database.rows("SELECT name FROM read") == [("postgres",)]
