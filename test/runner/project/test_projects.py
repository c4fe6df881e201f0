"""Whatever `alembic` takes, the runner takes: projects of every kind end with the rows and the schema of `alembic upgrade`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cdk_alembic.project.configuration import configuration
from cdk_alembic.protocol.errors import RunnerError
from conftest import Backend, Database, empty, failure, invoke
from project_kinds import (
    KINDS,
    SCHEMA,
    at_the_start_of_env,
    by_alembic,
    location_that_is_not_there,
    set_options,
    several_bases,
    write,
)


@pytest.mark.parametrize(("make", "revision"), KINDS, ids=[make.__name__ for make, _ in KINDS])
def test_a_deploy_leaves_the_rows_and_the_schema_that_alembic_leaves(
    backend: Backend, database: Database, make: Callable[[Backend], None], revision: str
) -> None:
    make(backend)
    expected = by_alembic(backend, database, revision)
    assert expected[0], "alembic applied nothing"
    empty(database)
    answer = invoke()
    assert answer["status"] == "complete"
    assert (database.versions(), database.rows(SCHEMA)) == expected
    assert sorted(answer["to"]) == expected[0]
    assert invoke()["applied"] == []


def test_env_py_may_drop_the_folder_of_alembics_command_from_the_path(backend: Backend, database: Database) -> None:
    installed = backend.directory.parent / "site-packages"
    installed.mkdir(exist_ok=True)
    (installed / "installed_for_tests.py").touch()
    set_options(backend, prepend_sys_path="")
    at_the_start_of_env(backend, "import sys\nsys.path = ['', '..'] + sys.path[1:]\nimport installed_for_tests")
    write(backend.versions, "aa")
    assert invoke()["to"] == ["aa"]
    write(backend.versions, "bb", "aa", module="import sys\ndel sys.modules['installed_for_tests']\nimport installed_for_tests")
    assert invoke()["to"] == ["bb"]


def test_neither_an_old_distribution_nor_the_backend_hides_pythons_own_library(backend: Backend, database: Database) -> None:
    installed = backend.directory.parent / "site-packages"
    installed.mkdir(exist_ok=True)
    (installed / "tabnanny.py").write_text("from a_release_for import python_2")
    (backend.directory / "pyclbr.py").write_text("from the_backend import a_module")
    (installed / "installed_for_tests.py").touch()
    set_options(backend, prepend_sys_path="")
    at_the_start_of_env(backend, "import installed_for_tests, pyclbr, tabnanny")
    write(backend.versions, "aa")
    assert invoke()["to"] == ["aa"]


def test_a_location_that_appears_later_is_migrated_by_the_next_deploy(backend: Backend, database: Database) -> None:
    location_that_is_not_there(backend)
    assert invoke()["to"] == ["aa"]
    write(backend.directory / "later", "bb", "aa")
    assert invoke()["to"] == ["bb"]
    assert database.tables() == ["aa", "alembic_version", "bb"]


class TestSeveralHeads:
    def test_several_heads_are_migrated_if_each_has_its_own_label(self, backend: Backend, database: Database) -> None:
        several_bases(backend)
        assert invoke({"command": "plan"})["target"] == ["aa", "cc"]
        assert invoke()["to"] == ["aa", "cc"]
        assert database.versions() == ["aa", "cc"]

    def test_several_heads_are_migrated_in_slices(self, backend: Backend, database: Database) -> None:
        several_bases(backend)
        answer = invoke({"sliceSeconds": 0})
        applied = len(answer["applied"])
        while answer["status"] == "partial":
            answer = invoke({"sliceSeconds": 0})
            applied += len(answer["applied"])
        assert (applied, answer["status"], database.versions()) == (3, "complete", ["aa", "cc"])

    @pytest.mark.parametrize("labels", [("one", None), (None, None)])
    def test_several_heads_are_rejected_with_the_merge_command_if_one_has_no_label(
        self, backend: Backend, database: Database, labels: tuple[str | None, str | None]
    ) -> None:
        for revision, label in zip(("aa", "bb"), labels, strict=True):
            write(backend.versions, revision, labels=label)
        error = failure()["error"]
        assert error["code"] == "multiple_heads"
        assert 'alembic merge -m "Merge heads" aa bb' in error["next"]
        assert database.tables() == []

    def test_several_heads_are_rejected_if_they_share_their_only_label(self, backend: Backend, database: Database) -> None:
        write(backend.versions, "aa", labels="one")
        write(backend.versions, "bb", "aa")
        write(backend.versions, "cc", "aa")
        assert failure()["error"]["code"] == "multiple_heads"
        assert database.tables() == []


class TestARevisionThatAlembicCannotPlace:
    def test_two_files_with_one_id_are_both_named(self, backend: Backend, database: Database) -> None:
        write(backend.versions, "aa")
        (backend.versions / "copy.py").write_text((backend.versions / "aa.py").read_text())
        error = failure()["error"]
        assert error["code"] == "invalid_project"
        assert "two files have the revision id aa" in error["message"]
        assert "aa.py" in error["message"] and "copy.py" in error["message"]
        assert "merge" not in error["next"]
        assert database.tables() == []

    @pytest.mark.parametrize("line", ["", "revision = None\n", "revision = 7\n", "revision = ''\n"])
    def test_a_file_without_an_id_is_named(self, backend: Backend, database: Database, line: str) -> None:
        write(backend.versions, "aa")
        (backend.versions / "helper.py").write_text(f"{line}down_revision = 'aa'\n")
        error = failure()["error"]
        assert (error["code"], error["message"]) == ("invalid_project", "helper.py has no revision id")
        assert "move it out of the folder of the revisions" in error["next"]
        assert database.tables() == []

    def test_a_cycle_is_reported_with_its_files(self, backend: Backend, database: Database) -> None:
        write(backend.versions, "aa", "cc")
        write(backend.versions, "bb", "aa")
        write(backend.versions, "cc", "bb")
        write(backend.versions, "dd", "cc")
        error = failure()["error"]
        assert error["code"] == "invalid_project"
        assert "in a cycle: aa (aa.py), bb (bb.py), cc (cc.py)" in error["message"]
        assert database.tables() == []

    def test_a_revision_that_follows_a_missing_file_is_named(self, backend: Backend, database: Database) -> None:
        write(backend.versions, "bb", "aa")
        error = failure()["error"]
        assert error["code"] == "invalid_project"
        assert "revision bb (bb.py) follows aa, which no file has" in error["message"]


def test_a_variable_that_a_revision_lacks_while_loading_is_named(backend: Backend, database: Database) -> None:
    file = write(backend.versions, "aa")
    file.write_text(f'import os\n\nTOKEN = os.environ["SHOP_TOKEN"]\n{file.read_text()}')
    error = failure()["error"]
    assert error["code"] == "invalid_project"
    assert "could not be loaded: the environment variable SHOP_TOKEN is not set (aa.py:3)" in error["message"]
    assert error["next"].startswith("set it in the `environment` of the construct")
    assert database.tables() == []


@pytest.mark.parametrize(("first", "state"), [("CREATE TABLE aa (id int)", "42P07"), ("ALTER TABLE aa ADD id int", "42701")])
def test_a_database_that_was_created_without_alembic_is_recognized(
    backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, first: str, state: str
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "shop-api-migrate-lambda-test")
    backend.revision("aa", None, f'op.execute("{first}")')
    with database.connect() as connection:
        connection.execute("CREATE TABLE aa (id int)")
    error = failure()["error"]
    assert (error["code"], error["sqlState"]) == ("migration_failed", state)
    assert "the tables were probably created without Alembic" in error["message"]
    assert error["next"].endswith(
        "record it with `npx migrate-invoke --function-name shop-api-migrate-lambda-test --command stamp --revision <revision>`, "
        "after a deploy that allows it and runs no migrations (`allowStamp: true`, `runOnDeploy: false`)"
    )
    assert database.tables() == ["aa"]


@pytest.mark.parametrize(
    ("statement", "state", "before"),
    [
        ("ALTER TABLE base ADD a int", "42P01", ""),
        ("CREATE TABLE base.aa (id int)", "3F000", ""),
        ("ALTER TABLE base ADD a int", "42P01", "pass"),
    ],
    ids=["a table", "a schema", "a table, after an empty revision"],
)
def test_a_first_revision_that_builds_on_create_all_is_recognized(
    backend: Backend, database: Database, statement: str, state: str, before: str
) -> None:
    if before:
        backend.revision("empty", None, before)
    backend.revision("aa", "empty" if before else None, f'op.execute("{statement}")')
    error = failure()["error"]
    assert (error["code"], error["sqlState"]) == ("migration_failed", state)
    assert "start from objects that were created without Alembic (create_all, or another tool)" in error["message"]
    assert error["next"].startswith("it was rolled back; create them first")
    assert database.tables() == (["alembic_version"] if before else [])


@pytest.mark.parametrize(
    ("column", "extension"), [("a citext", "citext"), ("a uuid DEFAULT uuid_generate_v4()", "uuid-ossp"), ("a shop", "")]
)
def test_a_type_or_a_function_of_an_extension_that_the_database_lacks_is_reported_with_the_extension(
    backend: Backend, database: Database, column: str, extension: str
) -> None:
    backend.revision("aa", None, f'op.execute("CREATE TABLE aa ({column})")')
    step = f'`CREATE EXTENSION "{extension}"` in this database, or in a revision before this one,' if extension else "fix it"
    assert failure()["error"]["next"] == f"it was rolled back, and earlier revisions stay; {step} and run again"


def test_a_file_with_a_syntax_error_is_named_and_no_other_is_reported_as_missing(package: Backend, database: Database) -> None:
    package.initialise(database.url("postgresql"))
    # Alembic loads the files in the order of their names.
    for down, revision in zip((None, "zz", "aa"), ("zz", "aa", "bb"), strict=True):
        package.table_revision(revision, down)
    for revision in ("aa", "bb", "zz"):
        file = package.versions / f"{revision}.py"
        text = file.read_text()
        file.write_text(f"{text}\ndef upgrade(:\n")
        assert f"SyntaxError: invalid syntax ({revision}.py:" in failure()["error"]["message"]
        file.write_text(text)


def test_configuration_sections_for_the_option_name_are_reported(tmp_path: Path) -> None:
    (tmp_path / "alembic.ini").write_text(
        "[core]\nscript_location = core\n[tenant]\nscript_location = tenant\n[loggers]\nkeys = root\n"
    )
    with pytest.raises(RunnerError) as raised:
        configuration(tmp_path).get_main_option("script_location")
    assert raised.value.code == "invalid_project" and "one of them (core, tenant) as [alembic]" in raised.value.next


@pytest.mark.parametrize(
    ("ini", "location", "env"),
    [
        ("migrations/alembic.ini", "/usr/src/app/migrations", ""),
        ("alembic.ini", "/app/migrations", ""),
        ("migrations/alembic.ini", "elsewhere", "from flask import current_app\n"),
    ],
    ids=["beside alembic.ini", "below alembic.ini", "of Flask-Migrate"],
)
def test_scripts_of_an_image_are_found(tmp_path: Path, ini: str, location: str, env: str) -> None:
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "env.py").write_text(env)
    (tmp_path / ini).write_text(f"[alembic]\nscript_location = {location}\n")
    assert configuration(tmp_path, tmp_path / ini).get_main_option("script_location") == str(tmp_path / "migrations")
