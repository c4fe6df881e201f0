"""Revisions that execute statements when their files are loaded: `alembic upgrade` accepts them."""

from __future__ import annotations

import pytest
from conftest import COUNT_TRIES, Backend, Database, count_tries, failure, invoke, set_settings
from each_driver import DRIVERS

CREATE_TYPE = 'sa.dialects.postgresql.ENUM("on", "off", name="state").create(op.get_bind(), checkfirst=True)'
ADD_COLUMN = 'op.execute("ALTER TABLE aa ADD COLUMN state state")'


def write_revisions(backend: Backend, on_load: str, upgrade: str = ADD_COLUMN) -> None:
    """Two revisions, of which the second executes `on_load` outside of its functions."""
    backend.table_revision("aa")
    backend.revision("bb", "aa", upgrade)
    execute_on_load(backend, "bb", on_load)


def execute_on_load(backend: Backend, revision: str, code: str) -> None:
    path = backend.versions / f"{revision}.py"
    path.write_text(path.read_text().replace("\n\n\ndef upgrade", f"\n\n{code}\n\n\ndef upgrade"))


@pytest.mark.every_driver
@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_a_type_created_when_a_file_is_loaded_exists_in_its_upgrade(
    package: Backend, database: Database, template: str, scheme: str
) -> None:
    package.initialise(database.url(scheme), template)
    write_revisions(package, CREATE_TYPE)
    assert invoke()["applied"][-1]["revision"] == "bb"
    assert database.versions() == ["bb"]
    assert invoke()["status"] == "complete"


def test_a_command_that_only_reads_keeps_nothing_of_what_loading_executes(backend: Backend, database: Database) -> None:
    write_revisions(backend, CREATE_TYPE)
    for command in ("plan", "current", "history"):
        assert invoke({"command": command})["status"] == "pending"
    assert database.rows("SELECT FROM pg_type WHERE typname = 'state'") == []


def test_files_are_loaded_again_if_a_check_before_the_upgrade_rolled_back_what_they_executed(
    backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_settings(monkeypatch, onReplication="refuse")
    write_revisions(backend, CREATE_TYPE)
    assert invoke()["status"] == "complete"
    assert database.versions() == ["bb"]


def test_files_are_loaded_again_after_a_lock_that_was_not_available(backend: Backend, database: Database) -> None:
    tries = count_tries(database)
    is_first = "(SELECT last_value FROM tries) = 1"
    fails = f"DO $$ BEGIN IF {is_first} THEN RAISE EXCEPTION SQLSTATE '55P03'; END IF; END $$"
    backend.revision("aa", None, f'{COUNT_TRIES}op.execute("""{fails}""")\nop.execute("CREATE TABLE aa (state state)")')
    execute_on_load(backend, "aa", CREATE_TYPE)
    assert invoke()["status"] == "complete"
    assert tries() == 2
    assert database.versions() == ["aa"]


def test_a_statement_that_can_be_executed_only_once_fails_the_next_run_as_with_alembic(backend: Backend) -> None:
    write_revisions(backend, 'op.execute("CREATE TABLE loaded (id int)")', "pass")
    assert invoke()["status"] == "complete"
    error = failure()["error"]
    assert error["code"] == "invalid_project"
    assert 'relation "loaded" already exists (bb.py:13)' in error["message"]
