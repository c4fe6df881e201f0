"""Runs statements, and what the review advises instead, each in a new schema `shop`; prints what the catalog then says of both.

Standard input: a JSON list of `{"given": sql, "statement": sql, "advice": python}`. The environment names the database.
"""

import json
import os
import sys

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

CATALOG = """
SELECT 'index ' || indexrelid::regclass, pg_get_indexdef(indexrelid), indisvalid::text FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = current_schema()::regnamespace
UNION ALL SELECT 'constraint ' || conrelid::regclass || '.' || conname, pg_get_constraintdef(oid), convalidated::text
  FROM pg_constraint WHERE connamespace = current_schema()::regnamespace AND contype <> 'n'
UNION ALL SELECT 'column ' || attrelid::regclass || '.' || attname, format_type(atttypid, atttypmod) || coalesce(
    (SELECT ' DEFAULT ' || pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = attrelid AND adnum = attnum), '')
    || attidentity::text || attgenerated::text
    || coalesce((SELECT ' COLLATE ' || collname FROM pg_collation WHERE oid = attcollation), ''), attnotnull::text
  FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
  WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
UNION ALL SELECT 'sequence ' || seqrelid::regclass, seqtypid::regtype || ' ' || seqstart || ' ' || seqincrement,
    refobjid::regclass || '.' || attname FROM pg_sequence JOIN pg_class c ON c.oid = seqrelid
    JOIN pg_depend d ON d.objid = seqrelid AND d.classid = 'pg_class'::regclass AND refobjsubid > 0
    JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid WHERE c.relnamespace = current_schema()::regnamespace
ORDER BY 1
"""


def catalog(engine: sa.Engine, given: str, path: str, run) -> list[list[str]]:
    """`path`: the search path while it runs."""
    with engine.connect() as connection:
        for statement in ("DROP SCHEMA IF EXISTS shop CASCADE", "CREATE SCHEMA shop", "SET search_path = shop", given):
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql(f"SET search_path = {path}")
        connection.commit()
        run(connection)
        connection.exec_driver_sql("SET search_path = shop")
        connection.commit()
        rows = connection.exec_driver_sql(CATALOG).all()
        connection.exec_driver_sql("DROP SCHEMA shop CASCADE")
        connection.commit()
    return [[part.replace("shop.", "") for part in row] for row in rows]


# The usual one, https://alembic.sqlalchemy.org/en/latest/naming.html: it must not change a name that is already final.
CONVENTION = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def advised(code: str):
    def run(connection: sa.Connection) -> None:
        models = sa.MetaData(naming_convention=CONVENTION)
        context = MigrationContext.configure(connection, opts={"target_metadata": models})
        with Operations.context(context) as op, context.begin_transaction():
            exec(code, {"op": op, "sa": sa})

    return run


def main() -> None:
    engine = sa.create_engine(os.environ["DATABASE"])
    found = []
    for case in json.load(sys.stdin):
        statement = case["statement"]
        try:
            sql = statement.replace("%", "%%")
            path = "public" if "shop." in sql else "shop"
            meant = catalog(engine, case["given"], path, lambda connection, sql=sql: connection.exec_driver_sql(sql))
            built = catalog(engine, case["given"], path, advised(case["advice"]))
        except Exception as error:
            meant, built = [], [[str(error)]]
        found.append({"statement": statement, "advice": case["advice"], "meant": meant, "built": built})
    json.dump(found, sys.stdout)


main()
