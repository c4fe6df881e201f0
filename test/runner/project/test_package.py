"""What the manifest of a package says, and what the runner does with it."""

from __future__ import annotations

import builtins
import json
from pathlib import Path
from typing import Any

import pytest
from cdk_alembic.connection import address
from cdk_alembic.project.configuration import configuration
from cdk_alembic.protocol import rules
from cdk_alembic.protocol.errors import RunnerError
from conftest import Backend, Database, invoke, set_settings


def write_manifest(backend: Backend, **manifest: Any) -> None:
    file = backend.root / rules.MANIFEST_FILE
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(manifest))


def test_the_configuration_can_be_in_its_own_folder(backend: Backend, database: Database) -> None:
    (backend.directory / "conf").mkdir()
    (backend.directory / "alembic.ini").rename(backend.directory / "conf" / "team.ini")
    write_manifest(backend, config="conf/team.ini", folder=".", roots=[], driver=None)
    backend.table_revision("aa")
    assert invoke()["to"] == ["aa"]
    assert database.tables() == ["aa", "alembic_version"]


def test_alembic_is_called_in_the_folder_that_the_manifest_names(backend: Backend, database: Database) -> None:
    ini = backend.directory / "alembic.ini"
    ini.write_text(ini.read_text().replace("%(here)s/", ""))
    (backend.directory / "db_of_tests").mkdir()
    for name in ("alembic", "alembic.ini"):
        (backend.directory / name).rename(backend.directory / "db_of_tests" / name)
    backend.versions = backend.directory / "db_of_tests" / "alembic" / "versions"
    write_manifest(backend, config="db_of_tests/alembic.ini", folder="db_of_tests", roots=[], driver=None)
    backend.table_revision("aa")
    assert invoke()["to"] == ["aa"]
    assert database.tables() == ["aa", "alembic_version"]


def test_a_backend_may_write_next_to_its_code(backend: Backend, database: Database) -> None:
    package = backend.directory / "writing_of_tests"
    package.mkdir()
    (package / "__init__.py").write_text(
        'from pathlib import Path\n\nPath("logs").mkdir(exist_ok=True)\nPath("logs/app.log").write_text("x")\n'
        'Path(__file__).with_name("own.log").write_text("x")\n'
    )
    write_manifest(backend, config="alembic.ini", folder=".", roots=[], driver=None, writes=True)
    backend.revision("aa", None, 'import writing_of_tests\nop.create_table("aa", sa.Column("id", sa.Integer))')
    assert invoke()["to"] == ["aa"]
    assert database.tables() == ["aa", "alembic_version"]
    assert not (backend.directory / "logs").exists() and not (package / "own.log").exists()
    # The next run finds its files again.
    assert invoke()["status"] == "complete"


def test_members_of_a_workspace_can_be_imported(backend: Backend, database: Database) -> None:
    member = backend.directory / "libs" / "core" / "src"
    member.mkdir(parents=True)
    (member / "core_of_tests.py").write_text("TABLE = 'aa'\n")
    write_manifest(backend, config="alembic.ini", folder=".", roots=["libs/core/src"], driver=None)
    backend.revision("aa", None, 'from core_of_tests import TABLE\nop.create_table(TABLE, sa.Column("id", sa.Integer))')
    assert invoke()["to"] == ["aa"]
    assert database.tables() == ["aa", "alembic_version"]


@pytest.mark.parametrize(
    ("driver", "variables", "scheme"),
    [
        ("psycopg2", {}, "postgresql+psycopg2"),
        ("asyncpg", {}, "postgresql+asyncpg"),
        ("psycopg2", {"urlScheme": "postgresql+pg8000"}, "postgresql+pg8000"),
        (None, {}, "postgresql"),
    ],
)
def test_a_url_names_the_packaged_driver_unless_the_settings_name_another(
    backend: Backend,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    driver: str | None,
    variables: dict[str, str],
    scheme: str,
) -> None:
    database_settings = {"source": "secret", "secretArn": "arn:db", "variables": {"url": "URL_OF_TESTS", **variables}}
    set_settings(monkeypatch, database=database_settings)
    parts = {"host": database.host, "port": database.port, "username": database.user, "password": database.password}
    monkeypatch.setattr(address, "_fetch", lambda arn: json.dumps({**parts, "dbname": database.name}))
    write_manifest(backend, config="alembic.ini", folder=".", roots=[], driver=driver)
    backend.revision("aa", None, "import os\nop.execute(f\"CREATE TABLE url AS SELECT '{os.environ['URL_OF_TESTS']}' AS url\")")
    invoke()
    assert database.rows("SELECT split_part(url, ':', 1) FROM url") == [(scheme,)]


@pytest.mark.parametrize(
    ("error", "step"),
    [
        (ModuleNotFoundError("No module named 'alembic'", name="alembic"), "add alembic to the backend's dependencies"),
        (ModuleNotFoundError("No module named 'mako'", name="mako"), "add mako to the backend's dependencies"),
        (
            ImportError("bad magic number in 'alembic': b'\\xf3\\r\\r\\n'", name="alembic"),
            "the package is for another Python: build it for 3.",
        ),
    ],
)
def test_an_alembic_that_cannot_be_imported_says_what_to_do_about_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: ImportError, step: str
) -> None:
    def fail(name: str, *_: Any, **__: Any) -> Any:
        if name.startswith("alembic"):
            raise error
        return original(name, *_, **__)

    original = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", fail)
    with pytest.raises(RunnerError) as failed:
        configuration(tmp_path)
    assert failed.value.code == "invalid_project" and failed.value.next.startswith(step)
