"""What revisions do with their connection ends as with plain Alembic: with the same rows, or failed with the same tables."""

from __future__ import annotations

import sys

import pytest
from alembic.config import main as alembic
from cdk_alembic.handler import MigrationFailed
from cdk_alembic.run import session
from conftest import Backend, Database, empty, eventually, invoke
from each_driver import DRIVERS
from project_kinds import SCHEMA

TABLE = 'aa = op.create_table("aa", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.Text))\n'
ORM = """
import sqlalchemy.orm as orm
Base = orm.declarative_base()
class Row(Base):
    __tablename__ = "aa"
    id = sa.Column(sa.Integer, primary_key=True)
    name = sa.Column(sa.Text)
"""

USES = {
    "a session that commits": TABLE
    + ORM
    + """
session = orm.Session(bind=op.get_bind())
session.add(Row(id=1, name="x"))
session.commit()
session.query(Row).update({"name": "y"})
session.commit()
""",
    "a session that closes": TABLE
    + ORM
    + """
with orm.Session(bind=op.get_bind()) as session, session.begin():
    session.add_all([Row(id=number, name="50%") for number in range(3)])
op.add_column("aa", sa.Column("n", sa.Integer))
""",
    "a session that rolls back": TABLE
    + ORM
    + """
session = orm.Session(bind=op.get_bind())
session.add(Row(id=1))
session.flush()
session.rollback()
op.execute("CREATE TABLE after (id int)")
""",
    "a session that catches a conflict": TABLE
    + ORM
    + """
session = orm.Session(bind=op.get_bind())
for _ in range(2):
    try:
        with session.begin_nested():
            session.add(Row(id=1, name="x"))
            session.flush()
    except sa.exc.IntegrityError:
        op.execute("INSERT INTO aa VALUES (2, 'conflict')")
session.commit()
""",
    "a session that streams": TABLE
    + ORM
    + """
session = orm.Session(bind=op.get_bind())
session.add_all([Row(id=number, name="x") for number in range(100)])
session.commit()
for row in session.query(Row).yield_per(10):
    row.name = str(row.id)
session.commit()
""",
    "savepoints in savepoints": TABLE
    + """
bind = op.get_bind()
with bind.begin_nested():
    op.execute("INSERT INTO aa VALUES (1)")
    try:
        with bind.begin_nested():
            op.execute("INSERT INTO aa VALUES (2)")
            op.execute("INSERT INTO aa VALUES (2)")
    except sa.exc.IntegrityError:
        op.execute("INSERT INTO aa VALUES (3)")
    inner = bind.begin_nested()
    op.execute("INSERT INTO aa VALUES (4)")
    inner.rollback()
    inner = bind.begin_nested()
    op.execute("INSERT INTO aa VALUES (5)")
    inner.commit()
""",
    "a savepoint in SQL": TABLE
    + """
op.execute("SAVEPOINT s")
try:
    op.execute("SELECT 1 / 0")
except sa.exc.DBAPIError:
    op.execute("ROLLBACK TO s")
op.execute("RELEASE SAVEPOINT s")
op.execute("INSERT INTO aa VALUES (1)")
""",
    "an error that is caught without a savepoint": TABLE
    + """
try:
    op.drop_index("missing")
except sa.exc.ProgrammingError:
    pass
op.execute("INSERT INTO aa VALUES (1)")
""",
    "an error that is caught at the end": TABLE
    + """
try:
    op.drop_index("missing")
except sa.exc.ProgrammingError:
    pass
""",
    "an error that a DO block catches": TABLE
    + '''
op.execute("""DO $$ BEGIN
  DROP INDEX missing;
EXCEPTION WHEN undefined_object THEN INSERT INTO aa VALUES (1);
END $$""")
''',
    "a COMMIT in SQL": TABLE
    + """
op.execute("COMMIT")
op.execute("CREATE INDEX CONCURRENTLY i ON aa (name)")
""",
    "a COMMIT at the end of a text": TABLE
    + """
op.execute("INSERT INTO aa VALUES (1); COMMIT;")
op.execute("INSERT INTO aa VALUES (2)")
""",
    "a COMMIT and a BEGIN in SQL": TABLE
    + """
op.execute("COMMIT")
op.execute("BEGIN")
op.execute("INSERT INTO aa VALUES (1)")
""",
    "a commit of the connection": TABLE
    + """
op.get_bind().commit()
op.execute("INSERT INTO aa VALUES (1)")
""",
    "a transaction of the connection": TABLE
    + """
with op.get_bind().begin():
    op.execute("INSERT INTO aa VALUES (1)")
""",
    "autocommit blocks": TABLE
    + """
with op.get_context().autocommit_block():
    op.create_index("i", "aa", ["name"], postgresql_concurrently=True)
op.execute("INSERT INTO aa VALUES (1)")
with op.get_context().autocommit_block():
    op.execute("INSERT INTO aa VALUES (2)")
    op.get_bind().execute(sa.text("INSERT INTO aa VALUES (3)"))
""",
    "an autocommit block whose statement fails": TABLE
    + """
try:
    with op.get_context().autocommit_block():
        op.execute("INSERT INTO aa VALUES (1)")
        op.execute("INSERT INTO aa VALUES (1)")
except sa.exc.IntegrityError:
    pass
op.execute("INSERT INTO aa VALUES (2)")
""",
    "an enum's new value that is used": """
op.execute("CREATE TYPE mood AS ENUM ('sad')")
op.execute("CREATE TABLE aa (mood mood)")
with op.get_context().autocommit_block():
    op.execute("ALTER TYPE mood ADD VALUE 'happy'")
op.execute("INSERT INTO aa VALUES ('happy')")
""",
    "an enum's new value that is used in its transaction": """
op.execute("CREATE TYPE mood AS ENUM ('sad')")
op.execute("COMMIT")
op.execute("BEGIN")
op.execute("ALTER TYPE mood ADD VALUE 'happy'")
""",
    "the isolation level of the connection": TABLE
    + """
op.get_bind().execution_options(isolation_level="AUTOCOMMIT")
op.execute("INSERT INTO aa VALUES (1)")
""",
    "another connection": TABLE
    + """
with op.get_bind().engine.connect() as other:
    found = other.execute(sa.text("SELECT 42")).scalar()
op.execute(f"INSERT INTO aa VALUES ({found})")
""",
    "a connection to a database of another kind": TABLE
    + """
with sa.create_engine("sqlite://").connect() as other:
    found = other.execute(sa.text("SELECT 42")).scalar()
op.execute(f"INSERT INTO aa VALUES ({found})")
""",
    "another connection that commits": TABLE
    + """
with op.get_bind().engine.begin() as other:
    other.execute(sa.text("CREATE TABLE beside (id int)"))
op.execute("INSERT INTO beside VALUES (1)")
""",
    "the driver's cursor": TABLE
    + """
cursor = op.get_bind().connection.cursor()
cursor.execute("INSERT INTO aa VALUES (1, 'x')")
cursor.execute("SELECT count(*) FROM aa")
count = cursor.fetchone()[0]
cursor.close()
op.execute(f"INSERT INTO aa VALUES ({count + 1})")
""",
    "the driver's cursor that fails": TABLE
    + """
cursor = op.get_bind().connection.cursor()
cursor.execute("SAVEPOINT s")
try:
    cursor.execute("SELECT 1 / 0")
except Exception:
    cursor.execute("ROLLBACK TO SAVEPOINT s")
op.execute("INSERT INTO aa VALUES (1)")
""",
    "percent signs and colons": TABLE
    + r"""
op.execute("INSERT INTO aa VALUES (1, '50%'), (2, 'a\:b')")
op.get_bind().exec_driver_sql("INSERT INTO aa VALUES (3, 'c:d')")
op.execute(sa.text("INSERT INTO aa VALUES (4, :name)").bindparams(name="%s :x"))
op.execute(sa.text("UPDATE aa SET name = name || '%' WHERE name LIKE '%x%'"))
op.alter_column("aa", "name", server_default="100%", comment="100% \\: done")
op.execute("INSERT INTO aa (id) VALUES (5)")
""",
    "parameters of all kinds": TABLE
    + """
bind = op.get_bind()
bind.execute(aa.insert(), [{"id": 1, "name": "x"}, {"id": 2, "name": None}])
bind.execute(sa.text("UPDATE aa SET name = :name WHERE id = :id"), [{"id": 1, "name": "y"}, {"id": 2, "name": "z"}])
key = bind.execute(aa.insert().values(id=3).returning(aa.c.id)).scalar_one()
bind.execute(aa.delete().where(aa.c.id == key))
op.bulk_insert(aa, [{"id": number} for number in range(10, 2000)])
bind.execute(aa.update().where(aa.c.id > 1990).values(name=sa.func.upper("n")))
""",
    "a server-side cursor": TABLE
    + """
op.bulk_insert(aa, [{"id": number} for number in range(100)])
rows = op.get_bind().execution_options(stream_results=True).execute(sa.select(aa.c.id))
total = sum(row[0] for row in rows)
op.execute(f"INSERT INTO aa VALUES (1000, '{total}')")
""",
    "reflection": TABLE
    + """
bind = op.get_bind()
assert sa.inspect(bind).has_table("aa")
if "name" in [column["name"] for column in sa.inspect(bind).get_columns("aa")]:
    op.alter_column("aa", "name", new_column_name="title")
table = sa.Table("aa", sa.MetaData(), autoload_with=bind)
op.bulk_insert(table, [{"id": 1, "title": "x"}])
""",
    "a batch": TABLE
    + """
with op.batch_alter_table("aa") as batch:
    batch.add_column(sa.Column("n", sa.Integer, server_default="7"))
    batch.alter_column("name", nullable=True, type_=sa.String(50))
    batch.create_index("i", ["n"])
op.execute("INSERT INTO aa (id) VALUES (1)")
""",
    "settings of the session": TABLE
    + """
op.execute("SET LOCAL lock_timeout = '2s'")
op.execute("SET statement_timeout = 0")
op.execute("SET search_path = public, pg_catalog")
op.execute("SET TIME ZONE 'America/New_York'")
op.execute("INSERT INTO aa SELECT 1, current_setting('TimeZone')")
op.execute("RESET ALL")
op.execute("INSERT INTO aa SELECT 2, current_setting('search_path')")
""",
    "another role": TABLE
    + """
op.execute("SET ROLE pg_database_owner")
op.execute("CREATE TABLE of_owner (id int)")
op.execute("RESET ROLE")
op.execute("INSERT INTO aa SELECT 1, tableowner FROM pg_tables WHERE tablename = 'of_owner'")
op.execute("ALTER TABLE of_owner OWNER TO CURRENT_USER")
""",
    "temporary tables": TABLE
    + """
op.execute("CREATE TEMP TABLE work ON COMMIT DROP AS SELECT generate_series(1, 3) AS id")
op.execute("INSERT INTO aa SELECT id FROM work")
""",
    "its own advisory lock": TABLE
    + """
op.execute("SELECT pg_advisory_xact_lock(42)")
op.execute("SELECT pg_advisory_lock(43)")
op.execute("SELECT pg_advisory_unlock_all()")
op.execute("INSERT INTO aa VALUES (1)")
""",
    "deferred constraints": TABLE
    + """
op.execute("CREATE TABLE bb (id int REFERENCES aa DEFERRABLE INITIALLY DEFERRED)")
op.execute("INSERT INTO bb VALUES (1)")
op.execute("INSERT INTO aa VALUES (1)")
""",
    "deferred constraints that fail": TABLE
    + """
op.execute("CREATE TABLE bb (id int REFERENCES aa DEFERRABLE INITIALLY DEFERRED)")
op.execute("INSERT INTO bb VALUES (1)")
""",
    "a procedure that commits": TABLE
    + """
op.execute("CREATE PROCEDURE fill() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO aa VALUES (1); COMMIT; END $$")
with op.get_context().autocommit_block():
    op.execute("CALL fill()")
""",
    "a trigger and notices": TABLE
    + """
op.execute(
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE NOTICE '50%%'; NEW.name = 'set'; RETURN NEW; END $$"
)
op.execute("CREATE TRIGGER t BEFORE INSERT ON aa FOR EACH ROW EXECUTE FUNCTION f()")
op.execute("INSERT INTO aa VALUES (1)")
""",
    "several statements in one text": TABLE
    + """
op.execute("INSERT INTO aa VALUES (1); INSERT INTO aa VALUES (2)")
""",
    "DDL elements": TABLE
    + """
op.execute(sa.DDL("INSERT INTO aa VALUES (1, '50%%')"))
op.execute(sa.schema.CreateSequence(sa.Sequence("s")))
op.execute(sa.schema.CreateIndex(sa.Index("i", aa.c.name)))
sa.Table("cc", sa.MetaData(), sa.Column("id", sa.Integer)).create(op.get_bind(), checkfirst=True)
""",
    "metadata that is created": TABLE
    + """
metadata = sa.MetaData()
sa.Table("cc", metadata, sa.Column("id", sa.Integer), sa.Column("mood", sa.Enum("sad", "happy", name="mood")))
sa.Table("dd", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("data", sa.JSON))
metadata.create_all(op.get_bind())
metadata.create_all(op.get_bind())
""",
    "SystemExit": TABLE + "raise SystemExit(3)",
    "a rollback of the connection": TABLE
    + """
op.get_bind().rollback()
op.execute("CREATE TABLE after (id int)")
""",
    "a rollback in SQL": TABLE
    + """
op.execute("ROLLBACK")
op.execute("CREATE TABLE after (id int)")
""",
    "a transaction in SQL": """
op.execute("BEGIN")
op.execute("CREATE TABLE aa (id int)")
op.execute("COMMIT")
""",
    "a closed connection": TABLE + "op.get_bind().close()",
    "a connection that is replaced": TABLE + "op.get_bind().invalidate()",
    "two-phase commit": TABLE + "op.execute(\"PREPARE TRANSACTION 'x'\")",
    "op.run_async": TABLE
    + """
async def work(connection):
    await connection.execute(sa.text("INSERT INTO aa VALUES (1)"))
op.run_async(work)
""",
    "a thread": TABLE
    + """
import threading
found = []
def work():
    with op.get_bind().engine.connect() as other:
        found.append(other.execute(sa.text("SELECT 42")).scalar())
if op.get_bind().dialect.is_async:
    found.append(42)
else:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
op.execute(f"INSERT INTO aa VALUES ({found[0]})")
""",
}

