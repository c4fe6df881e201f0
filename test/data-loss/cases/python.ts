import { type Case, defines, destroys, SQL_FILE } from './case';

/** Different styles of Python. */
// biome-ignore format: one case on a line
export const PYTHON: readonly Case[] = [
  defines('upgrade below if and try at once', ['drop-table', 'drop-table'], `try:
    import app.settings as settings
    if settings.LEGACY:
        def upgrade():
            op.drop_table("users")
    else:
        def upgrade():
            op.drop_table("users")
except ImportError:
    def upgrade():
        pass`),
  defines('upgrade as a lambda', 'drop-table', 'upgrade = lambda: op.drop_table("users")'),
  defines('upgrade as a partial', 'drop-table', 'import functools\ndef _run(table):\n    op.drop_table(table)\nupgrade = functools.partial(_run, "users")'),
  defines('upgrade with a decorator of its own', 'drop-table', `import functools

def only_postgresql(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        if op.get_bind().dialect.name != "postgresql":
            return None
        return function(*args, **kwargs)
    return wrapper

@only_postgresql
def upgrade():
    op.drop_table("users")`),
  defines('upgrade with a decorator that takes arguments', 'truncate', `def on(*names):
    def decorate(function):
        def wrapper():
            if op.get_bind().dialect.name in names:
                function()
        return wrapper
    return decorate

@on("postgresql", "mysql")
def upgrade():
    op.execute("TRUNCATE users")`),
  defines('upgrade with a decorator of a library', 'drop-column', 'from contextlib import contextmanager\nimport retrying\n\n@retrying.retry(stop_max_attempt_number=3)\ndef upgrade():\n    op.drop_column("users", "email")'),
  defines('upgrade as a method of an object', 'drop-table', `class Migration:
    table = "users"

    def forward(self):
        self._gone()

    def _gone(self):
        op.drop_table(self.table)

upgrade = Migration().forward`),
  destroys('upgrade as a class method that a base calls', 'drop-table', 'Drop.run()', {
    head: `class Base:
    @classmethod
    def run(cls):
        for name in cls.tables:
            op.drop_table(name)

class Drop(Base):
    tables = ["users"]`,
  }),
  defines('upgrade imported from another module', 'drop-table', 'from app.migrations.aa import upgrade, downgrade', {
      'app/__init__.py': '',
      'app/migrations/__init__.py': '',
      'app/migrations/aa.py': 'from alembic import op\n\ndef upgrade():\n    op.drop_table("users")\n\ndef downgrade():\n    pass\n',
    }),
  defines('upgrade of a module that is imported with a star', 'drop-table', 'from app.migration_aa import *', { 'app/__init__.py': '', 'app/migration_aa.py': 'from alembic import op\n\ndef upgrade():\n    op.drop_table("users")\n' }),
  destroys('op that is given on', 'drop-table', 'run(op)', {
    head: 'def run(operations):\n    operations.drop_table("users")',
  }),
  destroys('op in a dictionary of functions', 'drop-table', 'ACTIONS["drop"]("users")', {
    head: 'ACTIONS = {"drop": op.drop_table, "make": op.create_table}',
  }),
  destroys('op in a list of pairs', 'drop-column', 'for action, args in STEPS:\n    action(*args)', {
    head: 'STEPS = [(op.drop_column, ("users", "email")), (op.execute, ("SELECT 1",))]',
  }),
  destroys('op.execute under another name', 'truncate', 'run("TRUNCATE users")', { head: 'run = op.execute' }),
  destroys('alembic.op under a name of its own', 'drop-table', 'operations.drop_table("users")', {
    head: 'import alembic.op as operations',
  }),
  destroys('Operations of a context', 'drop-table', 'ops = Operations(MigrationContext.configure(op.get_bind()))\nops.drop_table("users")', {
    head: 'from alembic.operations import Operations\nfrom alembic.migration import MigrationContext',
  }),
  destroys('an attribute that is read by a name that is put together', 'drop-table', 'verb = "drop"\ngetattr(op, f"{verb}_table")("users")'),
  destroys('getattr in a loop', 'drop-table', 'for kind in ("drop_table",):\n    getattr(op, kind)("users")'),
  destroys('operator.methodcaller', 'drop-table', 'operator.methodcaller("drop_table", "users")(op)', { head: 'import operator' }),
  destroys('operator.attrgetter', 'drop-table', 'attrgetter("drop_table")(op)("users")', { head: 'from operator import attrgetter' }),
  destroys('__getattribute__', 'drop-table', 'op.__getattribute__("drop_table")("users")'),
  destroys('the dictionary of a module', 'drop-table', 'vars(op)["drop_table"]("users")'),
  destroys('the dictionary of op', 'drop-table', 'op.__dict__["drop_table"]("users")'),
  destroys('partial with a keyword', 'drop-table', 'partial(op.drop_table, table_name="users")()', { head: 'from functools import partial' }),
  destroys('partial of partial', 'drop-column', 'partial(partial(op.drop_column, "users"), "email")()', { head: 'import functools\npartial = functools.partial' }),
  destroys('partial over getattr', 'drop-table', 'functools.partial(getattr(op, "drop_table"))("users")', { head: 'import functools' }),
  destroys('map over op', 'drop-table', 'list(map(op.drop_table, ["users"]))'),
  destroys('map with a function of two', 'drop-column', 'list(map(op.drop_column, ["users"], ["email"]))'),
  destroys('starmap', 'drop-column', 'list(itertools.starmap(op.drop_column, [("users", "email")]))', { head: 'import itertools' }),
  destroys('product', ['drop-column', 'drop-column'], 'for table, column in product(["users"], ["a", "b"]):\n    op.drop_column(table, column)', {
    head: 'from itertools import product',
  }),
  destroys('a deque of calls', 'drop-table', 'collections.deque(map(op.drop_table, TABLES), maxlen=0)', {
    head: 'import collections\nTABLES = ["users"]',
  }),
  destroys('apply with stars', 'drop-column', 'args = ["users", "email"]\nkwargs = {"schema": "app"}\nop.drop_column(*args, **kwargs)'),
  destroys('keywords in a dictionary', 'drop-column', 'op.drop_column(**{"table_name": "users", "column_name": "email"})'),
  destroys('a loop with else', 'drop-table', 'for name in []:\n    pass\nelse:\n    op.drop_table("users")'),
  destroys('a loop over a dictionary', ['drop-column', 'drop-column'], 'for table, columns in GONE.items():\n    for column in columns:\n        op.drop_column(table, column)', {
    head: 'GONE = {"users": ["email", "phone"]}',
  }),
  destroys('a loop over a set', 'drop-table', 'for name in {"users"}:\n    op.drop_table(name)'),
  destroys('a loop over sorted names', ['drop-table', 'drop-table'], 'for name in sorted({"users", "teams"}, reverse=True):\n    op.drop_table(name)'),
  destroys('a loop over the members of an enum', ['drop-table', 'drop-table'], 'for name in Tables:\n    op.drop_table(name.value)', {
    head: 'import enum\n\nclass Tables(str, enum.Enum):\n    USERS = "users"\n    TEAMS = "teams"',
  }),
  destroys('a loop over named tuples', 'drop-column', 'for item in [Gone("users", "email")]:\n    op.drop_column(item.table, item.column)', {
    head: 'from typing import NamedTuple\n\nclass Gone(NamedTuple):\n    table: str\n    column: str',
  }),
  destroys('a loop over a namedtuple', 'drop-column', 'for item in [Gone("users", "email")]:\n    op.drop_column(item.table, item.column)', {
    head: 'from collections import namedtuple\nGone = namedtuple("Gone", "table column")',
  }),
  destroys('a loop over data classes', 'drop-column', 'for item in [Gone("users", column="email")]:\n    op.drop_column(item.table, item.column)', {
    head: 'from dataclasses import dataclass\n\n@dataclass(frozen=True)\nclass Gone:\n    table: str\n    column: str = "x"',
  }),
  destroys('while with pop', 'drop-table', 'names = ["users"]\nwhile names:\n    op.drop_table(names.pop())'),
  destroys('while with a walrus', 'delete-all', 'while (rows := op.get_bind().execute(sa.text("DELETE FROM users WHERE ctid IN (SELECT ctid FROM users LIMIT 10) RETURNING 1")).fetchall()):\n    print(len(rows))'),
  destroys('while True until nothing is left', 'delete-all', 'while True:\n    result = op.get_bind().execute(sa.text("DELETE FROM users WHERE id IN (SELECT id FROM users ORDER BY id LIMIT :n)"), {"n": 500})\n    if result.rowcount == 0:\n        break'),
  destroys('a conditional expression', 'drop-table', 'op.execute("DROP TABLE users" if os.environ.get("X") else "SELECT 1")', { head: 'import os' }),
  destroys('and', 'drop-table', 'exists("users") and op.drop_table("users")', { head: 'def exists(name):\n    return sa.inspect(op.get_bind()).has_table(name)' }),
  destroys('or', 'drop-table', 'exists("users") or op.drop_table("users")', { head: 'def exists(name):\n    return sa.inspect(op.get_bind()).has_table(name)' }),
  destroys('match', 'drop-table', 'match op.get_context().opts.get("mode"):\n    case "full":\n        op.drop_table("users")\n    case _:\n        pass'),
  destroys('after an early return below if', 'drop-table', 'if not sa.inspect(op.get_bind()).has_table("users"):\n    return\nop.drop_table("users")'),
  destroys('after a return in offline mode', 'drop-table', 'if context.is_offline_mode():\n    return\nop.drop_table("users")', { head: 'from alembic import context' }),
  destroys('a branch for PostgreSQL', 'drop-table', 'dialect = op.get_bind().dialect.name\nif dialect == "postgresql":\n    op.drop_table("users")\nelif dialect == "sqlite":\n    pass'),
  destroys('a branch for not SQLite', 'drop-table', 'if op.get_context().dialect.name != "sqlite":\n    op.drop_table("users")'),
  destroys('a context manager of its own', 'drop-table', 'with quiet() as o:\n    o.drop_table("users")', {
    head: 'from contextlib import contextmanager\n\n@contextmanager\ndef quiet():\n    op.execute("SET LOCAL statement_timeout = 0")\n    yield op\n    op.execute("RESET statement_timeout")',
  }),
  destroys('a context manager that does it at its end', 'truncate', 'with emptied("users"):\n    pass', {
    head: 'from contextlib import contextmanager\n\n@contextmanager\ndef emptied(name):\n    yield\n    op.execute(f"TRUNCATE {name}")',
  }),
  destroys('a context manager as a class', 'drop-table', 'with Gone("users"):\n    pass', {
    head: 'class Gone:\n    def __init__(self, name):\n        self.name = name\n\n    def __enter__(self):\n        return self\n\n    def __exit__(self, *_):\n        op.drop_table(self.name)',
  }),
  destroys('an autocommit block', 'drop-table', 'with op.get_context().autocommit_block():\n    op.execute("DROP TABLE users")'),
  destroys('begin on a bind', 'truncate', 'with op.get_bind().begin() as transaction:\n    op.get_bind().execute(sa.text("TRUNCATE users"))'),
  destroys('a savepoint', 'drop-table', 'connection = op.get_bind()\nwith connection.begin_nested():\n    connection.exec_driver_sql("DROP TABLE users")'),
  destroys('a nested function', 'drop-table', 'def inner():\n    def deeper(name):\n        op.drop_table(name)\n    deeper("users")\ninner()'),
  destroys('recursion', ['drop-table', 'drop-table'], 'gone(["users", "teams"])', {
    head: 'def gone(names):\n    if not names:\n        return\n    op.drop_table(names[0])\n    gone(names[1:])',
  }),
  destroys('a closure', 'drop-table', 'drop = dropper("users")\ndrop()', { head: 'def dropper(name):\n    def run():\n        op.drop_table(name)\n    return run' }),
  destroys('a global that is set', 'drop-table', 'setup()\nop.execute(SQL)', { head: 'SQL = "SELECT 1"\n\ndef setup():\n    global SQL\n    SQL = "DROP TABLE users"' }),
  destroys('a property', 'drop-table', 'op.execute(Names().sql)', { head: 'class Names:\n    @property\n    def sql(self):\n        return "DROP TABLE " + self.table\n\n    table = "users"' }),
  destroys('a static method', 'drop-table', 'Sql.gone("users")', { head: 'class Sql:\n    @staticmethod\n    def gone(name):\n        op.execute("DROP TABLE {}".format(name))' }),
  destroys('a callable object', 'drop-table', 'Gone()("users")', { head: 'class Gone:\n    def __call__(self, name):\n        op.drop_table(name)' }),
  destroys('super', 'drop-table', 'Special().run()', {
    head: 'class Base:\n    def run(self):\n        op.drop_table("users")\n\nclass Special(Base):\n    def run(self):\n        super().run()',
  }),
  destroys('exec', 'drop-table', 'exec("op.drop_table(\'users\')")'),
  destroys('eval', 'drop-table', 'eval("op.drop_table")("users")'),
  destroys('a string of Python from a file', 'drop-table', 'exec((Path(__file__).parent / "aa.txt").read_text())', {
    head: 'from pathlib import Path',
    files: { 'alembic/versions/aa.txt': 'op.drop_table("users")\n' },
  }),
  destroys('importlib', 'drop-table', 'importlib.import_module("app.gone").run("users")', {
    head: 'import importlib',
    files: { 'app/__init__.py': '', 'app/gone.py': 'from alembic import op\n\ndef run(name):\n    op.drop_table(name)\n' },
  }),
  destroys('__import__', 'drop-table', '__import__("alembic.op").op.drop_table("users")'),
  destroys('an import in the function', 'drop-table', 'from alembic import op as o\no.drop_table("users")'),
  destroys('a relative import', 'drop-table', 'gone("users")', {
    head: 'from .helpers import gone',
    files: { 'alembic/versions/__init__.py': '', 'alembic/versions/helpers.py': 'from alembic import op\n\ndef gone(name):\n    op.drop_table(name)\n' },
  }),
  destroys('a relative import of the folder above', 'drop-table', 'gone("users")', {
    head: 'from ..helpers import gone',
    files: { 'alembic/__init__.py': '', 'alembic/versions/__init__.py': '', 'alembic/helpers.py': 'from alembic import op\n\ndef gone(name):\n    op.drop_table(name)\n' },
  }),
  destroys('another revision that is imported', 'drop-table', 'older.gone()', {
    head: 'import importlib.util, pathlib\n_spec = importlib.util.spec_from_file_location("older", pathlib.Path(__file__).with_name("older.py"))\nolder = importlib.util.module_from_spec(_spec)\n_spec.loader.exec_module(older)',
    files: { 'alembic/versions/older.py': 'from alembic import op\n\ndef gone():\n    op.drop_table("users")\n' },
  }),
  destroys('helpers that use helpers of another module', 'truncate', 'empty_all()', {
    head: 'from app.db import empty_all',
    files: {
      'app/__init__.py': '',
      'app/db/__init__.py': 'from .sql import empty\n\ndef empty_all():\n    for name in TABLES:\n        empty(name)\n\nTABLES = ("users",)\n',
      'app/db/sql.py': 'from alembic import op\n\ndef empty(name):\n    op.get_bind().exec_driver_sql(f"TRUNCATE {name}")\n',
    },
  }),
  destroys('constants of another module', 'drop-table', 'op.execute(DROP_SQL % {"table": USERS})', {
    head: 'from app.names import DROP_SQL, USERS',
    files: { 'app/__init__.py': '', 'app/names.py': 'USERS = "users"\nDROP_SQL = "DROP " + "TABLE %(table)s"\n' },
  }),
  destroys('constants of a class of another module', 'drop-table', 'op.drop_table(names.Tables.USERS)', {
    head: 'import app.names as names',
    files: { 'app/__init__.py': '', 'app/names.py': 'class Tables:\n    USERS = "users"\n' },
  }),
  destroys('a namespace package', 'drop-table', 'gone()', {
    head: 'from tools.db.gone import gone',
    files: { 'tools/db/gone.py': 'from alembic import op\n\ndef gone():\n    op.drop_table("users")\n' },
  }),
  destroys('a JSON file that lists tables', ['drop-table', 'drop-table'], 'for name in json.loads((Path(__file__).parent / "gone.json").read_text()):\n    op.drop_table(name)', {
    head: 'import json\nfrom pathlib import Path',
    files: { 'alembic/versions/gone.json': '["users", "teams"]' },
  }),
  destroys('json.load of a file', 'drop-table', 'with open(Path(__file__).with_suffix(".json")) as file:\n    op.drop_table(json.load(file)["table"])', {
    head: 'import json\nfrom pathlib import Path',
  }),
  destroys('a text of lines', ['drop-table', 'drop-table'], 'for name in """\nusers\nteams\n""".split():\n    op.drop_table(name)'),
  destroys('a list that is built', 'drop-table', 'names = []\nnames.append("users")\nnames += []\nfor name in names:\n    op.drop_table(name)'),
  destroys('a dictionary that is built', 'drop-table', 'sql = {}\nsql["gone"] = "DROP TABLE users"\nfor statement in sql.values():\n    op.execute(statement)'),
  destroys('a text that grows', 'drop-table', 'sql = "DROP "\nsql += "TABLE "\nsql += "users"\nop.execute(sql)'),
  destroys('a text over a filter', 'drop-table', 'statements = ["SELECT 1", "", "DROP TABLE users"]\nfor statement in filter(None, statements):\n    op.execute(statement)'),
  destroys('reversed text', 'drop-table', 'op.execute("sresu ELBAT PORD"[::-1])'),
  destroys('chr', 'drop-table', 'op.execute("".join(chr(c) for c in (68, 82, 79, 80)) + " TABLE users")'),
  destroys('base64', 'drop-table', 'op.execute(base64.b64decode("RFJPUCBUQUJMRSB1c2Vycw==").decode())', { head: 'import base64' }),
  destroys('bytes that are decoded', 'drop-table', 'op.execute(b"DROP TABLE users".decode("utf-8"))'),
  destroys('bytes with sa.text', 'truncate', 'op.execute(sa.text(str(b"TRUNCATE users", "ascii")))'),
  destroys('bytearray', 'drop-table', 'op.get_bind().connection.cursor().execute(bytes(bytearray(b"DROP TABLE users")))'),
  destroys('a triple-quoted f-string', 'drop-table', 'schema = "app"\nop.execute(f"""\n    DROP TABLE IF EXISTS\n        {schema}.users\n""")'),
  destroys('a nested f-string', 'drop-table', 'verb, kind = "drop", "table"\nop.execute(f"{verb.upper()} {f\'{kind}\'.upper()} users")'),
  destroys('an f-string with a conversion', 'drop-table', 'name = "users"\nop.execute(f"DROP TABLE {name!s:>5}")'),
  destroys('a name that is not known', 'drop-table', 'op.execute(f"DROP TABLE {os.environ[\'TABLE\']}")', { head: 'import os' }),
  destroys('a verb that is not known', 'unread-sql', 'op.execute(os.environ["SQL"])', { head: 'import os' }),
  destroys('SQL of a request', 'unread-sql', 'op.execute(requests.get("https://example.com/x.sql").text)', { head: 'import requests' }),
  destroys('a lookup with a default', 'drop-table', 'op.execute(SQL.get(os.environ.get("MODE"), "SELECT 1"))', { head: 'import os\nSQL = {"full": "DROP TABLE users"}' }),
  destroys('str.translate', 'drop-table', 'op.execute("DROP_TABLE_users".replace("_", " "))'),
  destroys('a template of string', 'drop-table', 'op.execute(string.Template("DROP TABLE $t").substitute(t="users"))', { head: 'import string' }),
  destroys('a table that is dropped by its object', 'drop-table', 'users = sa.Table("users", sa.MetaData(), sa.Column("id", sa.Integer))\nusers.drop(bind=op.get_bind(), checkfirst=True)'),
  destroys('a table of the top of the file', 'drop-table', 'USERS.drop(op.get_bind())', { head: 'META = sa.MetaData()\nUSERS = sa.Table("users", META, sa.Column("id", sa.Integer))' }),
  destroys('a table of a model', 'drop-table', 'User.__table__.drop(op.get_bind())', { head: 'from app.models import User', files: { 'app/__init__.py': '', 'app/models.py': 'from sqlalchemy.orm import declarative_base\n\nBase = declarative_base()\n\nclass User(Base):\n    __tablename__ = "users"\n' } }),
  destroys('a table of a model, over its own engine', 'drop-table', 'User.__table__.drop(engine)', { head: 'from app.db import engine\nfrom app.models import User' }),
  destroys('drop_all of a base', 'drop-table', 'Base.metadata.drop_all(bind=op.get_bind(), tables=[User.__table__])', { head: 'from app.models import Base, User', files: { 'app/__init__.py': '', 'app/models.py': 'from sqlalchemy.orm import declarative_base\n\nBase = declarative_base()\n\nclass User(Base):\n    __tablename__ = "users"\n' } }),
  destroys('drop_all through run_sync', 'drop-table', 'op.run_async(gone)', { head: 'from app.models import Base\n\nasync def gone(connection):\n    await connection.run_sync(Base.metadata.drop_all)' }),
  destroys('tables in reverse order', 'drop-table', 'for table in reversed(metadata.sorted_tables):\n    table.drop(op.get_bind())', { head: 'from app.models import metadata' }),
  destroys('a table from autoload', 'drop-table', 'sa.Table("users", sa.MetaData(), autoload_with=op.get_bind()).drop(op.get_bind())'),
  destroys('an engine of its own', 'truncate', 'engine = sa.create_engine(URL)\nwith engine.begin() as connection:\n    connection.execute(sa.text("TRUNCATE users"))', { head: 'import os\nURL = os.environ["DATABASE_URL"]' }),
  destroys('psycopg by hand', 'drop-table', 'with psycopg.connect(os.environ["DATABASE_URL"]) as connection:\n    connection.execute("DROP TABLE users")', { head: 'import os\nimport psycopg' }),
  destroys('a cursor of the driver', 'delete-all', 'cursor = op.get_bind().connection.cursor()\ncursor.execute("DELETE FROM users")\ncursor.close()'),
  destroys('asyncpg by hand', 'truncate', 'asyncio.run(run())', { head: 'import asyncio, asyncpg\n\nasync def run():\n    connection = await asyncpg.connect("postgresql://x")\n    await connection.execute("TRUNCATE users")' }),
  destroys('a raw connection', 'drop-table', 'raw = op.get_bind().engine.raw_connection()\nraw.cursor().execute("DROP TABLE users")'),
  destroys('a session of the backend', 'delete-all', 'with SessionLocal() as session:\n    session.execute(sa.text("DELETE FROM users"))\n    session.commit()', { head: 'from app.db import SessionLocal' }),
  destroys('psql', 'unread-sql', 'subprocess.run(["psql", "-c", "DROP TABLE users"], check=True)', { head: 'import subprocess' }),
  destroys('os.system', 'unread-sql', 'os.system("psql -f gone.sql")', { head: 'import os' }),
  destroys('op.invoke in a loop', ['drop-table', 'drop-column'], 'for directive in STEPS:\n    op.invoke(directive)', {
    head: 'from alembic.operations.ops import DropColumnOp, DropTableOp\nSTEPS = [DropTableOp("users", schema="app"), DropColumnOp("teams", "name")]',
  }),
  destroys('op.invoke of UpgradeOps', 'drop-table', 'for directive in UpgradeOps(ops=[DropTableOp("users")]).ops:\n    op.invoke(directive)', {
    head: 'from alembic.operations.ops import DropTableOp, UpgradeOps',
  }),
  destroys('op.invoke of SQL', 'truncate', 'op.invoke(ExecuteSQLOp("TRUNCATE users"))', { head: 'from alembic.operations.ops import ExecuteSQLOp' }),
  destroys('an operation of its own', 'drop-table', 'op.drop_it("users")', {
    head: `from alembic.operations import MigrateOperation, Operations

@Operations.register_operation("drop_it")
class DropIt(MigrateOperation):
    def __init__(self, name):
        self.name = name

    @classmethod
    def drop_it(cls, operations, name, **kw):
        return operations.invoke(cls(name))

@Operations.implementation_for(DropIt)
def drop_it(operations, operation):
    operations.execute("DROP TABLE %s" % operation.name)`,
  }),
  destroys('batch with a schema and an alias', 'drop-column', 'with op.batch_alter_table("users", schema="app", recreate="auto") as users, op.batch_alter_table("teams") as teams:\n    users.drop_column("email")\n    teams.add_column(sa.Column("x", sa.Integer))'),
  destroys('batch that is given on', 'drop-column', 'with op.batch_alter_table("users") as batch:\n    tidy(batch)', { head: 'def tidy(batch):\n    batch.drop_column("email")' }),
  destroys('batch by hand', 'drop-column', 'manager = op.batch_alter_table("users")\nbatch = manager.__enter__()\nbatch.drop_column("email")\nmanager.__exit__(None, None, None)'),
  destroys('batch with an ExitStack', 'drop-column', 'with ExitStack() as stack:\n    batch = stack.enter_context(op.batch_alter_table("users"))\n    batch.drop_column("email")', { head: 'from contextlib import ExitStack' }),
  destroys('batch that alters a type', 'convert-column', 'with op.batch_alter_table("users") as batch:\n    batch.alter_column("created_at", existing_type=sa.DateTime(), type_=sa.Date())'),
  destroys('batch execute', 'truncate', 'with op.batch_alter_table("users") as batch:\n    batch.execute("TRUNCATE users")'),
  destroys('below try', 'drop-table', 'try:\n    op.drop_table("users")\nexcept sa.exc.ProgrammingError:\n    pass'),
  destroys('in an exception handler', 'drop-table', 'try:\n    check()\nexcept Exception:\n    op.execute("DROP TABLE users")'),
  destroys('in a finally', 'truncate', 'try:\n    pass\nfinally:\n    op.execute("TRUNCATE users")'),
  defines('upgrade defined below if', 'drop-table', 'if True:\n    def upgrade():\n        op.drop_table("users")\nelse:\n    def upgrade():\n        pass'),
  defines('upgrade defined below try', 'drop-table', 'try:\n    import orjson\n    def upgrade():\n        pass\nexcept ImportError:\n    def upgrade():\n        op.drop_table("users")'),
  defines('upgrade is another name of a function', 'drop-table', 'def run():\n    op.drop_table("users")\n\nupgrade = run'),
  destroys('op under another name', 'drop-table', 'o.drop_table("users")', { head: 'from alembic import op as o' }),
  destroys('a function of op in a variable', 'drop-table', 'drop = op.drop_table\ndrop("users")'),
  destroys('alembic.op with its whole name', 'drop-column', 'alembic.op.drop_column("users", "email")', { head: 'import alembic.op' }),
  destroys('getattr', 'drop-table', 'getattr(op, "drop_" + "table")("users")'),
  destroys('functools.partial', ['drop-column', 'drop-column'], 'for column in ("email", "name"):\n    drop(column)', { head: 'from functools import partial\ndrop = partial(op.drop_column, "users")' }),
  destroys('a helper of the same file', 'drop-table', 'tidy("users")', { head: 'def tidy(table):\n    really(table)\n\ndef really(table):\n    op.drop_table(table)' }),
  destroys('a helper of the backend', 'drop-table', 'drop_if_exists("users")', { head: 'from app.db.migration_helpers import drop_if_exists', files: { 'app/__init__.py': '', 'app/db/__init__.py': '', 'app/db/migration_helpers.py': 'from alembic import op\n\ndef drop_if_exists(name):\n    op.execute(f"DROP TABLE IF EXISTS {name}")\n' } }),
  destroys('a helper module', 'truncate', 'helpers.empty("users")', { head: 'from app import helpers', files: { 'app/__init__.py': '', 'app/helpers.py': 'from alembic import op\n\ndef empty(*names):\n    op.execute("TRUNCATE " + ", ".join(names))\n' } }),
  destroys('a helper beside the revision', 'drop-table', 'gone("users")', { head: 'from _helpers import gone', files: { 'alembic/versions/_helpers.py': 'from alembic import op\n\ndef gone(name):\n    op.drop_table(name)\n' } }),
  destroys('a class that does it', 'drop-table', 'Cleanup(op).run("users")', { head: 'class Cleanup:\n    def __init__(self, operations):\n        self.operations = operations\n\n    def run(self, name):\n        self.operations.drop_table(name)' }),
  destroys('a lambda', 'drop-table', 'drop = lambda name: op.execute("DROP TABLE " + name)\ndrop("users")'),
  destroys('a loop over a tuple', ['drop-table', 'drop-table'], 'for table in TABLES:\n    op.drop_table(table)', { head: 'TABLES = ("users", "teams")' }),
  destroys('a comprehension', 'drop-table', '[op.drop_table(name) for name in ("users",)]'),
  destroys('an f-string', 'drop-table', 'op.execute(f"DROP TABLE {SCHEMA}.users")', { head: 'SCHEMA = "app"' }),
  destroys('a sum of texts', 'drop-table', 'verb = "DROP"\nop.execute(verb + " TABLE " + "users")'),
  destroys('%', 'drop-table', 'op.execute("DROP TABLE %s" % "users")'),
  destroys('format', 'drop-table', 'op.execute("{} TABLE {name}".format("DROP", name="users"))'),
  destroys('join', 'drop-table', 'op.execute(" ".join(["DROP", "TABLE", "users"]))'),
  destroys('several statements that are joined', 'delete-all', 'op.execute(";".join(["SELECT 1", "DELETE FROM users"]))'),
  destroys('dedent', 'drop-table', 'op.execute(dedent("""\n    DROP TABLE\n      users\n"""))', { head: 'from textwrap import dedent' }),
  destroys('replace', 'drop-table', 'op.execute("DROP TABLE :table".replace(":table", "users"))'),
  destroys('bytes', 'drop-table', 'op.get_bind().connection.cursor().execute(b"DROP TABLE users")'),
  destroys('a file of SQL', 'drop-table', 'op.execute((HERE / "gone.sql").read_text())', { head: SQL_FILE, files: { 'alembic/versions/gone.sql': '-- gone\nSELECT 1;\nDROP TABLE users;\n' } }),
  destroys('a file of SQL that is opened', 'delete-all', 'path = os.path.join(os.path.dirname(__file__), "..", "sql", "gone.sql")\nwith open(path) as file:\n    op.execute(sa.text(file.read()))', { head: 'import os', files: { 'alembic/sql/gone.sql': 'DELETE FROM users;' } }),
  destroys(
    'statements of a file, one by one',
    'drop-table',
    'for statement in SQL.split(";"):\n    if statement.strip():\n        op.execute(statement)',
    {
      head: `${SQL_FILE}SQL = (HERE / "gone.sql").read_text(encoding="utf-8")`,
      files: { 'alembic/versions/gone.sql': 'SELECT 1;\nDROP TABLE users;\n' },
    },
  ),
  defines('a template for several databases', 'drop-table', 'def upgrade(engine_name):\n    globals()["upgrade_%s" % engine_name]()\n\ndef upgrade_main():\n    op.drop_table("users")\n\ndef upgrade_other():\n    pass'),
  destroys('statements of a generator', 'drop-table', 'for sql in statements():\n    op.execute(sql)', { head: 'def statements():\n    yield "SELECT 1"\n    yield "DROP TABLE users"' }),
  destroys('a file of a package', 'drop-table', 'op.execute(files("app.sql").joinpath("gone.sql").read_text())', { head: 'from importlib.resources import files', files: { 'app/__init__.py': '', 'app/sql/__init__.py': '', 'app/sql/gone.sql': 'DROP TABLE users' } }),
  destroys('try, except, else', 'drop-table', `try:
    conn = op.get_bind()
    conn.execute(sa.text("SELECT 1 FROM legacy LIMIT 1"))
except Exception as error:
    print(error)
else:
    op.drop_table("legacy")`),
  destroys('context manager suppress', 'drop-column', `with contextlib.suppress(Exception):
    op.drop_column("orders", "note")`, { head: 'import contextlib' }),
  destroys('async def inside', 'truncate', `async def work(conn):
    async with conn.begin():
        await conn.execute(sa.text("truncate orders"))
connection = op.get_bind()
connection.run_sync(work)`),
  destroys('sets of tuples unpacked', ['drop-column', 'drop-column'], `for table, *columns in [("orders", "note", "extra")]:
    for column in columns:
        op.drop_column(table, column)`),
  destroys('helper with default argument', 'drop-table', 'clean()', { head: 'def clean(name="orders", *, operations=op):\n    operations.drop_table(name)' }),
  destroys('helper with kwargs', 'drop-column', 'change(op.drop_column, table_name="orders", column_name="note")', { head: 'def change(function, **kwargs):\n    return function(**kwargs)' }),
  destroys('helper of a class with state', ['truncate'], 'm = Runner()\nm.add("TRUNCATE orders")\nm.run()', { head: 'class Runner:\n    def __init__(self):\n        self.sql = []\n    def add(self, text):\n        self.sql.append(text)\n        return self\n    def run(self):\n        for text in self.sql:\n            op.execute(text)' }),
  destroys('chained helper', ['truncate'], 'Runner().add("TRUNCATE orders").run()', { head: 'class Runner:\n    def __init__(self):\n        self.sql = []\n    def add(self, text):\n        self.sql.append(text)\n        return self\n    def run(self):\n        for text in self.sql:\n            op.execute(text)' }),
  destroys('read lines of a file', ['truncate'], 'with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "x.sql"), "r", encoding="utf8") as f:\n    for line in f:\n        if line.strip():\n            op.execute(line)', { head: 'import os', files: { 'alembic/versions/x.sql': 'SELECT 1;\nTRUNCATE orders;\n' } }),
  destroys('glob of files', ['truncate'], 'for path in sorted((pathlib.Path(__file__).parent / "sql").glob("*.sql")):\n    op.execute(path.read_text())', { head: 'import pathlib', files: { 'alembic/versions/sql/1.sql': 'SELECT 1', 'alembic/versions/sql/2.sql': 'TRUNCATE orders' } }),
  destroys('os.listdir', ['truncate'], 'base = os.path.join(os.path.dirname(__file__), "sql")\nfor name in sorted(os.listdir(base)):\n    with open(os.path.join(base, name)) as f:\n        op.execute(f.read())', { head: 'import os', files: { 'alembic/versions/sql/1.sql': 'TRUNCATE orders' } }),
  destroys('a file by revision', ['truncate'], 'op.execute(Path(__file__).with_name(f"{revision}.sql").read_text())', { head: 'from pathlib import Path', files: { 'alembic/versions/aa.sql': 'TRUNCATE orders' } }),
  destroys('a helper that reads', ['drop-table'], 'run_sql("gone.sql")', { head: 'from app.sqlfile import run_sql', files: { 'app/__init__.py': '', 'app/gone.sql': 'DROP TABLE orders;', 'app/sqlfile.py': 'import os\nfrom alembic import op\nHERE = os.path.dirname(os.path.realpath(__file__))\n\ndef run_sql(name):\n    with open(os.path.join(HERE, name)) as f:\n        statements = [s for s in f.read().split(";") if s.strip()]\n    for s in statements:\n        op.execute(s)\n' } }),
  destroys('module constants of SQL', ['drop-table'], 'for sql in UPGRADE_SQL:\n    op.execute(sql)', { head: 'UPGRADE_SQL = [\n    "CREATE TABLE a (id int)",\n    *["DROP TABLE " + t for t in ("orders",)],\n]' }),
  destroys('conditional constants', ['drop-table'], 'op.execute(SQL[MODE])', { head: 'import os\nMODE = os.getenv("MODE", "a")\nSQL = {"a": "DROP TABLE orders", "b": "SELECT 1"}' }),
  destroys('percent with dict', ['drop-table'], 'op.execute("DROP %(kind)s %(name)s" % {"kind": "TABLE", "name": "orders"})'),
  destroys('percent with locals', ['drop-table'], 'kind, name = "TABLE", "orders"\nop.execute("DROP %(kind)s %(name)s" % locals())'),
  destroys('format with locals', ['drop-table'], 'name = "orders"\nop.execute("DROP TABLE {name}".format(**locals()))'),
  destroys('format_map', ['drop-table'], 'op.execute("DROP TABLE {t}".format_map({"t": "orders"}))'),
  destroys('lower-case with newlines', ['drop-table'], 'op.execute("""drop\n\n  table\n  orders\n""")'),
  destroys('upper() of a text', ['drop-table'], 'op.execute("drop table orders".upper())'),
  destroys('splitlines', ['truncate'], 'for line in """SELECT 1\nTRUNCATE orders""".splitlines():\n    op.execute(line)'),
  destroys('sqlparse.split', ['truncate'], 'for s in sqlparse.split("SELECT 1; TRUNCATE orders;"):\n    op.execute(s)', { head: 'import sqlparse' }),
  destroys('re.split', ['truncate'], 'for s in re.split(r";\\s*", "SELECT 1; TRUNCATE orders"):\n    op.execute(s)', { head: 'import re' }),
  destroys('str.join of a generator', ['drop-table', 'drop-table'], 'op.execute("; ".join(f"DROP TABLE {t}" for t in ("a", "b")))'),
  destroys('nested loops and zip', ['drop-column', 'drop-column'], 'for t, c in zip(["a", "b"], ["x", "y"]):\n    op.drop_column(t, c)'),
  destroys('enumerate', ['drop-column'], 'for i, c in enumerate(["x"], start=1):\n    op.drop_column("a", c)'),
  destroys('range', ['drop-table', 'drop-table'], 'for year in range(2019, 2021):\n    op.drop_table(f"events_{year}")'),
  destroys('date arithmetic', ['drop-table'], 'op.drop_table("events_%s" % (datetime.date.today() - datetime.timedelta(days=1)).strftime("%Y"))', { head: 'import datetime' }),
  destroys('column objects', ['drop-column'], 'op.drop_column("orders", COLUMN.name)', { head: 'COLUMN = sa.Column("note", sa.Text())' }),
  destroys('getattr with default', ['drop-table'], 'getattr(op, "drop_table", None)("orders")'),
  destroys('functools.reduce', ['drop-table'], 'functools.reduce(lambda _, t: op.drop_table(t), ["orders"], None)', { head: 'import functools' }),
  destroys('for with any', ['drop-table'], 'any(op.drop_table(t) for t in ["orders"])'),
  destroys('ternary of functions', ['drop-table'], '(op.drop_table if True else op.create_table)("orders")'),
  destroys('dictionary dispatch with get', ['drop-table'], 'HANDLERS.get("drop", print)("orders")', { head: 'HANDLERS = dict(drop=op.drop_table)' }),
  destroys('walrus', ['drop-table'], 'if (drop := op.drop_table):\n    drop("orders")'),
  destroys('del and re-import', ['drop-table'], 'import importlib\nm = importlib.import_module("alembic.op")\nm.drop_table("orders")'),
  destroys('from alembic import op in helper class attr', ['drop-table'], 'Ops.op.drop_table("orders")', { head: 'class Ops:\n    op = op' }),
  destroys('execute with multi', ['delete-all'], 'op.get_bind().connection.driver_connection.cursor().executemany("DELETE FROM orders WHERE 1=1", [()])'),
  destroys('DROP OWNED by f-string', ['drop-owned'], 'role = "old"\nop.execute(f"DROP OWNED BY {role}")'),
  destroys('DROP VIEW CASCADE in a loop', ['drop-cascade', 'drop-cascade'], 'for v in ("a", "b"):\n    op.execute(f"DROP VIEW IF EXISTS {v} CASCADE")'),
  destroys('TRUNCATE by text with names', ['truncate', 'truncate'], 'op.execute("TRUNCATE TABLE " + ", ".join(["a", "b"]) + " CASCADE")'),
  destroys('args = ["invoices"]', 'drop-table', 'o = op\nfn = o.drop_table\nargs = ["invoices"]\nfn(*args)'),
  destroys('run("drop_table", "invoices")', 'drop-table', 'run("drop_table", "invoices")', { head: 'def run(name, *args, **kw):\n    method = getattr(op, name)\n    return method(*args, **kw)' }),
  destroys('sql = sa.text("TRUNCATE TABLE :t".replace(":t", "invoices"))', 'truncate', 'sql = sa.text("TRUNCATE TABLE :t".replace(":t", "invoices"))\nop.get_bind().execute(sql)'),
  destroys('q = "TRUNCATE" + chr(32) + "invoices"', 'truncate', 'q = "TRUNCATE" + chr(32) + "invoices"\nop.execute(q)'),
  destroys('op.execute(b"".join([b"DROP TABLE ", b"invoices"]).decode())', 'drop-table', 'op.execute(b"".join([b"DROP TABLE ", b"invoices"]).decode())'),
  destroys('op.execute(str.join(" ", ["DROP", "TABLE", "invoices"]))', 'drop-table', 'op.execute(str.join(" ", ["DROP", "TABLE", "invoices"]))'),
  destroys('op.execute("DROP TABLE {0}.{1}".format(*("public", "invoices")))', 'drop-table', 'op.execute("DROP TABLE {0}.{1}".format(*("public", "invoices")))'),
  destroys('op.execute("{a} {b} invoices".format(**PARTS))', 'drop-table', 'PARTS = {"a": "DROP", "b": "TABLE"}\nop.execute("{a} {b} invoices".format(**PARTS))'),
  destroys('with op.get_bind().connection.cursor() as cur:', 'drop-table', 'with op.get_bind().connection.cursor() as cur:\n    cur.execute("DROP TABLE invoices")'),
  destroys('exec(compile("op.drop_table(\'invoices\')", "x", "exec"))', 'drop-table', 'exec(compile("op.drop_table(\'invoices\')", "x", "exec"))'),
  destroys('threading.Thread(target=op.drop_table, args=("invoices",)).start()', 'drop-table', 'threading.Thread(target=op.drop_table, args=("invoices",)).start()', { head: 'import threading' }),
  destroys('pool.map(op.drop_table, ["invoices"])', 'drop-table', 'with ThreadPoolExecutor() as pool:\n    pool.map(op.drop_table, ["invoices"])', { head: 'from concurrent.futures import ThreadPoolExecutor' }),
  destroys('operation = {"fn": "drop_table", "args": ["invoices"]}', 'drop-table', 'operation = {"fn": "drop_table", "args": ["invoices"]}\ngetattr(op, operation["fn"])(*operation["args"])'),
  destroys('op.execute(pkgutil.get_data("app", "x.sql").decode())', 'drop-table', 'op.execute(pkgutil.get_data("app", "x.sql").decode())', { head: 'import pkgutil', files: { 'app/__init__.py': '', 'app/x.sql': 'DROP TABLE invoices' } }),
  destroys('a list that the module extends twice', 'drop-column', 'op.execute(" ".join(words))', { head: 'words = []\nwords.append("ALTER TABLE invoices")\nwords.append("DROP COLUMN")\nwords += ["memo"]' }),
  destroys('an empty list in a list', 'delete-all', 'more = []\nop.execute("DELETE FROM users WHERE " + " AND ".join(["true", *more]))'),
  destroys('when the file is loaded', 'drop-table', 'pass', { head: 'op.execute("DROP TABLE invoices")' }),
  destroys('when the file is loaded, by a function of the file and a variable', ['truncate', 'drop-table'], 'pass', { head: 'def clean():\n    op.drop_table("invoices")\n\nbind = op.get_bind()\nif True:\n    clean()\n    bind.execute(sa.text("TRUNCATE orders"))' }),
  destroys('reduce', 'drop-table', 'op.execute(reduce(lambda text, name: f"{text} DROP TABLE {name};", ["invoices"], ""))', { head: 'from functools import reduce' }),
];
