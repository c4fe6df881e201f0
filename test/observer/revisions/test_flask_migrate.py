"""Flask-Migrate: env.py asks the running application for its database, and `flask db init` has made alembic.ini."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from backends import Database
from observing import NOTHING, Observed

TEMPLATE = Path(flask_migrate.__file__).parent / "templates" / "flask"
APPLICATION = """
from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()


class User(db.Model):
    __tablename__ = "aa"
    id = db.Column(db.Integer, primary_key=True)


def create_app():
    app = Flask("shop")
    app.config["SQLALCHEMY_DATABASE_URI"] = "postgresql+psycopg://nobody:secret@127.0.0.1:1/nowhere"
    db.init_app(app)
    Migrate(app, db)
    return app
"""


@pytest.fixture
def shop(tmp_path: Path, database: Database) -> Observed:
    """The folder migrations/ is named backend/ here."""
    project = Observed(tmp_path, database)
    project.versions = project.directory / "versions"
    project.versions.mkdir()
    (project.directory / "alembic.ini").write_text((TEMPLATE / "alembic.ini.mako").read_text())
    (project.directory / "env.py").write_text((TEMPLATE / "env.py").read_text())
    project.table_revision("aa")
    project.revision("bb", "aa", 'op.execute("ALTER TABLE aa ADD name text")', 'op.drop_column("aa", "name")')
    return project


@pytest.mark.parametrize(("file", "variable"), [("app.py", None), ("wsgi.py", None), ("shop.py", "shop:create_app()")])
def test_the_application_is_the_one_that_flask_finds(shop: Observed, file: str, variable: str | None) -> None:
    (shop.root / file).write_text(APPLICATION)
    shop.environment = {"FLASK_APP": variable} if variable else {}
    revision = shop.versions / "bb.py"
    revision.write_text(revision.read_text() + f"\n\nfrom {Path(file).stem} import User\n")
    observe = {"ask": "observe", "revisions": ["aa", "bb"], "drift": True}
    *reports, plan, _ = shop.ask({"ask": "graph"}, observe, {"ask": "invoke", "request": {"command": "plan"}})
    facts = shop.facts(reports)
    assert "problem" not in facts["graph"]
    assert facts["environment"]["keeps"] is True
    assert facts["bb"]["again"] == {"outcome": "done", "differs": NOTHING}
    assert facts["drift"]["operations"] == ["op.drop_column('aa', 'name')"]
    assert [revision["revision"] for revision in plan["answer"]["pending"]] == ["aa", "bb"]
    assert shop.database.tables() == []


def test_without_an_application_the_files_are_read_and_the_error_says_how_to_name_one(shop: Observed) -> None:
    facts = shop.observe("aa", "bb")
    assert "env.py needs Flask's application, which could not be loaded" in facts["environment"]["failure"]
    assert facts["bb"]["upgrade"]["outcome"] == "not_run"
    assert facts["bb"]["source"]["upgrade"]["calls"]
    assert "FLASK_APP" in shop.failure(ask="invoke", request={"command": "plan"})["next"]


@pytest.mark.parametrize("ask", [{"ask": "create", "message": "Add carts", "empty": False}, {"ask": "invoke", "request": {}}])
def test_a_missing_variable_of_the_application_is_one_error_without_a_traceback(shop: Observed, ask: dict[str, Any]) -> None:
    (shop.root / "app.py").write_text(f"import os\n{APPLICATION}".replace('"postgresql+psycopg:', 'os.environ["SHOP_URL"] + "'))
    error = shop.failure(**ask)
    assert error["code"] == "invalid_project"
    assert "the environment variable SHOP_URL is not set (app.py:17)" in error["message"]
    assert 'the setting "environment" in cdk-alembic.json' in error["next"]
    assert "Traceback" not in shop.printed


def test_the_name_of_an_application_is_relative_to_the_folder_where_flask_is_called(shop: Observed) -> None:
    package = shop.root / "shop_package"
    package.mkdir()
    for folder in (package, package / "model"):
        folder.mkdir(exist_ok=True)
        (folder / "__init__.py").touch()
    shop.directory.rename(package / "model" / "backend")
    (package / "application.py").write_text(APPLICATION)
    # Beside migrations/, and so not to be searched: in a package.
    (package / "model" / "flask_sqlalchemy.py").write_text("raise RuntimeError('this is not the library')\n")
    (package / "model" / "wsgi.py").write_text("from shop_package.nowhere import something\n")
    shop.project = "shop_package/model/backend"
    shop.environment = {"FLASK_APP": "shop_package.application:create_app()"}
    facts = shop.observe("aa", "bb")
    assert facts["environment"]["keeps"] is True
    shop.environment = {}
    error = shop.failure(ask="invoke", request={"command": "plan"})
    assert error["message"].endswith("ImportError was raised: ModuleNotFoundError: No module named 'shop_package.nowhere'"), error


def test_the_next_step_names_the_command_of_flask_migrate(shop: Observed) -> None:
    (shop.root / "app.py").write_text(APPLICATION)
    shop.revision("cc", "aa")
    assert shop.ask({"ask": "graph"})[0]["graph"]["command"] == "flask db"
    error = shop.failure(ask="create", message="Add carts", empty=False)
    assert error["next"].startswith('merge them with `flask db merge -m "Merge heads" bb cc`')


def test_a_database_with_the_tables_is_stamped_with_the_command_of_flask_migrate(shop: Observed) -> None:
    (shop.root / "app.py").write_text(APPLICATION)
    reports = shop.ask({"ask": "place", "entries": {}})
    assert reports[0]["placed"]["command"] == "flask db"
    shop.database.execute("CREATE TABLE aa (id int)")
    assert "`flask db stamp <revision>`" in shop.failure(ask="invoke", request={"command": "upgrade"})["next"]


def test_without_the_application_a_missing_revision_may_be_in_a_folder_that_it_adds(shop: Observed) -> None:
    shop.revision("cc", "of_a_package", "pass", "pass")
    assert shop.ask({"ask": "graph"})[0]["graph"]["mayLoadElsewhere"] is True
    (shop.root / "app.py").write_text(APPLICATION)
    assert "mayLoadElsewhere" not in shop.ask({"ask": "graph"})[0]["graph"]
