"""What is read from a revision's file, without running it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cdk_alembic.protocol.errors import RunnerError
from cdk_alembic_local.per_request import forget
from cdk_alembic_local.source.source import source_facts
from cdk_alembic_local.upgrade_sql.read import read_upgrade

HEAD = '''"""Add email to users

Revision ID: aa
"""
import sqlalchemy as sa
from alembic import op

raise SystemExit("this file must not be run")

'''


def facts(folder: Path, text: str) -> dict[str, Any]:
    path = folder / "alembic" / "versions" / "aa.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEAD + text)
    return source_facts(path, folder)


def upgrade(folder: Path, body: str, module: str = "") -> dict[str, Any]:
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return facts(folder, f"{module}\n\ndef upgrade() -> None:\n{lines}\n")["upgrade"]


def calls(folder: Path, body: str, module: str = "") -> list[tuple[str, list[Any], dict[str, Any]]]:
    return [(call["name"], call["args"], call["keywords"]) for call in upgrade(folder, body, module)["calls"]]


def test_the_first_line_of_the_docstring_is_the_description(tmp_path: Path) -> None:
    assert facts(tmp_path, "")["description"] == "Add email to users"


def test_operations_of_an_op_that_env_py_passes_are_found(tmp_path: Path) -> None:
    found = facts(tmp_path, "def upgrade(op, tables):\n    op.create_index('ix', 'users', ['email'])\n    tables.fill()\n")
    assert [step["call"]["name"] for step in found["upgrade"]["steps"]] == ["op.create_index"]


def test_a_file_without_upgrade_or_downgrade_has_none(tmp_path: Path) -> None:
    found = facts(tmp_path, "def upgrade():\n    pass\n")
    assert found["upgrade"]["line"] == HEAD.count("\n") + 1
    assert found["downgrade"] is None


@pytest.mark.parametrize(
    ("source", "where"),
    [
        (b"def upgrade(:\n    pass\n", "invalid syntax (aa.py:1)"),
        (b"x = 1\nprint 'x'\n", "aa.py:2"),
        (b"\0", "null bytes (aa.py)"),
    ],
)
def test_a_file_that_is_not_python_is_reported_with_its_line(tmp_path: Path, source: bytes, where: str) -> None:
    (tmp_path / "aa.py").write_bytes(source)
    with pytest.raises(RunnerError) as raised:
        source_facts(tmp_path / "aa.py", tmp_path)
    assert raised.value.code == "invalid_project"
    assert where in raised.value.message


@pytest.mark.parametrize(
    ("body", "empty", "raises"),
    [
        ("pass", True, False),
        ('"""Nothing."""', True, False),
        ("...", True, False),
        ("return", True, False),
        ("return None", True, False),
        ('"""Nothing."""\npass\nreturn', True, False),
        ("op.execute('SELECT 1')", False, False),
        ('raise NotImplementedError("one way")', False, True),
        ('"""No way back."""\nraise RuntimeError', False, True),
        ('op.drop_table("x")\nraise RuntimeError', False, False),
        ("if sa:\n    raise RuntimeError", False, False),
    ],
)
def test_a_function_that_does_nothing_or_only_raises_is_recognized(tmp_path: Path, body: str, empty: bool, raises: bool) -> None:
    found = upgrade(tmp_path, body)
    assert (found["empty"], found["raises"]) == (empty, raises)


@pytest.mark.parametrize(
    ("call", "args", "keywords"),
    [
        ('op.drop_column("users", "email")', ["users", "email"], {}),
        ("op.f(-1, 2.5, True, None)", [-1, 2.5, True, None], {}),
        ('op.x("a" "b", "a" + "b", f"a{TABLE}")', ["ab", "ab", "ausers"], {}),
        ('op.x(["a", ("b", sa)], c=[TABLE])', [["a", ["b", {"code": "sa"}]]], {"c": ["users"]}),
        ("op.x(TABLE, COLUMNS, UNKNOWN, TWICE)", ["users", ["a", "b"], {"code": "UNKNOWN"}, {"code": "TWICE"}], {}),
        ('op.x(op.f("ix_users_email"))', ["ix_users_email"], {}),
        ('op.x({"code": 1}, f"{UNKNOWN}")', [{"code": "{'code': 1}"}, {"code": "f'{UNKNOWN}'"}], {}),
        ("op.x(*COLUMNS, **TABLE)", [{"code": "*COLUMNS"}], {"**": "users"}),
        ('op.x(b"a", 1e999, lambda: 1)', [{"code": "b'a'"}, {"code": "1e309"}, {"code": "lambda: 1"}], {}),
    ],
)
def test_arguments_are_given_as_json_or_as_code(tmp_path: Path, call: str, args: list[Any], keywords: dict[str, Any]) -> None:
    module = 'TABLE = "users"\nCOLUMNS: tuple[str, ...] = ("a", "b")\nUNKNOWN = make()\nTWICE = 1\nTWICE = 2\n'
    assert calls(tmp_path, call, module)[0][1:] == (args, keywords)


def test_a_variable_with_several_values_is_not_read_as_one_of_them(tmp_path: Path) -> None:
    body = 'table = "a"\nfor table in ("b", "c"):\n    op.drop_table(table)'
    assert calls(tmp_path, body) == [("op.drop_table", [{"code": "table"}], {})]


def test_calls_are_reported_with_their_name_as_written_and_nested_calls(tmp_path: Path) -> None:
    body = 'op.get_bind().execute(sa.text("SELECT 1"))\nrequests.get(os.environ["HOST"])'
    assert [name for name, _, _ in calls(tmp_path, body)] == [
        "op.get_bind().execute",
        "op.get_bind",
        "sa.text",
        "requests.get",
        "os.environ",
    ]


def test_a_name_is_resolved_to_the_module_that_it_was_imported_from(tmp_path: Path) -> None:
    module = "import requests as http\nfrom httpx import AsyncClient as Client, get\nfrom os import environ\n"
    module += "from flask import current_app\n"
    found = calls(tmp_path, "http.post(1)\nget(2)\nClient()\nenviron['A']\ncurrent_app.config['A']\nop.f('a')", module)
    assert [name for name, _, _ in found] == [
        "requests.post",
        "httpx.get",
        "httpx.AsyncClient",
        "os.environ",
        "flask.current_app.config",
        "op.f",
    ]


@pytest.mark.parametrize(
    ("line", "value", "name"),
    [
        ("from app.core.config import settings", "settings.admin.name", "app.core.config.settings"),
        ("from app.config import get_app_settings as read", "read().admin", "app.config.get_app_settings"),
        ("from app import config", "config.settings.ADMIN", "app.config.settings"),
        ("from app.main import app", "app.config['ADMIN']", "app.main.app.config"),
        ("import app.config", "app.config.ADMIN", "app.config"),
        ("from app.settings import ADMIN", "ADMIN", "app.settings.ADMIN"),
        ("from flask import current_app", "current_app.config.get('ADMIN')", "flask.current_app.config"),
    ],
)
def test_a_use_of_settings_of_the_backend_is_marked_even_in_a_helper(tmp_path: Path, line: str, value: str, name: str) -> None:
    module = f"{line}\n\ndef admin():\n    return {value}\n"
    found = [call["name"] for call in upgrade(tmp_path, "op.execute(admin())", module)["calls"] if call.get("isSettings")]
    assert found == [name]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("from app.models.config import Config", "Config.id"),
        ("from app.constants import ADMIN", "ADMIN"),
        ("from logging import config", "config.fileConfig('a')"),
        ("from alembic import context", "context.config.get_main_option('a')"),
        ("config = {}", "config.get('a')"),
    ],
)
def test_code_that_only_looks_like_settings_is_not_marked(tmp_path: Path, line: str, value: str) -> None:
    assert not any("isSettings" in call for call in upgrade(tmp_path, f"f({value})", line)["calls"])


def test_a_change_of_rows_in_a_loop_is_reported_as_a_call(tmp_path: Path) -> None:
    loop = (
        "for user, other in session.query(User, Group):\n    user.name = 1\n    other.groups.append(2)\n    found.names.append(3)"
    )
    body = f"other.name = 1\n{loop}"
    assert [call for call in calls(tmp_path, body) if call[0] == "setattr"] == [
        ("setattr", [{"code": "user"}, "name"], {}),
        ("setattr", [{"code": "other"}, "groups"], {}),
    ]


def test_calls_that_are_whole_statements_are_marked(tmp_path: Path) -> None:
    assert [(call["name"], call.get("isAlone")) for call in upgrade(tmp_path, "x = a(b())\nc(d())")["calls"]] == [
        ("a", None),
        ("b", None),
        ("c", True),
        ("d", None),
    ]


def test_imports_that_are_not_installed_are_marked(tmp_path: Path) -> None:
    (tmp_path / "shop.py").touch()
    found = facts(tmp_path, "import sys, shop, sqlalchemy, not_installed.helpers\nfrom not_there import a\n")["imports"]
    assert [one["module"] for one in found if one.get("isMissing")] == ["not_installed.helpers", "not_there"]


def test_calls_that_a_run_may_skip_are_marked(tmp_path: Path) -> None:
    found = upgrade(tmp_path, "if x:\n    a()\nb()\ntry:\n    c()\nfinally:\n    pass")["calls"]
    assert [(call["name"], call["inBranch"]) for call in found] == [("a", True), ("b", False), ("c", True)]


def test_calls_that_depend_on_the_environment_are_marked(tmp_path: Path) -> None:
    found = upgrade(tmp_path, "if os.environ.get('A'):\n    a()\n    if x:\n        b()\nelse:\n    c()\nif x:\n    d()")["calls"]
    assert [call["name"] for call in found if call.get("ifEnvironment")] == ["os.environ.get", "a", "b", "c"]


def test_after_a_return_that_depends_on_the_environment_all_code_does(tmp_path: Path) -> None:
    head = "def stage():\n    return os.getenv('STAGE')\n\n"
    body = "name = stage()\na()\nif name == 'dev':\n    return\nb()\nop.execute('DROP TABLE users')\nif x:\n    c()"
    found = upgrade(tmp_path, body, head)
    assert [call["name"] for call in found["calls"] if call.get("ifEnvironment")] == ["b", "op.execute", "c"]
    assert [text["text"] for text in found["sql"] if text.get("ifEnvironment")] == ["DROP TABLE users"]


def test_helpers_of_the_file_are_read_where_they_are_used(tmp_path: Path) -> None:
    module = (
        "def helper():\n    inner()\n\ndef inner():\n    op.drop_table('b')\n    helper()\n\n"
        "def other():\n    op.drop_table('z')\n\nSTEPS = [op.drop_table('c')]\n"
    )
    found = upgrade(tmp_path, "op.drop_table('a')\nhelper()\nrun(STEPS)\nop.drop_table('d')\nhelper()", module)
    tables = [(call["args"][0], call["line"]) for call in found["calls"] if call["name"] == "op.drop_table"]
    assert [table for table, _ in tables] == ["a", "b", "c", "d"]
    assert (HEAD + module).splitlines()[tables[1][1] - 1] == "    op.drop_table('b')"


def test_calls_in_an_autocommit_block_are_marked_even_through_helpers(tmp_path: Path) -> None:
    module = (
        "from contextlib import contextmanager\n"
        "def index(name):\n    op.create_index(name, 'users', ['a'])\n"
        "@contextmanager\ndef outside():\n    with op.get_context().autocommit_block():\n        yield\n"
    )
    body = (
        "op.drop_index('a')\nindex('x')\nwith op.get_context().autocommit_block():\n    op.drop_index('b')\n    index('y')\n"
        "with outside():\n    op.drop_index('c')\nop.drop_index('d')"
    )
    found = [call for call in upgrade(tmp_path, body, module)["calls"] if call["name"].endswith("_index")]
    assert [(call["name"], call["inAutocommitBlock"]) for call in found] == [
        ("op.drop_index", False),
        ("op.create_index", False),
        ("op.drop_index", True),
        ("op.create_index", True),
        ("op.drop_index", True),
        ("op.drop_index", False),
    ]


@pytest.mark.parametrize(
    "body",
    [
        "run('CREATE INDEX CONCURRENTLY a ON users (a)')",
        "run(statement='CREATE INDEX CONCURRENTLY a ON users (a)')",
        "outer('CREATE INDEX CONCURRENTLY a ON users (a)')",
        "run(CONSTANT)",
        "sql = 'CREATE INDEX CONCURRENTLY a ON users (a)'\nwith op.get_context().autocommit_block():\n    op.execute(sql)",
        "for name, sql in [('a', 'CREATE INDEX CONCURRENTLY a ON users (a)')]:\n    text = sql.strip()\n    run(text)",
    ],
)
def test_strings_that_run_in_an_autocommit_block_are_marked(tmp_path: Path, body: str) -> None:
    module = (
        "CONSTANT = 'CREATE INDEX CONCURRENTLY a ON users (a)'\n"
        "def run(statement):\n    connection = op.get_bind()\n    context = op.get_context()\n"
        "    with context.autocommit_block():\n        connection.execute(sa.text(statement))\n"
        "def outer(statement):\n    run(statement)\n"
        "def inside(statement):\n    op.execute(statement)\n"
    )
    facts = upgrade(tmp_path, f"inside('CREATE INDEX b ON users (b)')\n{body}", module)
    assert [(text["text"], text["inAutocommitBlock"]) for text in facts["sql"]] == [
        ("CREATE INDEX b ON users (b)", False),
        ("CREATE INDEX CONCURRENTLY a ON users (a)", True),
    ]


@pytest.mark.parametrize(
    ("body", "in_loop"),
    [
        ("f()", False),
        ("for x in f(): pass", False),
        ("for x in y: f()", True),
        ("for x in y: pass\nelse: f()", False),
        ("while f(): pass", True),
        ("[x for x in f()]", False),
        ("[f() for x in y]", True),
        ("[x for x in y if f()]", True),
        ("for x in y: helper()", True),
        ("for x in y:\n    with x: f()", True),
    ],
)
def test_calls_in_a_loop_are_marked(tmp_path: Path, body: str, in_loop: bool) -> None:
    found = upgrade(tmp_path, body, "def helper():\n    f()\n")["calls"]
    assert [call["inLoop"] for call in found if call["name"] == "f"] == [in_loop]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('add_column(sa.Column("a"))', 'add_column("users", sa.Column("a"))'),
        ('alter_column("a", nullable=False)', 'alter_column("users", "a", nullable=False)'),
        ('drop_column("a")', 'drop_column("users", "a")'),
        ('drop_column(column_name="a")', 'drop_column("users", column_name="a")'),
        ('create_index(batch_op.f("ix"), ["a"])', 'create_index("ix", "users", ["a"])'),
        ('create_index(index_name="ix", columns=["a"])', 'create_index(index_name="ix", columns=["a"], table_name="users")'),
        ('create_unique_constraint("uq", ["a"])', 'create_unique_constraint("uq", "users", ["a"])'),
        ('create_check_constraint("ck", "a > 0")', 'create_check_constraint("ck", "users", "a > 0")'),
        ('create_foreign_key("fk", "teams", ["a"], ["id"])', 'create_foreign_key("fk", "users", "teams", ["a"], ["id"])'),
        ('create_primary_key("pk", ["a"])', 'create_primary_key("pk", "users", ["a"])'),
        ('drop_constraint("fk", type_="foreignkey")', 'drop_constraint("fk", "users", type_="foreignkey")'),
        ("drop_constraint(None)", 'drop_constraint(None, "users")'),
        ('drop_index("ix")', 'drop_index("ix", "users")'),
        ('create_table_comment("text")', 'create_table_comment("users", "text")'),
        ('execute("SELECT 1")', 'execute("SELECT 1")'),
    ],
)
def test_operations_in_a_batch_are_reported_as_ordinary_ones(tmp_path: Path, written: str, meant: str) -> None:
    ordinary = calls(tmp_path, f"op.{meant}")
    for opened in ('op.batch_alter_table("users")', 'op.batch_alter_table(table_name=TABLE, recreate="never")'):
        batch = calls(tmp_path, f"with {opened} as batch_op:\n    batch_op.{written}", 'TABLE = "users"\n')
        assert batch[0][0] == "op.batch_alter_table"
        assert batch[1] == ordinary[0]


def test_operations_in_a_batch_have_its_schema(tmp_path: Path) -> None:
    body = (
        'with op.batch_alter_table("users", schema="s") as b:\n'
        '    b.drop_column("a")\n'
        '    b.create_foreign_key("fk", "t", ["a"], ["b"])'
    )
    assert calls(tmp_path, body)[1:] == [
        ("op.drop_column", ["users", "a"], {"schema": "s"}),
        ("op.create_foreign_key", ["fk", "users", "t", ["a"], ["b"]], {"source_schema": "s"}),
    ]


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        ("return", []),
        ("work()\nreturn", []),
        ("if x:\n    return\nwork()", [2]),
        ("if x:\n    return", []),
        ("if x:\n    work()\nelse:\n    return", []),
        ("for x in y:\n    return", [2]),
        ("for x in y:\n    if x:\n        return\nwork()", [3]),
        ("with x:\n    if x:\n        return\n    work()", [3]),
        ("try:\n    work()\nexcept Error:\n    return\nwork()", [4]),
        ("try:\n    work()\nexcept Error:\n    return", []),
        ("def inner():\n    return 1\nlater = [lambda: 1]\nwork()", []),
    ],
)
def test_an_early_return_is_reported(tmp_path: Path, body: str, lines: list[int]) -> None:
    found = upgrade(tmp_path, body)
    assert [line - found["line"] for line in found["earlyReturns"]] == lines


@pytest.mark.parametrize(
    ("body", "sql"),
    [
        ('op.execute("COMMIT")', ["COMMIT"]),
        ('op.execute(sa.text("analyze"))', ["analyze"]),
        ('op.execute(sqltext="VACUUM")', ["VACUUM"]),
        ('op.execute(sa.text("UPDATE users SET a = :a").bindparams(a="SELECT x"))', ["UPDATE users SET a = :a"]),
        ("op.get_bind().exec_driver_sql(f'DROP TABLE {TABLE}')", ["DROP TABLE users"]),
        ('op.execute(f"DROP TABLE {other()}")', ["DROP TABLE _"]),
        ('op.execute("DROP TABLE " + TABLE)', ["DROP TABLE users"]),
        ('op.execute("DROP TABLE %s" % TABLE)', ["DROP TABLE %s"]),
        ('op.execute(textwrap.dedent("""\n    DROP TABLE users\n    """))', ["\n        DROP TABLE users\n        "]),
        ("op.execute(SQL)", ["/* gone */ DROP TABLE old"]),
        ('for statement in ["CREATE INDEX a ON b (c)", "UPDATE b\\nSET c = 1"]:\n    run(statement)', None),
        ('sa.Column("a", comment="Update it when you set it off", server_default=sa.text("now()"))', []),
        ('op.create_foreign_key("a", "b", "c", [], [], ondelete="SET NULL", onupdate="SET DEFAULT")', []),
        ('op.create_index("a", "b", [], postgresql_where=sa.text("deleted_at IS NULL"))', []),
        ('sa.Enum("create", "update", "select", "delete from", name="actions")', []),
        ('op.execute(users.update().values(name="SELECT me"))', []),
        ('"""DROP TABLE users"""', []),
        ("later = SELECT", []),
    ],
)
def test_sql_in_strings_is_found(tmp_path: Path, body: str, sql: list[str] | None) -> None:
    found = upgrade(tmp_path, body, 'TABLE = "users"\nSQL = "/* gone */ DROP TABLE old"\nUNUSED = "DROP TABLE z"\n')["sql"]
    expected = ["CREATE INDEX a ON b (c)", "UPDATE b\nSET c = 1"] if sql is None else sql
    assert [item["text"] for item in found] == expected


@pytest.mark.parametrize("around", ["textwrap.dedent({})", "inspect.cleandoc({})", "({}).strip()", "({}).replace('gone', 'old')"])
def test_a_string_of_several_lines_keeps_them(tmp_path: Path, around: str) -> None:
    text = '"""\n    TRUNCATE a;\n    DROP TABLE gone;\n    """'
    found = facts(tmp_path, f"import textwrap, inspect\n\ndef upgrade():\n    op.execute({around.format(text)})\n")
    [step] = found["steps"]
    line = step["line"] + step["sql"][: step["sql"].index("DROP")].count("\n")
    assert (step["spread"], line) == (True, HEAD.count("\n") + 6)


def test_sql_has_the_line_where_it_starts(tmp_path: Path) -> None:
    [found] = upgrade(tmp_path, "op.execute(SQL)", 'SQL = """\nDROP TABLE old\n"""\n')["sql"]
    assert found["line"] == HEAD.count("\n") + 1


@pytest.mark.parametrize(
    ("statement", "module", "own"),
    [
        ("import app.models", "app.models", True),
        ("from app import models", "app", True),
        ("from app.models import User", "app.models", True),
        ("import settings", "settings", True),
        ("import library", "library", True),
        ("from space.deep import x", "space.deep", True),
        ("from space import deep", "space", True),
        ("from . import x", ".", True),
        ("from alembic import op", "alembic", False),
        ("import alembic.versions.aa", "alembic.versions.aa", False),
        ("import sqlalchemy as sa", "sqlalchemy", False),
        ("import logging", "logging", False),
        ("from secrets import token_hex", "secrets", False),
        ("from around.models import x", "around.models", False),
    ],
)
def test_imports_of_the_project_are_distinguished_from_others(tmp_path: Path, statement: str, module: str, own: bool) -> None:
    for name in ("app/__init__.py", "settings.py", "src/library/__init__.py", "space/deep.py", "logging/x.py", "secrets/x.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = facts(tmp_path, f"def upgrade():\n    {statement}\n")["imports"]
    assert [found[-1][key] for key in ("module", "line", "ownProject")] == [module, HEAD.count("\n") + 2, own]


def test_a_project_inside_of_a_package_owns_that_package(tmp_path: Path) -> None:
    project = tmp_path / "around" / "db"
    project.mkdir(parents=True)
    (tmp_path / "around" / "__init__.py").touch()
    (project / "__init__.py").touch()
    assert facts(project, "from around.models import x")["imports"][-1]["ownProject"]


def test_acknowledgements_have_rule_reason_and_line(tmp_path: Path) -> None:
    text = (
        "x = '# cdk-alembic: allow a: no'\ny = 1  # cdk-alembic: allow drop-table: moved, see #12\n# cdk-alembic: allow rename:\n"
    )
    line = HEAD.count("\n") + 2
    assert facts(tmp_path, text)["acknowledgements"] == [{"rule": "drop-table", "reason": "moved, see #12", "line": line}]


def test_the_upgrade_is_reported_as_sql(tmp_path: Path) -> None:
    found = facts(tmp_path, "def upgrade():\n    op.drop_table('users')\n\ndef downgrade():\n    op.drop_table('teams')\n")
    assert found["steps"] == [{"sql": 'DROP TABLE "users"', "line": HEAD.count("\n") + 2, "spread": False}]


@pytest.mark.parametrize(
    ("test", "runs"),
    [
        ('bind.dialect.name == "postgresql"', ["one"]),
        ('op.get_context().dialect.name != "postgresql"', ["other"]),
        ('dialect in ("sqlite", "mysql")', ["other"]),
        ('not dialect_name == "postgresql"', ["other"]),
        ('dialect.name not in ["sqlite"]', ["one"]),
        ('bind.dialect.driver == "psycopg2"', ["one", "other"]),
        ("dialect.name == name", ["one", "other"]),
        ("dialect.server_version_info >= (15,)", ["one", "other"]),
    ],
)
def test_a_branch_for_another_database_is_not_read(tmp_path: Path, test: str, runs: list[str]) -> None:
    body = f'if {test}:\n    op.drop_table("one")\nelse:\n    op.drop_table("other")'
    assert [args[0] for name, args, _ in calls(tmp_path, body) if name == "op.drop_table"] == runs


def test_a_revision_that_is_added_before_the_next_request_is_found(tmp_path: Path) -> None:
    def write(revision: str, down_revision: str, body: str) -> Path:
        file = tmp_path / f"{revision}.py"
        head = f'from alembic import op\n\nrevision = "{revision}"\ndown_revision = "{down_revision}"\n'
        file.write_text(f"{head}\n\ndef upgrade():\n    op.execute({body!r})\n", encoding="utf-8")
        forget()
        return file

    def earlier(file: Path) -> list[str]:
        return [step["sql"] for step in read_upgrade(file, tmp_path, [tmp_path]) if step.get("isEarlier")]

    assert earlier(write("bb", "aa", "UPDATE users SET name = ''")) == []
    write("cc", "bb", "ALTER TABLE users ADD COLUMN plan text")
    assert earlier(write("dd", "cc", "UPDATE users SET plan = ''")) == ["ALTER TABLE users ADD COLUMN plan text"]
    write("cc", "bb", "ALTER TABLE users ADD COLUMN role text")
    assert earlier(tmp_path / "dd.py") == ["ALTER TABLE users ADD COLUMN role text"]


def test_functions_that_are_found_through_globals_are_read_for_each_engine(tmp_path: Path) -> None:
    found = facts(
        tmp_path,
        "def upgrade(engine_name):\n    globals()[f'upgrade_{engine_name}']()\n\n"
        "def downgrade(engine_name):\n    pass\n\n"
        "def upgrade_users():\n    op.drop_table('users')\n\n"
        "def downgrade_users():\n    op.drop_table('plans')\n",
    )
    assert [call["args"] for call in found["upgrade"]["calls"] if call["name"] == "op.drop_table"] == [["users"]]
    assert not [call for call in found["downgrade"]["calls"] if call["name"] == "op.drop_table"]


def test_functions_that_are_found_through_globals_with_a_default_are_read_for_each_engine(tmp_path: Path) -> None:
    found = facts(
        tmp_path,
        "def upgrade(engine_name=''):\n    globals().get(f'upgrade_{engine_name}', lambda: None)()\n\n"
        "def downgrade(engine_name=''):\n    globals().get('downgrade_everything', lambda: op.drop_table('rest'))()\n\n"
        "def upgrade_():\n    op.drop_table('users')\n\n"
        "def upgrade_plans():\n    op.drop_table('plans')\n",
    )
    dropped = {name: [step["call"]["args"] for step in found[name]["steps"]] for name in ("upgrade", "downgrade")}
    assert dropped == {"upgrade": [["users"], ["plans"]], "downgrade": [["rest"]]}


def test_a_dataclass_has_its_bases_fields_its_defaults_and_its_post_init(tmp_path: Path) -> None:
    found = facts(
        tmp_path,
        "from dataclasses import dataclass, field\n\n"
        "@dataclass\nclass Rename:\n    old: str\n    new: str\n    kind: str | None = None\n\n"
        "    def run(self):\n"
        "        if self.kind == 'column':\n            op.alter_column('users', self.old, new_column_name=self.new)\n"
        "        elif self.kind == 'table':\n            op.rename_table(self.old, self.new)\n\n"
        "@dataclass\nclass Table(Rename):\n    columns: list[Rename] | None = None\n"
        "    drops: list[str] = field(default_factory=list)\n\n"
        "    def __post_init__(self):\n        self.kind = 'table'\n"
        "        for column in self.columns or []:\n            column.kind = 'column'\n\n"
        "    def run(self):\n        super().run()\n"
        "        for column in self.drops:\n            op.drop_column(self.new, column)\n"
        "        if self.columns:\n            for column in self.columns:\n                column.run()\n\n"
        "def upgrade():\n"
        "    Table('users', 'accounts', columns=[Rename('name', 'title')]).run()\n"
        "    Table('plans', 'offers').run()\n\n"
        "def downgrade():\n    pass\n",
    )
    calls = [[step["call"]["name"], *step["call"]["args"]] for step in found["upgrade"]["steps"]]
    assert calls == [
        ["op.rename_table", "users", "accounts"],
        ["op.alter_column", "users", "name"],
        ["op.rename_table", "plans", "offers"],
    ]


def test_calls_of_functions_of_the_projects_modules_are_named_at_the_line_of_the_revisions_call(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "rates.py").write_text(
        "import requests\n\ndef fetch():\n    return _get('/rates')\n\ndef _get(path):\n    return requests.get(path)\n"
    )
    found = upgrade(tmp_path, "fetch()", "from app.rates import fetch")
    [call] = [call for call in found["calls"] if call["name"] == "app.rates.fetch"]
    assert {"name": "requests.get", "line": call["line"]} in found["importedCalls"]
