"""Alembic projects of every kind that Alembic takes, for the runner's tests and the observer's.

It imports neither conftest: both folders of tests have one.
"""

from __future__ import annotations

import compileall
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.append(str(Path(__file__).parent.parent / "support" / "python"))
from preloaded_python import run_preloaded

if TYPE_CHECKING:
    from conftest import Backend, Database

_REVISION = '''"""Add {revision}

Revision ID: {revision}
"""
import sqlalchemy as sa
from alembic import op

revision = {revision!r}
down_revision = {down!r}
branch_labels = {labels!r}
depends_on = {depends!r}
{module}

def upgrade() -> None:
    op.create_table("{revision}", sa.Column("id", sa.Integer, primary_key=True))


def downgrade() -> None:
    op.drop_table("{revision}")
'''

_PLAIN_ENV = """
from alembic import context
from sqlalchemy import create_engine

with create_engine("{url}").connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""


SCHEMA = """
SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
WHERE table_schema NOT IN ('pg_catalog', 'information_schema', 'cdk_alembic') ORDER BY 1, 2
"""
"""The columns of the database, without the runner's own."""


def by_alembic(backend: Backend, database: Database, revision: str) -> tuple[list[str], list[Any]]:
    """Rows of the version table and SCHEMA after `alembic upgrade`."""
    ran = run_preloaded(["-m", "alembic.config", "upgrade", revision], backend.directory, dict(os.environ))
    assert ran.returncode == 0, ran.stderr
    return database.versions(), database.rows(SCHEMA)


def write(folder: Path, revision: str, down: Any = None, labels: Any = None, depends: Any = None, module: str = "") -> Path:
    """Writes a revision that creates the table of its own name."""
    folder.mkdir(parents=True, exist_ok=True)
    text = _REVISION.format(revision=revision, down=down, labels=labels, depends=depends, module=module)
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


def options_that_env_reads(backend: Backend) -> None:
    at_the_start_of_env(
        backend,
        "import sys\noptions = context.config.cmd_opts\n"
        "assert 'alembic' in sys.argv[0] and sys.argv[1] in ('upgrade', 'revision')\n"
        "assert options.cmd[0].__name__ in ('upgrade', 'revision')\n"
        "assert (options.name, options.x, options.sql) == ('alembic', None, False)",
    )
    write(backend.versions, "aa")


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
    (options_that_env_reads, "head"),
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
