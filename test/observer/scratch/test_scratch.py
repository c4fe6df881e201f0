"""Nothing but the scratch database is touched, whatever env.py says, and it is empty before and after."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator

import pytest
from backends import Database, fresh_database
from cdk_alembic.protocol.errors import RunnerError
from cdk_alembic_local.scratch.scratch import Scratch
from each_driver import DRIVERS
from observing import Observed


@pytest.fixture
def own() -> Iterator[Database]:
    """The backend's own database, which env.py names."""
    with fresh_database() as database:
        yield database


@pytest.mark.every_driver
@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_the_database_that_env_py_names_is_never_touched(observed: Observed, own: Database, template: str, scheme: str) -> None:
    observed.initialise(own.url(scheme), template)
    observed.table_revision("aa")
    facts = observed.observe("aa", drift=True)
    assert facts["aa"]["upgrade"]["outcome"] == "done"
    assert observed.ask({"ask": "invoke", "request": {}})[0]["answer"]["to"] == ["aa"]
    assert own.tables() == []
    assert observed.database.tables() == ["aa", "alembic_version"]
    empty(observed)


def test_an_env_py_with_a_hard_coded_address_uses_the_scratch_database(observed: Observed, own: Database) -> None:
    env = (observed.directory / "alembic" / "env.py").read_text()
    observed.write_env(
        env.replace(
            "config = context.config\n",
            f'config = context.config\nconfig.set_main_option("sqlalchemy.url", "{own.url("postgresql+psycopg")}")\n',
        )
    )
    observed.table_revision("aa")
    assert observed.observe("aa")["aa"]["upgrade"]["outcome"] == "done"
    assert own.tables() == []


def test_options_of_the_connection_stay_except_its_address(observed: Observed) -> None:
    env = (observed.directory / "alembic" / "env.py").read_text()
    observed.write_env(
        env.replace(
            "poolclass=pool.NullPool", 'poolclass=pool.NullPool, connect_args={"options": "-c search_path=public,pg_catalog"}'
        )
    )
    observed.revision("aa", None, "assert op.get_bind().execute(sa.text('SHOW search_path')).scalar() == 'public,pg_catalog'")
    assert observed.observe("aa")["aa"]["upgrade"]["outcome"] == "done"


def test_a_connection_from_a_creator_of_env_py_is_rejected(observed: Observed, own: Database) -> None:
    env = (observed.directory / "alembic" / "env.py").read_text()
    url = own.url("postgresql")
    observed.write_env(
        env.replace("poolclass=pool.NullPool", f'poolclass=pool.NullPool, creator=lambda: __import__("psycopg").connect("{url}")')
    )
    observed.table_revision("aa")
    assert observed.failure(ask="observe", revisions=["aa"], drift=False)["code"] == "scratch_not_reached"
    assert own.tables() == []


def test_no_connection_to_another_database_system_is_opened(observed: Observed) -> None:
    env = (observed.directory / "alembic" / "env.py").read_text()
    observed.write_env(
        env.replace(
            "config = context.config\n",
            'config = context.config\nconfig.set_main_option("sqlalchemy.url", "sqlite:///here.db")\n',
        )
    )
    observed.table_revision("aa")
    error = observed.failure(ask="observe", revisions=["aa"], drift=False)
    assert error["code"] == "scratch_not_reached"
    assert "sqlite" in error["message"]
    assert error["next"].startswith("let it read a postgresql:// address, which need not exist: set its variable in this shell")
    assert not (observed.directory / "here.db").exists()


