"""Flask-Migrate in the function: env.py and revisions ask the running application, as `flask db upgrade` lets them."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import flask_migrate
import pytest
from cdk_alembic.connection import address as addresses
from conftest import Backend, Database, empty, failure, fresh_database, invoke
from secret_databases import secret, secret_settings

TEMPLATE = Path(flask_migrate.__file__).parent / "templates" / "flask"
APPLICATION = """
import os
from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()


def create_app():
    app = Flask("shop")
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["SHOP_URL"]
    app.config["FIRST_TABLE"] = "aa"
    db.init_app(app)
    Migrate(app, db)
    return app
"""
REVISION_ASKS = """
from flask import current_app
TABLE = current_app.config["FIRST_TABLE"]
"""
MIGRATED = (["aa", "alembic_version", "bb"], ["bb"])
"""The tables, and the rows of the version table."""


@pytest.fixture
def shop(package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch) -> Backend:
    """What `flask db init` makes, and two revisions."""
    monkeypatch.setenv("SHOP_URL", database.url("postgresql+psycopg"))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    migrations = package.directory / "migrations"
    package.versions = migrations / "versions"
    package.versions.mkdir(parents=True)
    (migrations / "alembic.ini").write_text((TEMPLATE / "alembic.ini.mako").read_text())
    (migrations / "env.py").write_text((TEMPLATE / "env.py").read_text())
    package.revision("aa", None, 'op.create_table(TABLE, sa.Column("id", sa.Integer, primary_key=True))')
    with (package.versions / "aa.py").open("a") as file:
        file.write(REVISION_ASKS)
    package.table_revision("bb", "aa")
    return package


def test_a_deploy_leaves_what_flask_db_upgrade_leaves(shop: Backend, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    (shop.directory / "shop.py").write_text(APPLICATION)
    monkeypatch.setenv("FLASK_APP", "shop:create_app()")
    ran = subprocess.run(
        [sys.executable, "-m", "flask", "db", "upgrade"], cwd=shop.directory, capture_output=True, text=True, env=dict(os.environ)
    )
    assert ran.returncode == 0, ran.stderr
    expected = database.tables(), database.versions()
    assert expected == MIGRATED
    empty(database)
    answer = invoke()
    assert (answer["status"], [item["revision"] for item in answer["applied"]]) == ("complete", ["aa", "bb"])
    assert (database.tables(), database.versions()) == expected


@pytest.mark.parametrize("file", ["app.py", "wsgi.py"])
def test_the_application_is_found_without_its_name_as_flask_finds_it(shop: Backend, database: Database, file: str) -> None:
    (shop.directory / file).write_text(APPLICATION)
    assert invoke()["status"] == "complete"
    assert (database.tables(), database.versions()) == MIGRATED


IS_SERVING = """
    if "db" not in sys.argv or os.environ.get("FLASK_RUN_FROM_CLI") != "true":
        raise SystemExit(f"it serves: {sys.argv}")
"""


def test_an_application_that_serves_when_it_is_imported_is_loaded_as_by_the_flask_command(
    shop: Backend, database: Database
) -> None:
    serving = APPLICATION.replace("    return app\n", f"{IS_SERVING}    return app\n").replace("import os\n", "import os, sys\n")
    (shop.directory / "app.py").write_text(f"{serving}\n\napp = create_app()\napp.run(port=0)\n")
    assert invoke()["status"] == "complete"
    assert database.versions() == ["bb"]


def test_flaskenv_names_the_application_and_fills_variables_that_are_not_set(
    shop: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The test's end unsets them again.
    for name in ("FLASK_APP", "FIRST_TABLE"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    (shop.directory / "shop.py").write_text(APPLICATION.replace('"aa"', 'os.environ["FIRST_TABLE"]'))
    (shop.directory / ".flaskenv").write_text("FLASK_APP=shop:create_app\nFIRST_TABLE=first\nSHOP_URL=postgresql://nowhere/\n")
    assert invoke()["to"] == ["bb"]
    assert database.tables() == ["alembic_version", "bb", "first"]


def test_a_connection_of_an_application_that_connects_while_it_is_loaded_goes_to_the_functions_database(
    shop: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret_settings(monkeypatch, "postgresql+psycopg")
    monkeypatch.setattr(addresses, "_fetch", lambda arn: secret(database))
    connects = '    with app.app_context():\n        db.session.execute(db.text("SELECT 1"))\n        db.session.remove()\n'
    (shop.directory / "app.py").write_text(APPLICATION.replace("    return app\n", f"{connects}    return app\n"))
    with fresh_database() as other:
        monkeypatch.setenv("SHOP_URL", other.url("postgresql+psycopg").replace("127.0.0.1", "localhost"))
        assert invoke()["to"] == ["bb"]
        assert (database.tables(), other.tables()) == (["aa", "alembic_version", "bb"], [])


def test_an_application_that_cannot_be_loaded_is_reported_with_how_to_name_it(shop: Backend, database: Database) -> None:
    error = failure()["error"]
    assert error["code"] == "invalid_project"
    assert "env.py needs Flask's application, which could not be loaded" in error["message"]
    assert error["next"].startswith("set FLASK_APP as for the command `flask`")
    assert database.tables() == []


@pytest.mark.parametrize(
    ("has_application", "only_comment"), [(False, False), (True, False), (False, True)], ids=["none", "one", "a comment"]
)
def test_an_env_py_that_also_runs_with_plain_alembic_needs_no_application(
    shop: Backend, database: Database, has_application: bool, only_comment: bool
) -> None:
    asking = "from flask import current_app\nasked = current_app.config['SQLALCHEMY_DATABASE_URI']\n"
    fallback = f"try:\n{textwrap.indent(asking, '    ')}except RuntimeError:\n    asked = None\n"
    if only_comment:
        fallback = "# target_metadata = current_app.extensions['migrate'].db.metadata\n"
    (shop.versions.parent / "env.py").write_text(
        f"import os\nfrom alembic import context\nfrom sqlalchemy import create_engine\n{fallback}"
        "with create_engine(os.environ['SHOP_URL']).connect() as connection:\n    context.configure(connection=connection)\n"
        "    with context.begin_transaction():\n        context.run_migrations()\n"
    )
    shop.table_revision("aa", None)
    if has_application:
        (shop.directory / "app.py").write_text(APPLICATION)
        with (shop.versions / "aa.py").open("a") as file:
            file.write(f"{REVISION_ASKS}assert TABLE == 'aa'\n")
    assert invoke()["to"] == ["bb"]
    assert database.tables() == ["aa", "alembic_version", "bb"]


def test_an_application_that_is_named_and_fails_is_reported_with_the_command_to_try(
    shop: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLASK_APP", "app")
    (shop.directory / "app.py").write_text("settings = None\nsettings.lower()\n")
    error = failure()["error"]
    assert "could not be loaded: AttributeError: 'NoneType' object has no attribute 'lower' (app.py:2)" in error["message"]
    assert error["next"].startswith(
        "run `flask db current` until it works, and set the variables that it needs in the `environment`"
    )
    assert database.tables() == []


def test_a_missing_variable_of_the_application_is_reported_with_where_to_set_it(
    shop: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shop.directory / "app.py").write_text(APPLICATION)
    monkeypatch.delenv("SHOP_URL")
    error = failure()["error"]
    assert error["code"] == "invalid_project"
    assert "could not be loaded: the environment variable SHOP_URL is not set (app.py:12)" in error["message"]
    assert "the `environment` of the construct" in error["next"]
    assert database.tables() == []
