"""Revisions to interrupt at any moment, and checks that the version table, the schema and the run history agree."""

from __future__ import annotations

from conftest import Backend, Database
from processes import Call

SESSIONS = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
BLOCK = "with op.get_context().autocommit_block():\n    "

# Revision: its upgrade and what is there when it is applied. Those that commit by themselves can be run again.
SLEEP = 'op.execute("SELECT pg_sleep(0.02)")'
# An index over it takes a while, so that kills meet it half built.
SLOW = "CREATE FUNCTION slow(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.002); RETURN $1; END $$"
TRANSACTIONAL = {
    "r0": ['op.create_table("r0", sa.Column("id", sa.Integer))', 'op.execute("INSERT INTO r0 SELECT generate_series(1, 20)")'],
    "r2": ['op.execute("CREATE TABLE r2 (id int)")', SLEEP, 'op.execute("CREATE TABLE r2b (id int)")', f'op.execute("{SLOW}")'],
    "r4": ['op.add_column("r0", sa.Column("r4", sa.Text))', "op.execute(\"UPDATE r0 SET r4 = 'x'\")"],
    "r6": ['op.execute("ALTER TABLE r2 RENAME TO r6")', SLEEP, 'op.execute("CREATE TABLE r2 (id int)")'],
}
BY_ITSELF = {
    "r1": [BLOCK + 'op.create_index("ix_r1", "r0", ["id"], postgresql_concurrently=True, if_not_exists=True)'],
    "r3": [BLOCK + 'op.execute("CREATE TABLE IF NOT EXISTS r3 (id int)")', SLEEP],
    "r5": [BLOCK + 'op.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_r5 ON r0 (slow(id))")'],
}
REVISIONS = sorted({**TRANSACTIONAL, **BY_ITSELF})

# What each revision leaves: true or false, in one query.
PRESENT = {
    "r0": "to_regclass('r0') IS NOT NULL",
    "r1": "EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('ix_r1') AND indisvalid)",
    "r2": "to_regclass('r2') IS NOT NULL AND to_regclass('r2b') IS NOT NULL",
    "r3": "to_regclass('r3') IS NOT NULL",
    "r4": "EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('r0') AND attname = 'r4')",
    "r5": "EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('ix_r5') AND indisvalid)",
    "r6": "to_regclass('r6') IS NOT NULL",
}


def write_revisions(package: Backend) -> None:
    down = None
    for revision in REVISIONS:
        down = package.revision(revision, down, "\n".join({**TRANSACTIONAL, **BY_ITSELF}[revision]))


def finish() -> int:
    """Runs to the end, and drops an invalid index if the first run names one. Returns the number of invalid indexes."""
    answer = Call().answer()
    found = 0
    if answer["status"] != "complete":
        drop_invalid_index(answer)
        found = 1
        answer = Call({"allow": ["drop_invalid_indexes"]}).answer()
    assert answer["status"] == "complete", answer
    assert answer["to"] == ["r6"]
    return found


def drop_invalid_index(answer: dict[str, object]) -> None:
    assert answer["error"]["code"] == "invalid_index", answer
    assert Call({"allow": ["drop_invalid_indexes"], "sliceSeconds": 0}).answer()["status"] in ("partial", "complete")


def state(database: Database) -> tuple[list[str], set[str]]:
    """The revisions that the version table says are applied, and those whose work is there."""
    with database.connect() as connection:
        row = connection.execute(f"SELECT {', '.join(PRESENT.values())}").fetchone()
        has_versions = connection.execute("SELECT to_regclass('alembic_version') IS NOT NULL").fetchone()[0]
        versions = connection.execute("SELECT version_num FROM alembic_version").fetchall() if has_versions else []
    assert len(versions) <= 1
    applied = REVISIONS[: REVISIONS.index(versions[0][0]) + 1] if versions else []
    return applied, {revision for revision, there in zip(PRESENT, row, strict=True) if there}


def check(database: Database) -> list[str]:
    """Checks that the version table, the schema and the run history agree. Returns the applied revisions."""
    applied, present = state(database)
    assert present >= set(applied), f"stamped {applied}, and there is {sorted(present)}"
    assert not (present - set(applied)) & set(TRANSACTIONAL), f"stamped {applied}, and there is {sorted(present)}"
    recorded = recorded_revisions(database)
    assert recorded == set(applied), f"stamped {applied}, and recorded {sorted(recorded)}"
    return applied


def recorded_revisions(database: Database) -> set[str]:
    with database.connect() as connection:
        if not connection.execute("SELECT to_regclass('cdk_alembic.run_revision') IS NOT NULL").fetchone()[0]:
            return set()
        return {row[0] for row in connection.execute("SELECT revision FROM cdk_alembic.run_revision")}


def empty(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public; DROP SCHEMA IF EXISTS cdk_alembic CASCADE")
