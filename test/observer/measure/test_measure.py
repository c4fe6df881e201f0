"""A revision runs once on filled tables, and what it held and wrote is reported."""

from __future__ import annotations

from typing import Any

import pytest
from each_driver import DRIVERS
from observing import Observed

LIMITS = {"rows": 2000, "bytes": 10**9, "seconds": 600}
TABLE = 'op.execute("CREATE TABLE users (id serial PRIMARY KEY, name text, n text)")'


def measured(observed: Observed, *revisions: str, rows: int = 5000, after: dict[str, Any] | None = None, **ask: Any) -> list[Any]:
    """MeasuredFacts, one for each revision."""
    wanted = [{"revision": one, "tables": ["users"], "after": after or {}, "added": {}} for one in revisions]
    columns = [{"name": "name", "nulls": 0.5, "distinct": -1, "width": 30}]
    tables = [{"name": "users", "rows": rows, "columns": columns}]
    reports = observed.ask({"ask": "measure", "revisions": wanted, "tables": tables, "limits": LIMITS, **ask})
    assert reports[-1] == {"report": "end"}, f"{reports[-1:]}\n{observed.printed[-3000:]}"
    return [report["measured"] for report in reports if report["report"] == "measured"]


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_a_transaction_is_measured_with_its_locks_rows_and_bytes(observed: Observed, template: str, scheme: str) -> None:
    observed.initialise(f"{scheme}://nobody:secret@127.0.0.1:1/nowhere", template)
    observed.revision("aa", None, TABLE)
    # The revision itself sees the rows.
    rows = 'assert op.get_bind().execute(sa.text("SELECT count(*), count(name) FROM users")).fetchone() == (2000, 1000)\n'
    observed.revision("bb", "aa", f'{rows}op.create_index("ix", "users", ["name"])')
    (facts,) = measured(observed, "bb")
    assert facts["revision"] == "bb"
    (table,) = facts["tables"]
    assert (table["table"], table["rows"], table["productionRows"], table["limit"]) == ("users", 2000, 5000, "rows")
    assert table["longestReadMilliseconds"] >= 0
    assert table["longestWriteMilliseconds"] >= 0
    (share,) = [lock for lock in table["locks"] if lock["mode"] == "ShareLock"]
    assert share["milliseconds"] > 0
    # The index alone has 2,000 entries of 30 bytes.
    assert facts["walBytes"] > 30_000
    assert facts["sortMilliseconds"] > 0


def test_work_outside_of_a_transaction_is_measured(observed: Observed) -> None:
    observed.revision("aa", None, TABLE)
    concurrently = 'op.create_index("ix", "users", ["name"], postgresql_concurrently=True)'
    observed.revision("bb", "aa", f"with op.get_context().autocommit_block():\n    {concurrently}")
    (facts,) = measured(observed, "bb")
    assert "reason" not in facts
    assert [table["rows"] for table in facts["tables"]] == [2000]
    assert facts["milliseconds"] > 0
    # Nothing that a poll may miss is asserted; test_beside.py has these locks.


def test_each_revision_runs_on_tables_as_full_as_for_the_first_one(observed: Observed) -> None:
    observed.revision("aa", None, TABLE)
    observed.revision("bb", "aa", 'op.execute("DELETE FROM users")')
    observed.revision("cc", "bb", 'op.execute("ALTER TABLE users ALTER id TYPE bigint")')
    first, second = measured(observed, "bb", "cc", rows=300)
    for facts in (first, second):
        (table,) = facts["tables"]
        assert (table["rows"], table["productionRows"], "limit" in table) == (300, 300, False)
    assert "AccessExclusiveLock" in [lock["mode"] for lock in second["tables"][0]["locks"]]


def test_a_revision_that_fails_with_generated_rows_is_reported_and_the_next_one_is_measured(observed: Observed) -> None:
    observed.revision("aa", None, TABLE)
    observed.revision("bb", "aa", 'op.execute("ALTER TABLE users ALTER name SET NOT NULL")')
    observed.revision("cc", "bb", 'op.execute("ALTER TABLE users ALTER name DROP NOT NULL")')
    first, second = measured(observed, "bb", "cc")
    assert "it failed with generated rows: column" in first["reason"]
    assert second["tables"][0]["rows"] == 2000


def test_constraints_that_the_revision_adds_are_met(observed: Observed) -> None:
    observed.revision("aa", None, TABLE)
    observed.revision("bb", "aa", 'op.execute("ALTER TABLE users ADD CONSTRAINT u UNIQUE (n)")')
    columns = [{"name": name, "type": "text"} for name in ("name", "n")]
    index = {"name": "u", "unique": True, "columns": ["n"], "definition": ""}
    (facts,) = measured(observed, "bb", after={"users": {"columns": columns, "constraints": [], "indexes": [index]}})
    assert "reason" not in facts


def test_a_revision_that_needs_more_than_its_share_of_the_time_is_canceled_and_the_next_is_measured(observed: Observed) -> None:
    observed.revision("aa", None, TABLE)
    asleep = 'if op.get_bind().execute(sa.text("SELECT count(*) FROM users")).scalar() > 0:\n'
    observed.revision("bb", "aa", f'{asleep}    op.execute("SELECT pg_sleep(600)")')
    observed.revision("cc", "aa", 'op.create_index("ix", "users", ["name"])')
    first, second = measured(observed, "bb", "cc", rows=50, limits={**LIMITS, "seconds": 20})
    assert first["reason"] == "it ran longer than its share of the time limit, and was canceled"
    assert second["tables"][0]["rows"] == 50


def test_a_cancel_that_hits_a_statement_of_alembic_is_reported_as_canceled(observed: Observed) -> None:
    body = "BEGIN IF EXISTS (SELECT FROM users) THEN PERFORM pg_sleep(600); END IF; RETURN NEW; END"
    function = f'op.execute("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$")'
    trigger = 'op.execute("CREATE TRIGGER slow BEFORE UPDATE ON alembic_version FOR EACH ROW EXECUTE FUNCTION slow()")'
    observed.revision("aa", None, "\n".join([TABLE, function, trigger]))
    observed.revision("bb", "aa", 'op.execute("ALTER TABLE users ALTER name DROP NOT NULL")')
    (facts,) = measured(observed, "bb", rows=50, limits={**LIMITS, "seconds": 10})
    assert facts == {"revision": "bb", "reason": "it ran longer than its share of the time limit, and was canceled"}


def test_without_time_nothing_is_measured(observed: Observed) -> None:
    observed.revision("aa", None, TABLE)
    assert measured(observed, "aa", limits={**LIMITS, "seconds": 0}) == [
        {"revision": "aa", "reason": "the time limit was reached"}
    ]


def test_revisions_in_the_baseline_are_not_measured(observed: Observed) -> None:
    observed.revision("aa", None, TABLE)
    baseline = "CREATE TABLE alembic_version (version_num varchar(32)); INSERT INTO alembic_version VALUES ('aa');"
    assert measured(observed, "aa", baseline=baseline) == [{"revision": "aa", "reason": "the baseline already has it"}]
