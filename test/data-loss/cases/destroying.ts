import { type Case, defines, destroys } from './case';

const SQL_FILE = 'from pathlib import Path\nHERE = Path(__file__).parent\n';

/** Revisions that lose existing rows or values. */
export const DESTROYING: readonly Case[] = [
  destroys('drop_table', 'drop-table', 'op.drop_table("users")'),
  destroys('drop_table with its name as a keyword', 'drop-table', 'op.drop_table(table_name="users", schema="app")'),
  destroys('below if', 'drop-table', 'if sa.inspect(op.get_bind()).has_table("users"):\n    op.drop_table("users")'),
  destroys('below try', 'drop-table', 'try:\n    op.drop_table("users")\nexcept sa.exc.ProgrammingError:\n    pass'),
  destroys('in an exception handler', 'drop-table', 'try:\n    check()\nexcept Exception:\n    op.execute("DROP TABLE users")'),
  destroys('in a finally', 'truncate', 'try:\n    pass\nfinally:\n    op.execute("TRUNCATE users")'),
  defines(
    'upgrade defined below if',
    'drop-table',
    'if True:\n    def upgrade():\n        op.drop_table("users")\nelse:\n    def upgrade():\n        pass',
  ),
  defines(
    'upgrade defined below try',
    'drop-table',
    'try:\n    import orjson\n    def upgrade():\n        pass\nexcept ImportError:\n    def upgrade():\n        op.drop_table("users")',
  ),
  defines('upgrade is another name of a function', 'drop-table', 'def run():\n    op.drop_table("users")\n\nupgrade = run'),
  destroys('op under another name', 'drop-table', 'o.drop_table("users")', { head: 'from alembic import op as o' }),
  destroys('a function of op that was imported', 'drop-table', 'drop_table("users")', {
    head: 'from alembic.op import drop_table',
  }),
  destroys('a function of op in a variable', 'drop-table', 'drop = op.drop_table\ndrop("users")'),
  destroys('alembic.op with its whole name', 'drop-column', 'alembic.op.drop_column("users", "email")', {
    head: 'import alembic.op',
  }),
  destroys('getattr', 'drop-table', 'getattr(op, "drop_" + "table")("users")'),
  destroys('functools.partial', ['drop-column', 'drop-column'], 'for column in ("email", "name"):\n    drop(column)', {
    head: 'from functools import partial\ndrop = partial(op.drop_column, "users")',
  }),
  destroys('op.invoke of a directive', 'drop-table', 'op.invoke(ops.DropTableOp("users"))', {
    head: 'from alembic.operations import ops',
  }),
  destroys('op.invoke of a column directive', 'drop-column', 'op.invoke(DropColumnOp("users", "email"))', {
    head: 'from alembic.operations.ops import DropColumnOp',
  }),
  destroys('Table.drop', 'drop-table', 'users = sa.Table("users", sa.MetaData())\nusers.drop(op.get_bind())'),
  destroys(
    'a reflected table that is dropped',
    'drop-table',
    'bind = op.get_bind()\nmeta = sa.MetaData()\nmeta.reflect(bind=bind)\nmeta.tables["users"].drop(bind)',
  ),
  destroys('metadata.drop_all', 'drop-table', 'sa.MetaData().drop_all(op.get_bind())'),
  destroys(
    'batch_alter_table',
    'drop-column',
    'with op.batch_alter_table("users", schema=None) as batch_op:\n    batch_op.drop_column("email")',
  ),
  destroys(
    'batch_alter_table without with',
    ['drop-column', 'drop-column'],
    'with op.batch_alter_table("users") as b:\n    for name in ["email", "name"]:\n        b.drop_column(name)',
  ),
  destroys('a helper of the same file', 'drop-table', 'tidy("users")', {
    head: 'def tidy(table):\n    really(table)\n\ndef really(table):\n    op.drop_table(table)',
  }),
  destroys('a helper of the backend', 'drop-table', 'drop_if_exists("users")', {
    head: 'from app.db.migration_helpers import drop_if_exists',
    files: {
      'app/__init__.py': '',
      'app/db/__init__.py': '',
      'app/db/migration_helpers.py':
        'from alembic import op\n\ndef drop_if_exists(name):\n    op.execute(f"DROP TABLE IF EXISTS {name}")\n',
    },
  }),
  destroys('a helper module', 'truncate', 'helpers.empty("users")', {
    head: 'from app import helpers',
    files: {
      'app/__init__.py': '',
      'app/helpers.py': 'from alembic import op\n\ndef empty(*names):\n    op.execute("TRUNCATE " + ", ".join(names))\n',
    },
  }),
  destroys('a helper beside the revision', 'drop-table', 'gone("users")', {
    head: 'from alembic.versions_helpers import gone'.replace('alembic.versions_helpers', '_helpers'),
    files: { 'alembic/versions/_helpers.py': 'from alembic import op\n\ndef gone(name):\n    op.drop_table(name)\n' },
  }),
  destroys('a class that does it', 'drop-table', 'Cleanup(op).run("users")', {
    head: 'class Cleanup:\n    def __init__(self, operations):\n        self.operations = operations\n\n    def run(self, name):\n        self.operations.drop_table(name)',
  }),
  destroys('a lambda', 'drop-table', 'drop = lambda name: op.execute("DROP TABLE " + name)\ndrop("users")'),
  destroys('a loop over a tuple', ['drop-table', 'drop-table'], 'for table in TABLES:\n    op.drop_table(table)', {
    head: 'TABLES = ("users", "teams")',
  }),
  destroys('a comprehension', 'drop-table', '[op.drop_table(name) for name in ("users",)]'),
  destroys(
    'a loop over what the database has',
    'drop-table',
    'for name in sa.inspect(op.get_bind()).get_table_names():\n    op.drop_table(name)',
  ),
  destroys('an f-string', 'drop-table', 'op.execute(f"DROP TABLE {SCHEMA}.users")', { head: 'SCHEMA = "app"' }),
  destroys('a sum of texts', 'drop-table', 'verb = "DROP"\nop.execute(verb + " TABLE " + "users")'),
  destroys('%', 'drop-table', 'op.execute("DROP TABLE %s" % "users")'),
  destroys('format', 'drop-table', 'op.execute("{} TABLE {name}".format("DROP", name="users"))'),
  destroys('join', 'drop-table', 'op.execute(" ".join(["DROP", "TABLE", "users"]))'),
  destroys('several statements that are joined', 'delete-all', 'op.execute(";".join(["SELECT 1", "DELETE FROM users"]))'),
  destroys('dedent', 'drop-table', 'op.execute(dedent("""\n    DROP TABLE\n      users\n"""))', {
    head: 'from textwrap import dedent',
  }),
  destroys('replace', 'drop-table', 'op.execute("DROP TABLE :table".replace(":table", "users"))'),
  destroys('bytes', 'drop-table', 'op.get_bind().connection.cursor().execute(b"DROP TABLE users")'),
  destroys('sa.text', 'truncate', 'op.get_bind().execute(sa.text("TRUNCATE TABLE users RESTART IDENTITY CASCADE"))'),
  destroys('DDL that executes itself', 'drop-table', 'sa.DDL("DROP TABLE users").execute(op.get_bind())'),
  destroys(
    'a variable that depends on something',
    'drop-table',
    'if op.get_context().as_sql:\n    sql = "SELECT 1"\nelse:\n    sql = "DROP TABLE users"\nop.execute(sql)',
  ),
  destroys('a file of SQL', 'drop-table', 'op.execute((HERE / "gone.sql").read_text())', {
    head: SQL_FILE,
    files: { 'alembic/versions/gone.sql': '-- gone\nSELECT 1;\nDROP TABLE users;\n' },
  }),
  destroys(
    'a file of SQL that is opened',
    'delete-all',
    'path = os.path.join(os.path.dirname(__file__), "..", "sql", "gone.sql")\nwith open(path) as file:\n    op.execute(sa.text(file.read()))',
    {
      head: 'import os',
      files: { 'alembic/sql/gone.sql': 'DELETE FROM users;' },
    },
  ),
  destroys(
    'statements of a file, one by one',
    'drop-table',
    'for statement in SQL.split(";"):\n    if statement.strip():\n        op.execute(statement)',
    {
      head: `${SQL_FILE}SQL = (HERE / "gone.sql").read_text(encoding="utf-8")`,
      files: { 'alembic/versions/gone.sql': 'SELECT 1;\nDROP TABLE users;\n' },
    },
  ),
  destroys('DROP TABLE with a comment between', 'drop-table', 'op.execute("DROP /* now */ TABLE users")'),
  destroys(
    'DROP TABLE after other statements',
    'drop-table',
    'op.execute("CREATE TABLE x (id int); INSERT INTO x SELECT id FROM users; DROP TABLE users")',
  ),
  destroys(
    'a copy that was renamed',
    'drop-table',
    'op.rename_table("users", "users_old")\nop.create_table("users", sa.Column("id", sa.Integer))\nop.drop_table("users_old")',
  ),
  destroys('ALTER TABLE DROP without COLUMN', 'drop-column', 'op.execute("ALTER TABLE users ADD a int, DROP IF EXISTS email")'),
  destroys('an attribute of a composite type', 'drop-column', 'op.execute("ALTER TYPE address DROP ATTRIBUTE street CASCADE")'),
  destroys(
    'a column that was renamed first',
    'drop-column',
    'op.alter_column("users", "email", new_column_name="old_email")\nop.add_column("users", sa.Column("email", sa.Text()))\nop.drop_column("users", "old_email")',
  ),
  destroys('DROP SCHEMA', 'drop-schema', 'op.execute("DROP SCHEMA IF EXISTS old CASCADE")'),
  destroys('DropSchema', 'drop-schema', 'op.execute(sa.schema.DropSchema("old", cascade=True))'),
  destroys('DROP OWNED', 'drop-owned', 'op.execute("DROP OWNED BY reporting")'),
  destroys('DROP TYPE CASCADE', 'drop-type', 'op.execute("DROP TYPE mood CASCADE")'),
  destroys(
    'an enum that is dropped without a check',
    'drop-type',
    'sa.Enum("a", "b", name="mood").drop(op.get_bind(), checkfirst=False)',
  ),
  destroys('DROP VIEW CASCADE', 'drop-cascade', 'op.execute("DROP VIEW active_users CASCADE")'),
  destroys('DROP EXTENSION CASCADE', 'drop-cascade', 'op.execute("DROP EXTENSION IF EXISTS hstore CASCADE")'),
  destroys('a materialized view', 'drop-materialized-view', 'op.execute("DROP MATERIALIZED VIEW monthly")'),
  destroys('DETACH PARTITION', 'detach-partition', 'op.execute("ALTER TABLE events DETACH PARTITION events_2024 CONCURRENTLY")'),
  destroys('TRUNCATE of several', ['truncate', 'truncate'], 'op.execute("TRUNCATE ONLY users, teams")'),
  destroys('DELETE', 'delete-all', 'op.execute("DELETE FROM users -- WHERE id = 1")'),
  destroys('DELETE WHERE true', 'delete-all', 'op.execute("DELETE FROM users WHERE true")'),
  destroys('DELETE WHERE 1=1', 'delete-all', 'op.execute("DELETE FROM users WHERE 1=1")'),
  destroys('DELETE WHERE id IS NOT NULL', 'delete-all', 'op.execute("DELETE FROM users WHERE id IS NOT NULL")'),
  destroys('DELETE WHERE of a column with itself', 'delete-all', 'op.execute("DELETE FROM users WHERE name = name OR id = 3")'),
  destroys(
    'DELETE in batches',
    'delete-all',
    'while op.get_bind().execute(sa.text("DELETE FROM users WHERE id IN (SELECT id FROM users LIMIT 1000)")).rowcount:\n    pass',
  ),
  destroys(
    'DELETE in a CTE',
    'delete-all',
    'op.execute("WITH gone AS (DELETE FROM users RETURNING *) INSERT INTO archive SELECT * FROM gone")',
  ),
  destroys(
    'DELETE in a CTE of a SELECT',
    'delete-all',
    'op.execute("WITH gone AS (DELETE FROM users RETURNING id) SELECT count(*) FROM gone")',
  ),
  destroys(
    'MERGE ... DELETE',
    'delete-all',
    'op.execute("MERGE INTO users u USING gone g ON u.id = g.id WHEN MATCHED THEN DELETE")',
  ),
  destroys('sa.delete', 'delete-all', 'op.execute(sa.delete(sa.table("users")))'),
  destroys('table.delete', 'delete-all', 'users = sa.table("users", sa.column("id"))\nop.execute(users.delete())'),
  destroys(
    'table.delete where true',
    'delete-all',
    'users = sa.table("users", sa.column("id"))\nop.execute(users.delete().where(sa.true()))',
  ),
  destroys(
    'a query of a session',
    'delete-all',
    'session = Session(bind=op.get_bind())\nsession.query(User).delete(synchronize_session=False)',
    {
      head: 'from sqlalchemy.orm import Session, declarative_base\n\nclass User(declarative_base()):\n    __tablename__ = "users"\n    id = sa.Column(sa.Integer, primary_key=True)',
    },
  ),
  destroys(
    'each object of a session',
    'delete-all',
    'session = orm.Session(bind=op.get_bind())\nfor user in session.query(User).all():\n    session.delete(user)',
    {
      head: 'from sqlalchemy import orm\nfrom app.models import User',
    },
  ),
  destroys('UPDATE to NULL', 'clear-column', 'op.execute("UPDATE users SET email = NULL")'),
  destroys(
    'UPDATE to NULL of what is not NULL',
    'clear-column',
    'op.execute("UPDATE users SET email = NULL WHERE email IS NOT NULL")',
  ),
  destroys(
    'sa.update to None',
    'clear-column',
    'users = sa.table("users", sa.column("email"))\nop.get_bind().execute(sa.update(users).values(email=None))',
  ),
  destroys(
    'UPDATE to an empty text in a CTE',
    'clear-column',
    'op.execute("WITH x AS (UPDATE users SET email = \'\' RETURNING id) SELECT 1")',
  ),
  destroys('USING NULL', 'convert-column', 'op.execute("ALTER TABLE users ALTER COLUMN age TYPE integer USING NULL")'),
  destroys(
    'USING NULL with a cast',
    'convert-column',
    'op.alter_column("users", "age", type_=sa.Integer(), postgresql_using="NULL::integer")',
  ),
  destroys(
    'USING left()',
    'convert-column',
    'op.alter_column("users", "name", type_=sa.String(10), existing_type=sa.Text(), postgresql_using="left(name, 10)")',
  ),
  destroys(
    'USING a cast that cuts',
    'convert-column',
    'op.execute("ALTER TABLE users ALTER name TYPE varchar(10) USING name::varchar(10)")',
  ),
  destroys(
    'a timestamp that becomes a date',
    'convert-column',
    'op.alter_column("users", "created_at", existing_type=sa.DateTime(), type_=sa.Date())',
  ),
  destroys(
    'fractions that become whole',
    'convert-column',
    'op.alter_column("orders", "total", existing_type=sa.Numeric(12, 2), type_=sa.Integer())',
  ),
  destroys('DROP TABLE in a DO block', 'drop-table', 'op.execute("DO $$ BEGIN DROP TABLE users; END $$")'),
  destroys(
    'TRUNCATE in a DO block below IF',
    'truncate',
    'op.execute("""\nDO $$\nBEGIN\n  IF EXISTS (SELECT 1 FROM pg_tables WHERE tablename = \'users\') THEN\n    TRUNCATE TABLE users;\n  END IF;\nEND\n$$;\n""")',
  ),
  destroys('EXECUTE of a text in a DO block', 'drop-table', 'op.execute("DO $$ BEGIN EXECUTE \'DROP TABLE users\'; END $$")'),
  destroys(
    'EXECUTE format() in a DO block',
    'drop-table',
    'op.execute("DO $$ DECLARE t text; BEGIN FOR t IN SELECT tablename FROM pg_tables LOOP EXECUTE format(\'DROP TABLE %I\', t); END LOOP; END $$")',
  ),
  destroys(
    'a function that the revision makes and calls',
    'delete-all',
    'op.execute("CREATE FUNCTION purge() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DELETE FROM users; END $$")\nop.execute("SELECT purge()")',
  ),
  defines(
    'a template for several databases',
    'drop-table',
    'def upgrade(engine_name):\n    globals()["upgrade_%s" % engine_name]()\n\ndef upgrade_main():\n    op.drop_table("users")\n\ndef upgrade_other():\n    pass',
  ),
  destroys('statements of a generator', 'drop-table', 'for sql in statements():\n    op.execute(sql)', {
    head: 'def statements():\n    yield "SELECT 1"\n    yield "DROP TABLE users"',
  }),
  destroys(
    'DELETE in batches of ctid',
    'delete-all',
    'op.execute("DELETE FROM users WHERE ctid = ANY(ARRAY(SELECT ctid FROM users LIMIT 1000))")',
  ),
  destroys(
    'a procedure that the revision makes and calls',
    'delete-all',
    'op.execute("CREATE PROCEDURE p() LANGUAGE sql AS $$ DELETE FROM users $$; CALL p()")',
  ),
  destroys('a file of a package', 'drop-table', 'op.execute(files("app.sql").joinpath("gone.sql").read_text())', {
    head: 'from importlib.resources import files',
    files: { 'app/__init__.py': '', 'app/sql/__init__.py': '', 'app/sql/gone.sql': 'DROP TABLE users' },
  }),
  destroys('run_async', 'drop-table', 'op.run_async(gone)', {
    head: 'async def gone(connection):\n    await connection.execute(sa.text("DROP TABLE users"))',
  }),
];
