import { type Case, destroys, keeps } from './case';

const MODELS = {
  'app/__init__.py': '',
  'app/db/__init__.py': '',
  'app/db/base.py': 'from sqlalchemy.orm import DeclarativeBase\n\nclass Base(DeclarativeBase):\n    pass\n',
  'app/db/models.py':
    'from sqlalchemy.orm import Mapped, mapped_column\nfrom .base import Base\n\nclass Order(Base):\n    __tablename__ = "orders"\n    __table_args__ = {"schema": "shop"}\n    id: Mapped[int] = mapped_column(primary_key=True)\n    note: Mapped[str | None] = mapped_column()\n',
};

const INVOICES = {
  'app/__init__.py': '',
  'app/models.py':
    'import sqlalchemy as sa\nfrom sqlalchemy.orm import declarative_base\nBase = declarative_base()\n\nclass Invoice(Base):\n    __tablename__ = "invoices"\n    id = sa.Column(sa.Integer, primary_key=True)\n    memo = sa.Column(sa.Text)\n',
};

/** Written after the guard was finished, to test it on unfamiliar code: it found 79 of 87 at first. */
// biome-ignore format: one case on a line
export const LATER_DESTROYING: readonly Case[] = [
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
  destroys('table name from model', 'drop-table', 'op.drop_table(Order.__tablename__)', { head: 'from app.db.models import Order', files: MODELS }),
  destroys('sql with model table name', 'delete-all', 'op.execute(f"DELETE FROM {Order.__tablename__}")', { head: 'from app.db.models import Order', files: MODELS }),
  destroys('model delete in 2.0', 'delete-all', 'with Session(bind=op.get_bind()) as s:\n    s.execute(delete(Order))\n    s.commit()', { head: 'from sqlalchemy import delete\nfrom sqlalchemy.orm import Session\nfrom app.db.models import Order', files: MODELS }),
  destroys('model update in 2.0', 'clear-column', 'op.get_bind().execute(update(Order).values(note=None))', { head: 'from sqlalchemy import update\nfrom app.db.models import Order', files: MODELS }),
  destroys('model column as key', 'clear-column', 'op.get_bind().execute(update(Order).values({Order.note: None}).where(Order.id > 0))', { head: 'from sqlalchemy import update\nfrom app.db.models import Order', files: MODELS }),
  destroys('inner declared table', 'delete-all', 't = sa.Table("orders", sa.MetaData(schema="shop"), autoload_with=op.get_bind())\nop.get_bind().execute(t.delete())'),
  destroys('reflection by name', 'drop-table', 'metadata = sa.MetaData()\nmetadata.reflect(bind=op.get_bind(), only=["orders"])\nmetadata.drop_all(bind=op.get_bind())'),
  destroys('Base.metadata.tables', 'drop-table', 'Base.metadata.tables["shop.orders"].drop(bind=op.get_bind())', { head: 'from app.db.base import Base', files: MODELS }),
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
  destroys('implicit concatenation', ['drop-table'], 'op.execute(\n    "DROP "\n    "TABLE "\n    "orders"\n)'),
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
  destroys('setattr on op', ['drop-table'], 'ns = types.SimpleNamespace(drop=op.drop_table)\nns.drop("orders")', { head: 'import types' }),
  destroys('walrus', ['drop-table'], 'if (drop := op.drop_table):\n    drop("orders")'),
  destroys('del and re-import', ['drop-table'], 'import importlib\nm = importlib.import_module("alembic.op")\nm.drop_table("orders")'),
  destroys('from alembic import op in helper class attr', ['drop-table'], 'Ops.op.drop_table("orders")', { head: 'class Ops:\n    op = op' }),
  destroys('the operations object of the context', ['drop-table'], 'context = op.get_context()\nOperations(context).drop_table("orders")', { head: 'from alembic.operations import Operations' }),
  destroys('impl', ['drop-table'], 'op.get_context().impl.drop_table(sa.Table("orders", sa.MetaData()))'),
  destroys('impl execute', ['truncate'], 'op.get_context().impl.execute("TRUNCATE orders")'),
  destroys('context execute', ['truncate'], 'op.get_context().execute("TRUNCATE orders")'),
  destroys('connection of context', ['truncate'], 'context.get_bind().execute(sa.text("TRUNCATE orders"))', { head: 'from alembic import context' }),
  destroys('batch of batch_alter_table in list', ['drop-column', 'drop-column'], 'for t in ("a", "b"):\n    with op.batch_alter_table(t, schema=None) as b:\n        b.drop_column("x")'),
  destroys('batch with conditional', ['drop-column'], 'insp = sa.inspect(op.get_bind())\nwith op.batch_alter_table("a") as b:\n    if "x" in {c["name"] for c in insp.get_columns("a")}:\n        b.drop_column("x")'),
  destroys('drop all columns that exist', ['drop-column'], 'for c in sa.inspect(op.get_bind()).get_columns("a"):\n    if c["name"].startswith("old_"):\n        op.drop_column("a", c["name"])'),
  destroys('execute with multi', ['delete-all'], 'op.get_bind().connection.driver_connection.cursor().executemany("DELETE FROM orders WHERE 1=1", [()])'),
  destroys('DELETE with a sub-select of all', ['delete-all'], 'op.execute("DELETE FROM orders o WHERE EXISTS (SELECT 1 FROM orders x WHERE x.id = o.id)")'),
  destroys('DELETE with IN (SELECT ... ORDER BY LIMIT) FOR UPDATE', ['delete-all'], 'op.execute("DELETE FROM orders WHERE id IN (SELECT id FROM orders ORDER BY id LIMIT 100 FOR UPDATE SKIP LOCKED)")'),
  destroys('DELETE between', ['delete-all'], 'op.execute("DELETE FROM orders WHERE id BETWEEN 0 AND 9223372036854775807")'),
  destroys('UPDATE CASE', ['clear-column'], 'op.execute("UPDATE orders SET note = CASE WHEN true THEN NULL END")'),
  destroys('UPDATE coalesce', ['clear-column'], 'op.execute("UPDATE orders SET note = coalesce(NULL, NULL)")'),
  destroys('UPDATE with from', ['clear-column'], 'op.execute("UPDATE orders o SET note = NULL FROM orders x WHERE o.id = x.id")'),
  destroys('UPDATE only where ids', ['clear-column'], 'op.execute("UPDATE orders SET note = NULL WHERE id IN (SELECT id FROM orders)")'),
  destroys('UPDATE in a DO', ['clear-column'], 'op.execute("DO $$ BEGIN UPDATE orders SET note = NULL; END $$")'),
  destroys('ALTER USING CASE NULL', ['convert-column'], 'op.execute("ALTER TABLE orders ALTER note TYPE int USING CASE WHEN note IS NULL THEN NULL ELSE NULL END")'),
  destroys('ALTER USING literal', ['convert-column'], 'op.alter_column("orders", "note", type_=sa.Integer(), postgresql_using="1")'),
  destroys('ALTER USING length', ['convert-column'], 'op.alter_column("orders", "note", type_=sa.Integer(), postgresql_using="length(note)")'),
  destroys('ALTER USING cast to small', ['convert-column'], 'op.alter_column("orders", "note", type_=sa.String(3), postgresql_using="note::varchar(3)")'),
  destroys('ALTER USING cast()', ['convert-column'], 'op.execute("ALTER TABLE orders ALTER note TYPE varchar(3) USING CAST(note AS varchar(3))")'),
  destroys('ALTER text[] to text', ['convert-column'], 'op.execute("ALTER TABLE orders ALTER tags TYPE text USING tags[0]")'),
  destroys('ALTER timestamp to time', ['convert-column'], 'op.execute("ALTER TABLE orders ALTER at TYPE time USING at::time")'),
  destroys('DROP COLUMN IF EXISTS', ['drop-column'], 'op.execute("alter table if exists orders drop column if exists note cascade;")'),
  destroys('rename and swap by hand', ['drop-table'], 'op.create_table("orders_new", sa.Column("id", sa.Integer))\nop.execute("INSERT INTO orders_new SELECT id FROM orders")\nop.rename_table("orders", "orders_old")\nop.rename_table("orders_new", "orders")\nop.drop_table("orders_old")'),
  destroys('rename and swap, dropping first', ['drop-table'], 'op.create_table("orders_new", sa.Column("id", sa.Integer))\nop.drop_table("orders")\nop.rename_table("orders_new", "orders")'),
  destroys('swap of schemas', ['drop-schema'], 'op.execute("ALTER SCHEMA shop RENAME TO shop_old")\nop.execute("CREATE SCHEMA shop")\nop.execute("DROP SCHEMA shop_old CASCADE")'),
  destroys('detach by helper', ['detach-partition'], 'op.execute(sa.text("ALTER TABLE shop.events DETACH PARTITION shop.events_old CONCURRENTLY"))'),
  destroys('DROP OWNED by f-string', ['drop-owned'], 'role = "old"\nop.execute(f"DROP OWNED BY {role}")'),
  destroys('REASSIGN then DROP OWNED', ['drop-owned'], 'op.execute("REASSIGN OWNED BY old TO new; DROP OWNED BY old")'),
  destroys('DROP VIEW CASCADE in a loop', ['drop-cascade', 'drop-cascade'], 'for v in ("a", "b"):\n    op.execute(f"DROP VIEW IF EXISTS {v} CASCADE")'),
  destroys('views of the database', ['drop-cascade'], 'for v in sa.inspect(op.get_bind()).get_view_names():\n    op.execute(f\'DROP VIEW "{v}" CASCADE\')'),
  destroys('materialized views in a loop', ['drop-materialized-view'], 'op.execute("DROP MATERIALIZED VIEW IF EXISTS mv_orders CASCADE")'),
  destroys('a CTE with two deletes', ['delete-all', 'delete-all'], 'op.execute("WITH a AS (DELETE FROM x), b AS (DELETE FROM y) SELECT 1")'),
  destroys('MERGE by source', ['delete-all'], 'op.execute("MERGE INTO orders o USING (SELECT 1 AS id) s ON o.id = s.id WHEN NOT MATCHED BY SOURCE THEN DELETE")'),
  destroys('TRUNCATE by text with names', ['truncate', 'truncate'], 'op.execute("TRUNCATE TABLE " + ", ".join(["a", "b"]) + " CASCADE")'),
  destroys('unknown list', ['truncate'], 'op.execute("TRUNCATE TABLE " + ", ".join(t for t in sa.inspect(op.get_bind()).get_table_names()))'),
];