# pg8000 fails to commit an autocommit block of plain Alembic; the runner helps it.
CASES = [
    (use, *driver)
    for use, text in USES.items()
    for driver in DRIVERS
    if "pg8000" not in driver[1] or "autocommit_block" not in text
]

ROWS = """
SELECT tablename, query_to_xml(format('SELECT * FROM %I ORDER BY 1', tablename), true, false, '')::text
FROM pg_tables WHERE schemaname = 'public' ORDER BY 1
"""
INDEXES = """
SELECT indexname, indisvalid FROM pg_indexes JOIN pg_index ON indexrelid = indexname::regclass
WHERE schemaname = 'public' ORDER BY 1
"""


def by_alembic() -> bool:
    """Whether Alembic succeeds."""
    try:
        alembic(["upgrade", "head"])
    except (Exception, SystemExit):
        return False
    return True


def by_runner() -> bool:
    try:
        invoke()
    except MigrationFailed:
        return False
    return True


@pytest.mark.parametrize(("use", "template", "scheme"), CASES)
def test_the_result_is_the_same_as_with_alembic(
    package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, use: str, template: str, scheme: str
) -> None:
    # The runner sets its limits before each statement.
    monkeypatch.setattr(session, "REFRESH_SECONDS", 0)
    monkeypatch.chdir(package.directory)
    package.initialise(database.url(scheme), template)
    package.configure_with("transaction_per_migration=True")
    package.revision("aa", None, USES[use])
    package.table_revision("bb", "aa")
    ends = []
    for migrate in (by_alembic, by_runner):
        empty(database)
        succeeded = migrate()
        tables = [table for table in database.rows(ROWS) if succeeded or table[0] != "alembic_version"]
        ends.append((succeeded, tables, database.rows(SCHEMA), database.rows(INDEXES)))
    assert ends[0] == ends[1]


