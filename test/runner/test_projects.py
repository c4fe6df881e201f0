"""Whatever `alembic` takes, the runner takes: projects of every kind end with the rows and the schema of `alembic upgrade`."""

from __future__ import annotations

import compileall
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import REVISION, Backend, Database, empty, failure, invoke

_SCHEMA = """
SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
WHERE table_schema NOT IN ('pg_catalog', 'information_schema', 'cdk_alembic') ORDER BY 1, 2
"""

_PLAIN_ENV = """
from alembic import context
from sqlalchemy import create_engine

with create_engine("{url}").connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""


def write(folder: Path, revision: str, down: Any = None, labels: Any = None, depends: Any = None, module: str = "") -> Path:
    """Writes a revision that creates the table of its own name."""
    folder.mkdir(parents=True, exist_ok=True)
    text = REVISION.format(
        revision=revision,
        down=down,
        upgrade=f'    op.create_table("{revision}", sa.Column("id", sa.Integer, primary_key=True))',
        downgrade=f'    op.drop_table("{revision}")',
        message=f"Add {revision}",
    )
    text = text.replace("branch_labels = None", f"branch_labels = {labels!r}")
    text = text.replace("depends_on = None", f"depends_on = {depends!r}\n{module}")
    file = folder / f"{revision}.py"
    file.write_text(text)
    return file


def set_options(backend: Backend, file: str = "alembic.ini", **options: str) -> None:
    """Sets options in the section [alembic] of the configuration."""
    ini = backend.directory / file
    lines = [line for line in ini.read_text().splitlines() if line.split("=")[0].strip() not in options]
    lines[lines.index("[alembic]") + 1 : 0] = [f"{name} = {value}" for name, value in options.items()]
    ini.write_text("\n".join(lines))


def at_the_start_of_env(backend: Backend, code: str) -> None:
    env = (backend.directory / "alembic" / "env.py").read_text()
    line = "config = context.config\n"
    assert line in env
    backend.write_env(env.replace(line, f"{line}{code}\n"))


def version_locations_that_env_sets(backend: Backend) -> None:
    write(backend.directory / "elsewhere", "aa")
    write(backend.directory / "elsewhere", "bb", "aa")
    at_the_start_of_env(backend, 'context.script.version_locations = ["elsewhere"]')


def path_that_env_sets(backend: Backend) -> None:
    (backend.directory / "shared").mkdir()
    (backend.directory / "shared" / "helper_of_revisions.py").write_text("NAME = 'aa'\n")
    at_the_start_of_env(backend, "import sys\nsys.path.insert(0, 'shared')")
    write(backend.versions, "aa", module="from helper_of_revisions import NAME")


def subfolders(backend: Backend) -> None:
    set_options(backend, recursive_version_locations="true")
    write(backend.versions / "2025", "aa")
    write(backend.versions / "2026" / "01", "bb", "aa")


def bytecode_alone(backend: Backend) -> None:
    set_options(backend, sourceless="true")
    # A word that the runner looks for in comments lies in any path below a folder of that name.
    words = 'NAME = "cdk-alembic"'
    for file in (write(backend.versions, "aa", module=words), write(backend.versions, "bb", "aa")):
        assert compileall.compile_file(file, quiet=1, legacy=True)
        file.unlink()


def several_locations(backend: Backend) -> None:
    set_options(
        backend,
        version_locations="%(here)s/alembic/versions:%(here)s/more:%(here)s/empty",
        version_path_separator=":",
        path_separator=":",
    )
    (backend.directory / "empty").mkdir()
    (backend.directory / "empty" / ".gitkeep").touch()
    write(backend.versions, "aa")
    write(backend.directory / "more", "bb", "aa")


def location_that_is_not_there(backend: Backend) -> None:
    set_options(
        backend,
        version_locations="%(here)s/alembic/versions:%(here)s/later",
        version_path_separator=":",
        path_separator=":",
    )
    write(backend.versions, "aa")


def location_in_a_package(backend: Backend) -> None:
    package = backend.directory / "backend_of_tests"
    package.mkdir()
    (package / "__init__.py").touch()
    (backend.directory / "alembic").rename(package / "db")
    set_options(backend, script_location="backend_of_tests:db", prepend_sys_path=".")
    write(package / "db" / "versions", "aa")


def location_relative_to_where_alembic_is_called(backend: Backend) -> None:
    (backend.directory / "alembic").rename(backend.directory / "migrations_of_tests")
    set_options(backend, script_location="migrations_of_tests")
    write(backend.directory / "migrations_of_tests" / "versions", "aa")


def path_in_the_configuration(backend: Backend) -> None:
    set_options(backend, prepend_sys_path="lib_of_tests")
    (backend.directory / "lib_of_tests").mkdir()
    (backend.directory / "lib_of_tests" / "models_of_tests.py").write_text("")
    write(backend.versions, "aa", module="import models_of_tests")


def configuration_in_pyproject(backend: Backend) -> None:
    ini = (backend.directory / "alembic.ini").read_text()
    url = next(line.split("=", 1)[1].strip() for line in ini.splitlines() if line.startswith("sqlalchemy.url"))
    (backend.directory / "alembic.ini").unlink()
    (backend.directory / "pyproject.toml").write_text('[tool.alembic]\nscript_location = "%(here)s/alembic"\n')
    backend.write_env(_PLAIN_ENV.format(url=url))
    write(backend.versions, "aa")


def one_branch_with_a_label_and_a_merge(backend: Backend) -> None:
    write(backend.versions, "aa")
    write(backend.versions, "bb", "aa", labels="billing")
    write(backend.versions, "cc", "aa")
    write(backend.versions, "dd", ("bb", "cc"))


def dependencies_between_labelled_branches(backend: Backend) -> None:
    write(backend.versions, "aa", labels="core")
    write(backend.versions, "bb", "aa")
    write(backend.versions, "xx", labels="billing", depends="aa")
    write(backend.versions, "yy", "xx", depends="bb")


def several_bases(backend: Backend) -> None:
    write(backend.versions, "aa", labels=("one",))
    write(backend.versions, "bb", labels=("two",))
    write(backend.versions, "cc", "bb")


KINDS: list[tuple[Callable[[Backend], None], str]] = [
    (version_locations_that_env_sets, "head"),
    (path_that_env_sets, "head"),
    (subfolders, "head"),
    (bytecode_alone, "head"),
    (several_locations, "head"),
    (location_that_is_not_there, "head"),
    (location_in_a_package, "head"),
    (location_relative_to_where_alembic_is_called, "head"),
    (path_in_the_configuration, "head"),
    (configuration_in_pyproject, "head"),
    (one_branch_with_a_label_and_a_merge, "head"),
    (dependencies_between_labelled_branches, "heads"),
    (several_bases, "heads"),
]


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
    assert (database.versions(), database.rows(_SCHEMA)) == expected
    assert sorted(answer["to"]) == expected[0]
    assert invoke()["applied"] == []


def by_alembic(backend: Backend, database: Database, revision: str) -> tuple[list[str], list[Any]]:
    """Rows of the version table and schema after `alembic upgrade`."""
    command = [sys.executable, "-m", "alembic.config", "upgrade", revision]
    ran = subprocess.run(command, cwd=backend.directory, capture_output=True, text=True, env=dict(os.environ))
    assert ran.returncode == 0, ran.stderr
    return database.versions(), database.rows(_SCHEMA)


def test_a_location_that_appears_later_is_migrated_by_the_next_deploy(backend: Backend, database: Database) -> None:
    location_that_is_not_there(backend)
    assert invoke()["to"] == ["aa"]
    write(backend.directory / "later", "bb", "aa")
    assert invoke()["to"] == ["bb"]
    assert database.tables() == ["aa", "alembic_version", "bb"]


class TestSeveralHeads:
    def test_are_migrated_when_each_has_a_different_label(self, backend: Backend, database: Database) -> None:
        several_bases(backend)
        assert invoke({"command": "plan"})["target"] == ["aa", "cc"]
        assert invoke()["to"] == ["aa", "cc"]
        assert database.versions() == ["aa", "cc"]

    def test_are_migrated_in_slices(self, backend: Backend, database: Database) -> None:
        several_bases(backend)
        answer = invoke({"sliceSeconds": 0})
        applied = len(answer["applied"])
        while answer["status"] == "partial":
            answer = invoke({"sliceSeconds": 0})
            applied += len(answer["applied"])
        assert (applied, answer["status"], database.versions()) == (3, "complete", ["aa", "cc"])

    @pytest.mark.parametrize("labels", [("one", None), (None, None)])
    def test_are_refused_with_the_merge_command_when_one_has_no_label(
        self, backend: Backend, database: Database, labels: tuple[str | None, str | None]
    ) -> None:
        for revision, label in zip(("aa", "bb"), labels, strict=True):
            write(backend.versions, revision, labels=label)
        error = failure()["error"]
        assert error["code"] == "multiple_heads"
        assert 'alembic merge -m "Merge heads" aa bb' in error["next"]
        assert database.tables() == []

    def test_are_refused_when_they_share_their_only_label(self, backend: Backend, database: Database) -> None:
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

    def test_a_circle_is_named_with_its_files(self, backend: Backend, database: Database) -> None:
        write(backend.versions, "aa", "cc")
        write(backend.versions, "bb", "aa")
        write(backend.versions, "cc", "bb")
        write(backend.versions, "dd", "cc")
        error = failure()["error"]
        assert error["code"] == "invalid_project"
        assert "in a circle: aa (aa.py), bb (bb.py), cc (cc.py)" in error["message"]
        assert database.tables() == []

    def test_one_that_follows_a_missing_file_is_named(self, backend: Backend, database: Database) -> None:
        write(backend.versions, "bb", "aa")
        error = failure()["error"]
        assert error["code"] == "invalid_project"
        assert "revision bb (bb.py) follows aa, which no file has" in error["message"]


def test_a_database_that_was_created_without_alembic_is_recognized(backend: Backend, database: Database) -> None:
    write(backend.versions, "aa")
    with database.connect() as connection:
        connection.execute("CREATE TABLE aa (id int)")
    error = failure()["error"]
    assert (error["code"], error["sqlState"]) == ("migration_failed", "42P07")
    assert "the tables were probably created without Alembic" in error["message"]
    assert "npx migrate-invoke --stage test --command stamp --revision" in error["next"]
    assert database.tables() == ["aa"]