/** Also written afterwards: at first, it reported one of 36 as a loss. */
// biome-ignore format: one case on a line
export const LATER_HARMLESS: readonly Case[] = [
  keeps('words in a multi-line INSERT', 'op.execute("""\nINSERT INTO docs (body)\nVALUES (\'How to: DROP TABLE x;\nDELETE FROM y;\')\n""")'),
  keeps('words in COMMENT ON', 'op.execute("COMMENT ON TABLE orders IS $$ TRUNCATE me; DROP me $$")'),
  keeps('words in print and raise', 'print("about to DROP TABLE orders")\nif op.get_bind().scalar(sa.text("SELECT count(*) FROM orders")) < 0:\n    raise ValueError("DELETE FROM orders first")'),
  keeps('words in a dictionary', 'HELP = {"drop_table": "DROP TABLE x"}\nfor key, value in HELP.items():\n    op.execute(sa.text("INSERT INTO h VALUES (:k, :v)").bindparams(k=key, v=value))'),
  keeps('permissions', 'op.bulk_insert(sa.table("permissions", sa.column("name")), [{"name": n} for n in ("delete_user", "truncate", "drop_table")])'),
  keeps('temporary', 'bind = op.get_bind()\nbind.execute(sa.text("CREATE TEMP TABLE keep AS SELECT DISTINCT ON (email) id FROM users"))\nbind.execute(sa.text("DELETE FROM users WHERE id NOT IN (SELECT id FROM keep)"))\nbind.execute(sa.text("DROP TABLE keep"))'),
  keeps('temporary with pg_temp', 'op.execute("CREATE TABLE pg_temp.keep (id int); TRUNCATE pg_temp.keep; DROP TABLE pg_temp.keep")'),
  keeps('same revision made', 'op.create_table("a", sa.Column("id", sa.Integer), sa.Column("b", sa.Text))\nop.execute("INSERT INTO a SELECT 1, \'x\'")\nwith op.batch_alter_table("a") as batch:\n    batch.drop_column("b")\nop.execute("UPDATE a SET id = NULL")\nop.drop_table("a")'),
  keeps('same revision made in a helper', 'name = make()\nop.drop_table(name)', { head: 'def make():\n    op.create_table("a", sa.Column("id", sa.Integer))\n    return "a"' }),
  keeps('same revision made, in a loop', 'for n in ("a", "b"):\n    op.create_table(n, sa.Column("id", sa.Integer))\nfor n in ("a", "b"):\n    op.execute(f"DELETE FROM {n}")\n    op.drop_table(n)'),
  keeps('column copy with own column', 'op.add_column("users", sa.Column("n", sa.Integer))\nop.execute("UPDATE users SET n = age::int")\nop.alter_column("users", "n", type_=sa.BigInteger())\nop.execute("UPDATE users SET n = NULL WHERE n = 0")'),
  keeps('redis and httpx', 'r.delete("a", "b")\nhttpx.delete("https://x/y")\nsession.delete("https://x/y")', { head: 'import httpx, redis, requests\nr = redis.StrictRedis(host="x")\nsession = requests.Session()' }),
  keeps('async redis', 'asyncio.run(go())', { head: 'import asyncio\nimport redis.asyncio as redis\n\nasync def go():\n    client = redis.Redis()\n    await client.delete("a")\n    await client.execute_command("FLUSHALL")' }),
  keeps('elasticsearch', 'es.indices.delete(index="x")\nes.delete_by_query(index="x", body={})', { head: 'from elasticsearch import Elasticsearch\nes = Elasticsearch()' }),
  keeps('enum swap with one helper', `op.execute("ALTER TYPE status RENAME TO status__old")
op.execute("CREATE TYPE status AS ENUM ('a', 'b')")
op.execute("ALTER TABLE orders ALTER COLUMN status DROP DEFAULT")
op.execute("ALTER TABLE orders ALTER COLUMN status TYPE status USING (status::text::status)")
op.execute("ALTER TABLE orders ALTER COLUMN status SET DEFAULT 'a'::status")
op.execute("DROP TYPE status__old")`),
  keeps('enum swap with mapping', `op.execute("ALTER TYPE status RENAME TO old_status")
sa.Enum("a", "b", name="status").create(op.get_bind(), checkfirst=True)
with op.batch_alter_table("orders") as b:
    b.alter_column("status", type_=sa.Enum("a", "b", name="status"), postgresql_using="CASE status::text WHEN 'c' THEN 'a' ELSE status::text END::status")
op.execute("DROP TYPE IF EXISTS old_status")`),
  keeps('enum swap through text', `op.execute("ALTER TABLE orders ALTER COLUMN status TYPE VARCHAR(255) USING status::VARCHAR(255)")
op.execute("DROP TYPE IF EXISTS status")
op.execute("CREATE TYPE status AS ENUM ('a')")
op.execute("ALTER TABLE orders ALTER COLUMN status TYPE status USING status::status")`),
  keeps('a soft delete', 'op.execute("UPDATE orders SET deleted_at = now() WHERE archived")'),
  keeps('fill with default', 'op.execute("UPDATE orders SET note = \'\' WHERE note IS NULL")\nop.alter_column("orders", "note", nullable=False)'),
  keeps('orphans', 'op.execute("DELETE FROM items WHERE NOT EXISTS (SELECT 1 FROM orders WHERE orders.id = items.order_id)")'),
  keeps('orphans by LEFT JOIN', 'op.execute("DELETE FROM items USING items i LEFT JOIN orders o ON o.id = i.order_id WHERE items.id = i.id AND o.id IS NULL")'),
  keeps('some by parameter', 'op.get_bind().execute(sa.text("DELETE FROM settings WHERE key IN :keys").bindparams(sa.bindparam("keys", expanding=True)), {"keys": ["a"]})'),
  keeps('some by tuple', 'op.execute("DELETE FROM settings WHERE (key, value) IN ((\'a\', \'b\'))")'),
  keeps('some by LIKE', 'op.execute("DELETE FROM settings WHERE key LIKE \'old.%\'")'),
  keeps('some by expression', 's = sa.table("settings", sa.column("key"))\nop.execute(s.delete().where(s.c.key.like("old.%")))\nop.execute(s.delete().where(sa.or_(s.c.key == "a", s.c.key == "b")))\nop.execute(s.delete().where(sa.not_(s.c.key == "a")))'),
  keeps('some by a list of dicts', 's = sa.table("settings", sa.column("key"))\nfor row in ROWS:\n    op.execute(s.delete().where(s.c.key == row["key"]))', { head: 'ROWS = [{"key": "a"}, {"key": "b"}]' }),
  keeps('downgrade helper', 'op.add_column("users", sa.Column("a", sa.Integer))', { head: 'def _drop():\n    op.drop_column("users", "a")\n\ndef downgrade_helper():\n    _drop()' }),
  keeps('view replaced', 'op.execute("DROP VIEW IF EXISTS v_orders")\nop.execute("CREATE VIEW v_orders AS SELECT 1 AS a")'),
  keeps('matview replaced later', 'op.execute("DROP MATERIALIZED VIEW mv")\nop.add_column("orders", sa.Column("x", sa.Integer))\nop.execute("CREATE MATERIALIZED VIEW mv AS SELECT x FROM orders")'),
  keeps('trigger function', 'op.execute("""\nCREATE OR REPLACE FUNCTION purge() RETURNS trigger AS $$\nBEGIN\n  DELETE FROM log;\n  RETURN NEW;\nEND;\n$$ LANGUAGE plpgsql;\nDROP TRIGGER IF EXISTS t ON orders;\nCREATE TRIGGER t AFTER INSERT ON orders EXECUTE PROCEDURE purge();\n""")'),
  keeps('mysql branch', 'if op.get_bind().dialect.name.startswith("mysql"):\n    op.execute("TRUNCATE orders")'),
  keeps('dict methods', 'd = {}\nd.update(a=1)\nd.pop("a")\nopts = {"drop": True}\nopts.clear()'),
  keeps('pandas', 'df = pd.DataFrame({"a": [1]})\ndf = df.drop(columns=["a"])\ndf.to_sql("x", op.get_bind(), if_exists="append")', { head: 'import pandas as pd' }),
  keeps('index drop with concurrently', 'with op.get_context().autocommit_block():\n    op.drop_index("ix", table_name="orders", postgresql_concurrently=True, if_exists=True)'),
  keeps('drop constraint by text', 'op.execute("ALTER TABLE orders DROP CONSTRAINT IF EXISTS fk_a, DROP CONSTRAINT fk_b")'),
  keeps('insert from delete words', 'op.execute("INSERT INTO log SELECT \'DELETE FROM \' || relname FROM pg_class")'),
];

