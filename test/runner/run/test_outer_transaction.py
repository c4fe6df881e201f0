"""A revision that ends the transaction that env.py began: the failure names env.py's line and what to write there."""

from __future__ import annotations

from pathlib import Path

import pytest
from cdk_alembic.project.env_transaction import find_transaction
from conftest import Backend, Database, failure, invoke
from each_driver import DRIVERS

CONNECT = "with connectable.connect() as connection:"
BEGIN = "with connectable.begin() as connection:"
ALEMBIC_BEGINS = "with context.begin_transaction():"
CONNECTION_BEGINS = "with connection.begin():"
NESTED = f"{CONNECTION_BEGINS}\n            {ALEMBIC_BEGINS}\n                context.run_migrations()"
STATEMENT = f'{CONNECT}\n        connection.exec_driver_sql("SELECT 1")'

WRITE = "write `{}` there"
MIGRATIONS = (ALEMBIC_BEGINS, CONNECTION_BEGINS, CONNECTION_BEGINS, WRITE.format(ALEMBIC_BEGINS))
ALEMBIC_RUNS = f"{ALEMBIC_BEGINS}\n            context.run_migrations()"
BLOCK = (ALEMBIC_RUNS, NESTED, CONNECTION_BEGINS, f"remove `{CONNECTION_BEGINS}` there")
ENGINE = (CONNECT, BEGIN, BEGIN, WRITE.format(CONNECT))
HELPER = (
    CONNECT,
    "from contextlib import contextmanager\n\n    @contextmanager\n    def opened():\n        transaction = connectable.begin()\n"
    "        with transaction as connection:\n            yield connection\n\n    with opened() as connection:",
    "context.configure(",
    "make the code that opens this connection use connect(), not begin()",
)
EARLIER = (CONNECT, STATEMENT, "context.configure(", "call connection.commit() before it")

TABLE = 'op.execute("CREATE TABLE aa (id int)")\n'
AUTOCOMMIT = f"{TABLE}with op.get_context().autocommit_block():\n    op.execute('VACUUM')"
COMMIT = f"{TABLE}op.get_bind().commit()"


@pytest.mark.parametrize(
    ("env", "body", "what", "stays"),
    [
        pytest.param(MIGRATIONS, AUTOCOMMIT, "autocommit_block()", True, id="block in place of Alembic's"),
        pytest.param(BLOCK, AUTOCOMMIT, "autocommit_block()", True, id="block around Alembic's"),
        pytest.param(ENGINE, AUTOCOMMIT, "autocommit_block()", False, id="block in the engine's"),
        pytest.param(HELPER, AUTOCOMMIT, "autocommit_block()", False, id="block in a helper"),
        pytest.param(EARLIER, AUTOCOMMIT, "autocommit_block()", False, id="block after a statement"),
        pytest.param(MIGRATIONS, COMMIT, "a commit", True, id="commit in place of Alembic's"),
        pytest.param(ENGINE, COMMIT, "a commit", True, id="commit in the engine's"),
        pytest.param(ENGINE, f"{COMMIT}\nop.execute('SELECT 1')", "a commit", True, id="commit and a statement"),
    ],
)
def test_the_failure_names_the_line_of_env_py_and_what_to_write(
    package: Backend, database: Database, env: tuple[str, str, str, str], body: str, what: str, stays: bool
) -> None:
    before, after, code, step = env
    text = changed(package, database, before, after)
    package.revision("aa", None, body)
    package.table_revision("bb", "aa")
    answer = failure()
    error = answer["error"]
    assert error["code"] == "migration_failed"
    assert f"failed: {what} does not work inside the transaction that env.py began" in error["message"]
    line = 1 + max(number for number, found in enumerate(text.splitlines()) if found.strip() == code)
    change = f"; in env.py, line {line} (`{code}`): {step}, so that Alembic begins the transactions, and run again"
    assert error["next"].endswith(change)
    assert error["next"].startswith("it committed part of its work itself" if stays else "it was rolled back")
    assert answer["applied"] == []
    assert ("aa" in database.tables()) == stays


def test_revisions_that_a_later_one_committed_with_its_own_work_are_applied(package: Backend, database: Database) -> None:
    changed(package, database, CONNECT, BEGIN)
    package.table_revision("aa")
    package.revision("bb", "aa", 'op.execute("CREATE TABLE bb (id int)")\nop.get_bind().commit()')
    answer = failure()
    assert answer["error"]["revision"] == "bb"
    assert [revision["revision"] for revision in answer["applied"]] == ["aa"]
    assert database.tables() == ["aa", "alembic_version", "bb"]
    assert database.rows("SELECT version_num FROM alembic_version") == [("aa",)]
    assert database.rows("SELECT revision FROM cdk_alembic.run_revision") == [("aa",)]


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
@pytest.mark.parametrize("fails", [False, True])
def test_revisions_after_one_that_ended_the_transaction_with_sql_are_in_another_one(
    package: Backend, database: Database, template: str, scheme: str, fails: bool
) -> None:
    package.initialise(database.url(scheme), template)
    env = (package.directory / "alembic" / "env.py").read_text()
    package.write_env(env.replace("connectable.connect()", "connectable.begin()"))
    package.table_revision("aa")
    package.revision("bb", "aa", "op.execute('CREATE TABLE bb (id int)')\nop.execute('COMMIT')")
    package.revision("cc", "bb", "op.execute('CREATE TABLE cc (id int)')" + ("\nop.execute('SELECT 1/0')" if fails else ""))
    answer = failure() if fails else invoke()
    applied = ["aa", "bb"] if fails else ["aa", "bb", "cc"]
    assert [revision["revision"] for revision in answer["applied"]] == applied
    assert database.tables() == sorted([*applied, "alembic_version"])
    assert database.versions() == applied[-1:]
    assert [row[0] for row in database.rows("SELECT revision FROM cdk_alembic.run_revision ORDER BY 1")] == applied
    if fails:
        assert answer["error"]["revision"] == "cc"
        assert answer["error"]["next"] == "it was rolled back, and earlier revisions stay; fix it and run again"


def test_a_closed_transaction_that_env_py_did_not_begin_is_the_revision_s_own(package: Backend, database: Database) -> None:
    changed(package, database, CONNECT, CONNECT)
    package.revision("aa", None, "with op.get_bind().begin_nested() as own:\n    own.commit()\n    op.execute('SELECT 1')")
    error = failure()["error"]
    assert "Can't operate on closed transaction" in error["message"]
    assert error["next"] == "it was rolled back, and earlier revisions stay; fix it and run again"


def changed(package: Backend, database: Database, before: str, after: str) -> str:
    """Writes Alembic's env.py with a change, and returns its text."""
    package.initialise(database.url("postgresql+psycopg2"))
    # The first run_migrations() is the one for offline mode.
    head, found, tail = (package.directory / "alembic" / "env.py").read_text().rpartition(before)
    assert found
    text = f"{head}{after}{tail}"
    package.write_env(text)
    return text


def test_the_line_is_that_of_the_connection_and_not_of_offline_mode(tmp_path: Path) -> None:
    env = tmp_path / "env.py"
    env.write_text(
        "def online(connection):\n    if connection:\n        context.configure(connection=connection)\n\n\n"
        "def offline():\n    for tenant in tenants:\n        context.configure(url=tenant)\n"
    )
    assert find_transaction(env, is_outer=True, in_block=False)["line"] == 3