ENGINE = """
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine

engine = {create}("{url}", pool_size=1)
"""
ENV = """
import asyncio
from alembic import context
from shared_engine import engine

def migrate(connection):
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()

async def connect():
    async with engine.connect() as connection:
        await connection.run_sync(migrate)

if hasattr(engine, "sync_engine"):
    asyncio.run(connect())
else:
    with engine.connect() as connection:
        migrate(connection)
"""


@pytest.mark.every_driver
@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_no_connection_outlives_an_env_py_whose_engine_belongs_to_the_application(
    package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, template: str, scheme: str
) -> None:
    create = "create_async_engine" if template == "async" else "create_engine"
    package.initialise(database.url(scheme))
    (package.directory / "shared_engine.py").write_text(ENGINE.format(create=create, url=database.url(scheme)))
    monkeypatch.syspath_prepend(str(package.directory))
    monkeypatch.delitem(sys.modules, "shared_engine", raising=False)
    package.write_env(ENV)
    package.table_revision("aa")
    assert invoke({"command": "plan"})["status"] == "pending"
    assert eventually(lambda: not sessions(database))
    package.table_revision("bb", "aa")
    assert invoke()["to"] == ["bb"]
    assert eventually(lambda: not sessions(database))
    assert database.tables() == ["aa", "alembic_version", "bb"]


def sessions(database: Database) -> list[tuple[int]]:
    """Other sessions in the database. They end a moment after their connection was closed."""
    others = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    return database.rows(f"SELECT pid FROM pg_stat_activity WHERE {others}")