/** Written in the same way after the cases above passed: it found 39 of 50 at first. */
// biome-ignore format: one case on a line
export const LAST_DESTROYING: readonly Case[] = [
  destroys('tables = inspector.get_table_names()', 'drop-table', 'bind = op.get_bind()\ninspector = sa.inspect(bind)\ntables = inspector.get_table_names()\nif "invoices" in tables:\n    op.drop_table("invoices")'),
  destroys('raise RuntimeError("x") from e', 'drop-table', 'if not context.is_offline_mode():\n    try:\n        op.drop_table("invoices")\n    except Exception as e:\n        raise RuntimeError("x") from e', { head: 'from alembic import context' }),
  destroys('with op.batch_alter_table(table) as batch_op:', 'drop-column', 'table, cols = "invoices", ("memo",)\nwith op.batch_alter_table(table) as batch_op:\n    [batch_op.drop_column(c) for c in cols]'),
  destroys('invoices = sa.Table("invoices", meta, autoload_with=conn)', 'delete-all', 'conn = op.get_bind()\nmeta = sa.MetaData()\ninvoices = sa.Table("invoices", meta, autoload_with=conn)\nconn.execute(invoices.delete())'),
  destroys('session = sa.orm.Session(bind=op.get_bind())', 'delete-all', 'session = sa.orm.Session(bind=op.get_bind())\ntry:\n    session.query(Invoice).delete()\n    session.commit()\nexcept:\n    session.rollback()\n    raise\nfinally:\n    session.close()', { head: 'import sqlalchemy.orm\nfrom app.models import Invoice', files: INVOICES }),
  destroys('for invoice in session.query(Invoice).yield_per(100):', 'clear-column', 'session = sa.orm.sessionmaker(op.get_bind())()\nfor invoice in session.query(Invoice).yield_per(100):\n    invoice.memo = None\n    session.add(invoice)\nsession.commit()', { head: 'import sqlalchemy.orm\nfrom app.models import Invoice', files: INVOICES }),
  destroys('args = ["invoices"]', 'drop-table', 'o = op\nfn = o.drop_table\nargs = ["invoices"]\nfn(*args)'),
  destroys('run("drop_table", "invoices")', 'drop-table', 'run("drop_table", "invoices")', { head: 'def run(name, *args, **kw):\n    method = getattr(op, name)\n    return method(*args, **kw)' }),
  destroys('sql = sa.text("TRUNCATE TABLE :t".replace(":t", "invoices"))', 'truncate', 'sql = sa.text("TRUNCATE TABLE :t".replace(":t", "invoices"))\nop.get_bind().execute(sql)'),
  destroys('q = "TRUNCATE" + chr(32) + "invoices"', 'truncate', 'q = "TRUNCATE" + chr(32) + "invoices"\nop.execute(q)'),
  destroys('op.execute(b"".join([b"DROP TABLE ", b"invoices"]).decode())', 'drop-table', 'op.execute(b"".join([b"DROP TABLE ", b"invoices"]).decode())'),
  destroys('op.execute(str.join(" ", ["DROP", "TABLE", "invoices"]))', 'drop-table', 'op.execute(str.join(" ", ["DROP", "TABLE", "invoices"]))'),
  destroys('op.execute("DROP TABLE {0}.{1}".format(*("public", "invoices")))', 'drop-table', 'op.execute("DROP TABLE {0}.{1}".format(*("public", "invoices")))'),
  destroys('op.execute("{a} {b} invoices".format(**PARTS))', 'drop-table', 'PARTS = {"a": "DROP", "b": "TABLE"}\nop.execute("{a} {b} invoices".format(**PARTS))'),
  destroys('stmt = sa.delete(Invoice).where(sa.literal(1) == 1)', 'delete-all', 'stmt = sa.delete(Invoice).where(sa.literal(1) == 1)\nop.execute(stmt)', { head: 'from app.models import Invoice', files: INVOICES }),
  destroys('op.execute(sa.delete(Invoice).where(Invoice.id.in_(sa.select(Invoice.i', 'delete-all', 'op.execute(sa.delete(Invoice).where(Invoice.id.in_(sa.select(Invoice.id).limit(1000))))', { head: 'from app.models import Invoice', files: INVOICES }),
  destroys('op.execute(sa.delete(Invoice).where(Invoice.id.isnot(None)))', 'delete-all', 'op.execute(sa.delete(Invoice).where(Invoice.id.isnot(None)))', { head: 'from app.models import Invoice', files: INVOICES }),
  destroys('op.get_bind().execute(sa.delete(Invoice).where(Invoice.id == i))', 'delete-all', 'ids = [r[0] for r in op.get_bind().execute(sa.select(Invoice.id))]\nfor i in ids:\n    op.get_bind().execute(sa.delete(Invoice).where(Invoice.id == i))', { head: 'from app.models import Invoice', files: INVOICES }),
  destroys('op.execute("""WITH b AS (SELECT id FROM invoices LIMIT 5000) DELETE FR', 'delete-all', 'op.execute("""WITH b AS (SELECT id FROM invoices LIMIT 5000) DELETE FROM invoices USING b WHERE invoices.id = b.id""")'),
  destroys('op.execute("DELETE FROM invoices WHERE id::text <> \'\'")', 'delete-all', 'op.execute("DELETE FROM invoices WHERE id::text <> \'\'")'),
  destroys('op.execute("DELETE FROM invoices WHERE true = true")', 'delete-all', 'op.execute("DELETE FROM invoices WHERE true = true")'),
  destroys('op.execute("DELETE FROM invoices WHERE \'x\' <> \'y\'")', 'delete-all', 'op.execute("DELETE FROM invoices WHERE \'x\' <> \'y\'")'),
  destroys('op.execute("DELETE FROM invoices WHERE id IS NOT DISTINCT FROM id")', 'delete-all', 'op.execute("DELETE FROM invoices WHERE id IS NOT DISTINCT FROM id")'),
  destroys('op.execute("DELETE FROM invoices WHERE id = any(array(select id from i', 'delete-all', 'op.execute("DELETE FROM invoices WHERE id = any(array(select id from invoices))")'),
  destroys('op.execute("UPDATE invoices SET memo = null, total = total")', 'clear-column', 'op.execute("UPDATE invoices SET memo = null, total = total")'),
  destroys('op.execute("UPDATE public.invoices AS i SET memo = NULL WHERE i.id IS', 'clear-column', 'op.execute("UPDATE public.invoices AS i SET memo = NULL WHERE i.id IS NOT NULL")'),
  destroys('op.execute("UPDATE invoices SET memo = NULL WHERE memo != \'\' AND mem', 'clear-column', 'op.execute("UPDATE invoices SET memo = NULL WHERE memo != \'\' AND memo IS NOT NULL")'),
  destroys('op.execute("UPDATE invoices SET memo = left(memo, 0)")', 'clear-column', 'op.execute("UPDATE invoices SET memo = left(memo, 0)")'),
  destroys('op.alter_column("invoices", "memo", existing_type=sa.Text(), type_=sa.', 'convert-column', 'op.alter_column("invoices", "memo", existing_type=sa.Text(), type_=sa.Boolean(), postgresql_using="NULL::boolean")'),
  destroys('op.execute("ALTER TABLE invoices ALTER COLUMN memo TYPE bytea USING md', 'convert-column', 'op.execute("ALTER TABLE invoices ALTER COLUMN memo TYPE bytea USING md5(memo)::bytea")'),
  destroys('op.execute("ALTER TABLE invoices ALTER COLUMN memo TYPE jsonb USING NU', 'convert-column', 'op.execute("ALTER TABLE invoices ALTER COLUMN memo TYPE jsonb USING NULL::jsonb")'),
  destroys('op.execute("DO $do$ DECLARE t record; BEGIN FOR t IN (SELECT tablename', 'drop-table', 'op.execute("DO $do$ DECLARE t record; BEGIN FOR t IN (SELECT tablename FROM pg_tables WHERE schemaname = \'public\') LOOP EXECUTE \'DROP TABLE IF EXISTS \' || quote_ident(t.tablename) || \' CASCADE\'; END LOOP; END $do$;")'),
  destroys('op.execute("DO $$ DECLARE statements CURSOR FOR SELECT tablename FROM', 'truncate', 'op.execute("DO $$ DECLARE statements CURSOR FOR SELECT tablename FROM pg_tables; BEGIN FOR stmt IN statements LOOP EXECUTE \'TRUNCATE TABLE \' || quote_ident(stmt.tablename) || \' CASCADE;\'; END LOOP; END; $$")'),
  destroys('op.execute("ALTER TABLE invoices RENAME TO invoices_bak; ALTER TABLE i', 'drop-table', 'op.execute("ALTER TABLE invoices RENAME TO invoices_bak; ALTER TABLE invoices_new RENAME TO invoices; DROP TABLE invoices_bak")'),
  destroys('op.execute("ALTER TABLE invoices RENAME COLUMN memo TO memo_old")', 'drop-column', 'op.execute("ALTER TABLE invoices RENAME COLUMN memo TO memo_old")\nop.add_column("invoices", sa.Column("memo", sa.Text))\nop.drop_column("invoices", "memo_old")'),
  destroys('op.execute("ALTER TABLE m DETACH PARTITION m_2020; ALTER TABLE m_2020', 'detach-partition', 'op.execute("ALTER TABLE m DETACH PARTITION m_2020; ALTER TABLE m_2020 RENAME TO m_2020_archived")'),
  destroys('for t in reversed(Base.metadata.sorted_tables):', 'drop-table', 'for t in reversed(Base.metadata.sorted_tables):\n    t.drop(bind=op.get_bind(), checkfirst=True)', { head: 'from app.models import Base', files: INVOICES }),
  destroys('Base.metadata.drop_all(op.get_bind().engine)', 'drop-table', 'Base.metadata.drop_all(op.get_bind().engine)', { head: 'from app.models import Base', files: INVOICES }),
  destroys('Invoice.__table__.drop(op.get_bind(), checkfirst=True)', 'drop-table', 'Invoice.__table__.drop(op.get_bind(), checkfirst=True)', { head: 'from app.models import Invoice', files: INVOICES }),
  destroys('op.invoke(ops.DropTableOp.from_table(sa.Table("invoices", sa.MetaData(', 'drop-table', 'op.invoke(ops.DropTableOp.from_table(sa.Table("invoices", sa.MetaData())))', { head: 'from alembic.operations import ops' }),
  destroys('op.invoke(ops.ModifyTableOps("invoices", [ops.DropColumnOp("invoices",', 'drop-column', 'op.invoke(ops.ModifyTableOps("invoices", [ops.DropColumnOp("invoices", "memo")]))', { head: 'from alembic.operations import ops' }),
  destroys('with op.get_bind().connection.cursor() as cur:', 'drop-table', 'with op.get_bind().connection.cursor() as cur:\n    cur.execute("DROP TABLE invoices")'),
  destroys('exec(compile("op.drop_table(\'invoices\')", "x", "exec"))', 'drop-table', 'exec(compile("op.drop_table(\'invoices\')", "x", "exec"))'),
  destroys('threading.Thread(target=op.drop_table, args=("invoices",)).start()', 'drop-table', 'threading.Thread(target=op.drop_table, args=("invoices",)).start()', { head: 'import threading' }),
  destroys('pool.map(op.drop_table, ["invoices"])', 'drop-table', 'with ThreadPoolExecutor() as pool:\n    pool.map(op.drop_table, ["invoices"])', { head: 'from concurrent.futures import ThreadPoolExecutor' }),
  destroys('operation = {"fn": "drop_table", "args": ["invoices"]}', 'drop-table', 'operation = {"fn": "drop_table", "args": ["invoices"]}\ngetattr(op, operation["fn"])(*operation["args"])'),
  destroys('op.execute(pkgutil.get_data("app", "x.sql").decode())', 'drop-table', 'op.execute(pkgutil.get_data("app", "x.sql").decode())', { head: 'import pkgutil', files: { 'app/__init__.py': '', 'app/x.sql': 'DROP TABLE invoices' } }),
];

