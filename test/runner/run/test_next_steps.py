"""A failure's next step names what is missing around the migrations: a variable, an extension, what another command sets."""

from __future__ import annotations

import sys

import pytest
from conftest import Backend, Database, failure

SET = "set {}, which it reads, in the `environment` of the construct or of the function"


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ('import os\nlen(os.environ.get("SHOP_ADMIN"))', "SHOP_ADMIN"),
        ('import os\nint(os.getenv("SHOP_A")) + int(os.getenv("SHOP_B"))', "SHOP_A, SHOP_B"),
        ('import os\nos.environ["SHOP_ADMIN"]', "SHOP_ADMIN"),
        (
            "import os\n"
            'op.execute("CREATE TABLE users (name text NOT NULL)")\n'
            'users = sa.table("users", sa.column("name"))\n'
            'op.get_bind().execute(users.insert().values(name=os.getenv("SHOP_ADMIN")))',
            "SHOP_ADMIN",
        ),
    ],
)
def test_the_error_names_the_variable_that_a_revision_lacks(backend: Backend, database: Database, body: str, names: str) -> None:
    backend.revision("aa", None, body)
    error = failure()["error"]
    assert error["code"] == "migration_failed"
    assert error["next"] == f"it was rolled back, and earlier revisions stay; {SET.format(names)}, and run again"
    assert database.tables() == []


@pytest.mark.parametrize(
    "body",
    [
        'import os\nos.getenv("SHOP_ADMIN")\n1 / 0',
        'import os\nos.getenv("SHOP_ADMIN", "root")\nNone.name',
        'import os\nos.environ.get("SHOP_ADMIN") or "root"\nNone.name',
        'import os\nos.getenv("PATH")\nNone.name',
        "None.name",
    ],
)
def test_the_next_step_for_any_other_failure_is_to_fix_the_revision(backend: Backend, body: str) -> None:
    backend.revision("aa", None, body)
    assert failure()["error"]["next"].endswith("earlier revisions stay; fix it and run again")


def test_a_missing_extension_on_the_server_is_not_blamed_on_the_revision(backend: Backend) -> None:
    backend.revision("aa", None, 'op.execute("CREATE EXTENSION no_such_extension")')
    error = failure()["error"]
    assert 'extension "no_such_extension" is not available' in error["message"]
    assert "install no_such_extension on the server, or use a server whose pg_available_extensions has it" in error["next"]


@pytest.mark.parametrize(
    ("env", "next"),
    [
        ('context.config.set_main_option("sqlalchemy.url", os.getenv("SHOP_URL"))', SET.format("SHOP_URL")),
        ('sa.create_engine(os.environ.get("SHOP_URL"))', SET.format("SHOP_URL")),
        ('os.getenv("SHOP_URL").replace("a", "b")', SET.format("SHOP_URL")),
        (
            'os.getenv("SHOP_DEBUG")\nif not os.getenv("SHOP_URL"):\n    raise RuntimeError("no SHOP_URL, see README")',
            SET.format("SHOP_URL"),
        ),
        (
            "from pydantic_settings import BaseSettings\n"
            "class Settings(BaseSettings):\n    url: str\n    key: str\n    model_config = {'env_prefix': 'shop_'}\n"
            "Settings()",
            "set SHOP_URL, SHOP_KEY in the `environment` of the construct or of the function",
        ),
        ('raise RuntimeError("SHOP__URL is not set")', SET.format("SHOP__URL")),
        ('raise SystemExit("Missing required environment variables: SHOP_USER, SHOP_NAME")', SET.format("SHOP_USER, SHOP_NAME")),
        ('raise RuntimeError("SHOP_URL answers with BAD_GATEWAY")', "run `alembic current` in the backend's folder"),
        (
            'sa.create_engine("shop")',
            "env.py's variable for the database's address is not set, or holds no URL: name it with DatabaseVariables",
        ),
        (
            'sa.create_engine("driver://user:pass@localhost/dbname")',
            "write the database's address into sqlalchemy.url of alembic.ini: it has the placeholder of `alembic init`",
        ),
        ('sa.create_engine("postgres://localhost/shop")', "begin the address with postgresql://, which SQLAlchemy knows"),
        (
            'context.config.set_main_option("sqlalchemy.url", "postgresql://a:%21@b/c")',
            "double each % of the URL for configparser: config.set_main_option(",
        ),
        (
            'context.config.file_config.read_string("[alembic]\\nsqlalchemy.url = postgresql://a:%21@b/c")\n'
            'context.config.get_main_option("sqlalchemy.url")',
            "write each % of the URL in alembic.ini as %%",
        ),
        ("context.config.db_url", "make env.py run with `alembic`: it reads config.db_url, which only another command sets"),
    ],
)
def test_the_error_names_the_settings_that_env_py_lacks(backend: Backend, env: str, next: str) -> None:
    backend.table_revision("aa")
    backend.write_env(f"import os\nimport sqlalchemy as sa\nfrom alembic import context\n{env}\n")
    assert failure()["error"]["next"].startswith(next)


@pytest.mark.parametrize(
    ("file", "content", "message", "next"),
    [
        (
            "__init__.pyc",
            b"of another Python",
            "bad magic number in 'alembic'",
            "the package is for another Python: build it for 3.",
        ),
        (
            "__init__.py",
            b"import mako_of_tests",
            "No module named 'mako_of_tests'",
            "add mako_of_tests to the backend's dependencies",
        ),
    ],
)
def test_an_alembic_that_cannot_be_imported_is_no_bug_of_the_runner(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, file: str, content: bytes, message: str, next: str
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "alembic"]:
        monkeypatch.delitem(sys.modules, name)
    folder = backend.directory.parent / "site-packages" / "alembic"
    folder.mkdir(parents=True)
    (folder / file).write_bytes(content)
    error = failure()["error"]
    assert error["code"] == "invalid_project"
    assert error["message"].startswith("Alembic could not be imported: ") and message in error["message"]
    assert error["next"].startswith(next)


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("-- Adds a price; see the wiki\nALTER TABLE gone ADD price int;", "ALTER TABLE gone ADD price int;"),
        ("/* by hand */ ALTER TABLE gone -- the old one\nADD price int", "ALTER TABLE gone ADD price int"),
        (";;\nALTER TABLE gone ADD price text DEFAULT '-- /* ;'", "ALTER TABLE gone ADD price text DEFAULT '-- /* ;'"),
    ],
)
def test_the_statement_of_an_error_begins_with_its_command(backend: Backend, sql: str, shown: str) -> None:
    backend.revision("aa", None, f"op.execute({sql!r})")
    assert failure()["error"]["statement"] == shown