@pytest.mark.parametrize("missing", [("asyncpg",), ("greenlet",)])
def test_without_a_driver_the_error_says_to_install_one(missing: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("psycopg", "psycopg2", "pg8000", *missing):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(RunnerError) as caught:
        Scratch("postgresql://nobody@127.0.0.1:1/nothing", False).prepare(False)
    assert caught.value.code == "scratch_not_reached"
    assert "psycopg, psycopg2, pg8000, asyncpg with greenlet" in caught.value.message
    assert caught.value.next.startswith("install one into the backend's environment, such as psycopg[binary]")


def test_a_revision_may_read_from_sqlite_but_not_write(observed: Observed) -> None:
    file = observed.directory / "old.db"
    with sqlite3.connect(file) as old:
        old.execute("CREATE TABLE codes (code int)")
        old.execute("INSERT INTO codes VALUES (7)")
    other = f'sa.create_engine("sqlite:///{file}").begin()'
    read = f"""
with {other} as old:
    code = old.execute(sa.text("SELECT code FROM codes")).scalar()
op.add_column("aa", sa.Column(f"c{{code}}", sa.Text()))
"""
    observed.table_revision("aa")
    observed.revision("bb", "aa", read, "op.drop_column('aa', 'c7')")
    observed.revision("cc", "bb", f"with {other} as old:\n    old.execute(sa.text('DELETE FROM codes'))")
    observed.revision("dd", "cc", f"sa.create_engine('sqlite:///{observed.directory}/new.db').connect()")
    found = observed.observe("bb", "cc", "dd")
    assert found["bb"]["upgrade"]["outcome"] == "done"
    assert "column aa.c7" in found["bb"]["changes"]["added"]
    assert "readonly database" in found["cc"]["upgrade"]["failure"]["message"]
    assert "unable to open database file" in found["dd"]["upgrade"]["failure"]["message"]
    with sqlite3.connect(file) as old:
        assert old.execute("SELECT code FROM codes").fetchall() == [(7,)]
    assert not (observed.directory / "new.db").exists()


@pytest.mark.parametrize("url", ["driver://user:pass@localhost/dbname", "sqlite:///here.db", "postgres://x/y", "%(nothing)s"])
def test_a_placeholder_in_alembic_ini_is_replaced_by_the_scratch_database(observed: Observed, url: str) -> None:
    ini = observed.directory / "alembic.ini"
    lines = [f"sqlalchemy.url = {url}" if line.startswith("sqlalchemy.url") else line for line in ini.read_text().splitlines()]
    ini.write_text("\n".join(lines))
    observed.table_revision("aa")
    assert observed.observe("aa")["aa"]["upgrade"]["outcome"] == "done"


def test_a_nonempty_database_is_not_changed_without_overwrite(observed: Observed) -> None:
    observed.table_revision("aa")
    with observed.database.connect() as connection:
        connection.execute("CREATE TABLE precious (id int)")
    error = observed.failure(ask="observe", revisions=["aa"], drift=False)
    assert error["code"] == "scratch_not_empty"
    assert "table precious" in error["message"]
    assert observed.failure(ask="create", message="Add it", empty=True)["code"] == "scratch_not_empty"
    assert observed.database.tables() == ["precious"]
    assert observed.observe("aa", overwrite=True)["aa"]["upgrade"]["outcome"] == "done"
    assert observed.database.tables() == []


def test_leftovers_of_a_killed_replay_are_removed(observed: Observed) -> None:
    with observed.database.connect() as connection:
        connection.execute("CREATE TABLE left_behind (id int)")
        connection.execute("CREATE SCHEMA cdk_alembic_scratch")
    observed.table_revision("aa")
    assert observed.observe("aa")["aa"]["upgrade"]["outcome"] == "done"


def test_an_extension_that_was_installed_is_installed_again(observed: Observed) -> None:
    with observed.database.connect() as connection:
        connection.execute("CREATE EXTENSION citext")
    observed.revision("aa", None, 'op.execute("CREATE TABLE aa (name citext)")', 'op.drop_table("aa")')
    assert observed.observe("aa")["aa"]["upgrade"]["outcome"] == "done"
    assert observed.database.rows("SELECT extname FROM pg_extension WHERE extname = 'citext'") == [("citext",)]
    with observed.database.connect() as connection:
        connection.execute("DROP EXTENSION citext")


def test_schemas_types_extensions_publications_and_event_triggers_are_removed(observed: Observed) -> None:
    observed.revision(
        "aa",
        None,
        'op.execute("CREATE SCHEMA other")\nop.execute("CREATE EXTENSION hstore SCHEMA other")\n'
        "op.execute(\"CREATE TYPE other.mood AS ENUM ('x')\")\n"
        'op.execute("CREATE FUNCTION hear() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$")\n'
        'op.execute("CREATE PUBLICATION feed")\n'
        'op.execute("CREATE EVENT TRIGGER ear ON ddl_command_end EXECUTE FUNCTION hear()")',
        'op.execute("DROP EVENT TRIGGER ear")\nop.execute("DROP PUBLICATION feed")\n'
        'op.execute("DROP FUNCTION hear()")\nop.execute("DROP SCHEMA other CASCADE")',
    )
    facts = observed.observe("aa")["aa"]
    assert set(facts["changes"]["added"]) == {
        "schema other",
        "extension hstore",
        "type other.mood",
        "function hear()",
        "event trigger ear",
        "publication feed",
    }
    assert observed.database.rows(
        "SELECT nspname::text FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'"
    ) == [("public",)]
    assert observed.database.rows("SELECT FROM pg_event_trigger") == []
    assert observed.database.rows("SELECT FROM pg_publication") == []


def test_another_session_with_a_lock_in_the_scratch_database_is_reported(observed: Observed) -> None:
    observed.table_revision("aa")
    with observed.database.connect() as connection:
        connection.execute("CREATE SCHEMA cdk_alembic_scratch")
        with connection.transaction():
            connection.execute("CREATE TABLE cdk_alembic_scratch.held (id int)")
            connection.execute("LOCK TABLE pg_namespace IN SHARE MODE")
            error = observed.failure(ask="observe", revisions=["aa"], drift=False)
        connection.execute("DROP SCHEMA cdk_alembic_scratch CASCADE")
    assert error["code"] == "lock_not_available"
    assert "pg_stat_activity" in error["next"]


def test_the_content_of_a_disposable_database_is_dropped_only_for_the_next_question(observed: Observed) -> None:
    observed.write_env(
        (observed.directory / "alembic" / "env.py").read_text()
        + """
import sys
from sqlalchemy import create_engine, text
sys.left = create_engine(config.get_main_option("sqlalchemy.url")).connect()
sys.left.execute(text("DO $$ BEGIN IF to_regclass('aa') IS NOT NULL THEN LOCK TABLE aa; END IF; END $$"))
"""
    )
    observed.table_revision("aa")
    ask = {"ask": "observe", "revisions": ["aa"], "drift": False, "disposable": True}
    reports = observed.ask(ask, ask)
    assert observed.database.tables() == ["aa", "alembic_version"]
    outcomes = [report["revision"]["again"]["outcome"] for report in reports if report["report"] == "revision"]
    assert outcomes == ["done", "done"], reports[-1]
    empty(observed)


def test_a_missing_scratch_database_is_reported(observed: Observed) -> None:
    observed.table_revision("aa")
    observed.scratch = "postgresql://nobody:secret-word@127.0.0.1:1/nowhere"
    error = observed.failure(ask="observe", revisions=["aa"], drift=False)
    assert error["code"] == "database_unreachable"
    assert "secret-word" not in str(error)


def empty(observed: Observed) -> None:
    with observed.database.connect() as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("DROP SCHEMA IF EXISTS cdk_alembic, cdk_alembic_scratch CASCADE")
        connection.execute("CREATE SCHEMA public")