/** Also written in the same way: at first, it reported two of 22 as a loss. */
// biome-ignore format: one case on a line
export const LAST_HARMLESS: readonly Case[] = [
  keeps('op.execute("INSERT INTO permission (codename) VALUES (\'drop table\'),', 'op.execute("INSERT INTO permission (codename) VALUES (\'drop table\'), (\'delete from\')")'),
  keeps('words in a log and in SystemExit', 'logger.warning("DROP TABLE %s", "x")\nlogging.info("DELETE FROM x")\nraise SystemExit("TRUNCATE x") if False else None or SystemExit', { head: 'import logging\nlogger = logging.getLogger()' }),
  keeps('op.execute("CREATE TEMP TABLE d ON COMMIT DROP AS SELECT 1 AS id")', 'op.execute("CREATE TEMP TABLE d ON COMMIT DROP AS SELECT 1 AS id")\nop.execute("DELETE FROM d")\nop.execute("DROP TABLE IF EXISTS d")'),
  keeps('t = op.create_table("x", sa.Column("id", sa.Integer))', 't = op.create_table("x", sa.Column("id", sa.Integer))\nop.bulk_insert(t, [{"id": 1}])\nop.execute(t.delete())\nop.drop_table("x")'),
  keeps('redis_client.execute_command("DEL", "b")', 'cache.delete("a")\nredis_client.delete("b")\nredis_client.execute_command("DEL", "b")', { head: 'import redis\nfrom app.cache import cache\nredis_client = redis.Redis()' }),
  keeps('b.alter_column("s", existing_type=sa.VARCHAR(), type_=sa.Enum("a",', 'with op.batch_alter_table("x") as b:\n    b.alter_column("s", existing_type=sa.VARCHAR(), type_=sa.Enum("a", name="s"), postgresql_using="s::s")'),
  keeps('op.execute("ALTER TABLE x ALTER COLUMN s TYPE s USING s::text::s")', 'op.execute("ALTER TYPE s RENAME TO s_old")\nnew = postgresql.ENUM("a", name="s")\nnew.create(op.get_bind())\nop.execute("ALTER TABLE x ALTER COLUMN s TYPE s USING s::text::s")\npostgresql.ENUM(name="s_old").drop(op.get_bind())'),
  keeps('op.execute("DELETE FROM x WHERE id IN (SELECT id FROM x GROUP BY id HA', 'op.execute("DELETE FROM x WHERE id IN (SELECT id FROM x GROUP BY id HAVING count(*) > 1)")'),
  keeps('op.execute("DELETE FROM x a WHERE EXISTS (SELECT 1 FROM x b WHERE b.em', 'op.execute("DELETE FROM x a WHERE EXISTS (SELECT 1 FROM x b WHERE b.email = a.email AND b.id < a.id)")'),
  keeps('op.execute("UPDATE x SET parent_id = NULL WHERE parent_id = id")', 'op.execute("UPDATE x SET parent_id = NULL WHERE parent_id = id")'),
  keeps('op.execute("UPDATE x SET parent_id = NULL WHERE parent_id NOT IN (SELE', 'op.execute("UPDATE x SET parent_id = NULL WHERE parent_id NOT IN (SELECT id FROM x)")'),
  keeps('op.execute("UPDATE x SET slug = lower(name), note = coalesce(note, \'', 'op.execute("UPDATE x SET slug = lower(name), note = coalesce(note, \'\')")'),
  keeps('op.alter_column("x", "n", existing_type=sa.Integer(), type_=sa.Numeric', 'op.alter_column("x", "n", existing_type=sa.Integer(), type_=sa.Numeric(10, 2), postgresql_using="n::numeric")'),
  keeps('op.alter_column("x", "d", existing_type=sa.Date(), type_=sa.DateTime(t', 'op.alter_column("x", "d", existing_type=sa.Date(), type_=sa.DateTime(timezone=True), postgresql_using="d::timestamptz")'),
  keeps('op.alter_column("x", "d", existing_type=sa.String(), type_=sa.Date(),', 'op.alter_column("x", "d", existing_type=sa.String(), type_=sa.Date(), postgresql_using="to_date(d, \'YYYY-MM-DD\')")'),
  keeps('op.alter_column("x", "d", existing_type=sa.String(), type_=sa.Integer(', 'op.alter_column("x", "d", existing_type=sa.String(), type_=sa.Integer(), postgresql_using="trim(d)::integer")'),
  keeps('op.get_bind().execute(sa.text("UPDATE x SET slug = :s WHERE id = :', 'for row in op.get_bind().execute(sa.text("SELECT id, name FROM x")):\n    op.get_bind().execute(sa.text("UPDATE x SET slug = :s WHERE id = :i"), {"s": row.name.lower(), "i": row.id})'),
  keeps('op.execute("CREATE VIEW v AS SELECT y FROM x")', 'op.execute("DROP VIEW v")\nop.execute("ALTER TABLE x ADD COLUMN y int")\nop.execute("CREATE VIEW v AS SELECT y FROM x")'),
  keeps('op.execute("DROP FUNCTION IF EXISTS f() CASCADE; DROP TRIGGER IF EXIST', 'op.execute("DROP FUNCTION IF EXISTS f() CASCADE; DROP TRIGGER IF EXISTS t ON x CASCADE; DROP INDEX ix CASCADE")'),
  keeps('op.execute("TRUNCATE staging") if False else None', 'op.execute("TRUNCATE staging") if False else None'),
  keeps('op.execute("ALTER TABLE x ALTER COLUMN n TYPE varchar(20)")', 'op.execute("ALTER TABLE x ALTER COLUMN n TYPE varchar(20)")'),
  keeps('op.execute("COMMENT ON COLUMN x.y IS \'DELETE FROM z\'")', 'op.execute("COMMENT ON COLUMN x.y IS \'DELETE FROM z\'")\nop.alter_column("x", "y", comment="DROP TABLE z")'),
];
