import { type Case, defines, destroys } from './case';

const USERS = 'users = sa.Table("users", sa.MetaData(), sa.Column("id", sa.Integer))\n';

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
  destroys('a table that is dropped by its object', 'drop-table', `${USERS}users.drop(bind=op.get_bind(), checkfirst=True)`),
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
];
