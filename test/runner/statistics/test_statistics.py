"""The command statistics: sizes and traffic, names and numbers only."""

from __future__ import annotations

import json

import pytest
from cdk_alembic.protocol import answer_size
from cdk_alembic.statistics import queries
from conftest import Backend, Database, invoke

SECRET = "no one may read this value"

SCHEMA = f"""
CREATE TABLE orders (id bigint PRIMARY KEY, note text, total numeric);
INSERT INTO orders SELECT i, CASE WHEN i % 4 = 0 THEN '{SECRET}' END, i FROM generate_series(1, 10000) AS i;
CREATE INDEX orders_note ON orders (note);
DELETE FROM orders WHERE id <= 100;
CREATE SCHEMA billing;
CREATE TABLE billing.event (at date NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE billing.event_old PARTITION OF billing.event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')
  PARTITION BY RANGE (at);
CREATE TABLE billing.event_old_1 PARTITION OF billing.event_old FOR VALUES FROM ('2025-01-01') TO ('2025-07-01');
CREATE TABLE billing.event_new PARTITION OF billing.event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO billing.event SELECT date '2025-01-01' + i % 3 FROM generate_series(1, 300) AS i;
INSERT INTO billing.event SELECT date '2026-01-01' + i % 3 FROM generate_series(1, 200) AS i;
CREATE MATERIALIZED VIEW totals AS SELECT sum(total) FROM orders;
CREATE PUBLICATION feed FOR TABLE orders;
CREATE TABLE later (id int, note text);
"""


@pytest.fixture
def filled(backend: Backend, database: Database) -> Database:
    database.execute(SCHEMA)
    database.execute("ANALYZE")
    yield database
    database.execute("DROP PUBLICATION IF EXISTS feed")


def test_statistics_count_rows_bytes_and_partitions_and_contain_no_value(filled: Database) -> None:
    filled.execute("INSERT INTO later SELECT i, 'x' FROM generate_series(1, 500) AS i")
    answer = invoke({"command": "statistics"})
    assert answer["status"] == "complete" and answer["warnings"] == []
    statistics = answer["statistics"]
    assert SECRET not in json.dumps(answer)
    tables = {table["name"]: table for table in statistics["tables"]}
    assert set(tables) == {
        "orders",
        "totals",
        "later",
        *(f"billing.event{part}" for part in ("", "_old", "_old_1", "_new")),
    }
    orders = tables["orders"]
    assert (orders["rows"], orders["rowsFrom"]) == (9900, "analyze")
    size = filled.rows("SELECT pg_relation_size('orders'), pg_indexes_size('orders')")[0]
    assert (orders["bytes"], orders["indexBytes"]) == size
    assert orders["analyzedAt"] and orders["writesPerSecond"] >= 0
    assert [index["name"] for index in orders["indexes"]] == ["orders_note", "orders_pkey"]
    assert {index["rows"] for index in orders["indexes"]} == {9900}
    note = next(column for column in orders["columns"] if column["name"] == "note")
    assert set(note) == {"name", "nulls", "distinct", "width", "collated"}
    assert [column["name"] for column in orders["columns"] if column["collated"]] == ["note"]
    assert [index["name"] for index in orders["indexes"] if index["collated"]] == ["orders_note"]
    assert 0.7 < note["nulls"] < 0.8
    # The free space of a hundred deleted rows, and padding.
    assert 0 <= orders["bloatBytes"] < orders["bytes"] / 3
    # PostgreSQL never analyzed these 500 rows.
    assert tables["later"]["rowsFrom"] in ("counters", "size") and tables["later"]["rows"] > 0
    event, old = tables["billing.event"], tables["billing.event_old"]
    assert (event["kind"], event["rows"], event["rowsFrom"]) == ("partitioned table", 500, "partitions")
    assert (old["partitionOf"], old["rows"]) == ("billing.event", 300)
    assert event["bytes"] == tables["billing.event_old_1"]["bytes"] + tables["billing.event_new"]["bytes"]
    assert statistics["publications"] == [{"name": "feed", "allTables": False, "tables": ["orders"]}]
    assert statistics["postgres"] == filled.rows("SHOW server_version")[0][0].split()[0]
    memory = {"name": "maintenance_work_mem", "value": filled.rows("SHOW maintenance_work_mem")[0][0]}
    assert memory in statistics["settings"]
    assert statistics["tablesLeftOut"] == 0
    assert statistics["sortMilliseconds"] > 0 and statistics["sortTextMilliseconds"] > 0


def test_a_table_that_grew_after_its_analyze_is_counted_by_its_size(filled: Database) -> None:
    filled.execute("INSERT INTO orders SELECT i, 'y', i FROM generate_series(20001, 60000) AS i")
    orders = next(table for table in invoke({"command": "statistics"})["statistics"]["tables"] if table["name"] == "orders")
    assert orders["rowsFrom"] == "analyze"
    assert 35_000 < orders["rows"] < 75_000


def test_statistics_do_not_wait_for_a_locked_table(filled: Database) -> None:
    with filled.connect() as holder, holder.transaction():
        holder.execute("LOCK TABLE orders, later IN ACCESS EXCLUSIVE MODE")
        tables = invoke({"command": "statistics"})["statistics"]["tables"]
        assert next(table for table in tables if table["name"] == "orders")["rows"] == 9900


def test_a_role_that_may_not_read_a_table_gets_its_size_and_the_grant(
    backend: Backend, filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled.execute(
        "DROP ROLE IF EXISTS cdk_alembic_looker; CREATE ROLE cdk_alembic_looker LOGIN PASSWORD 'looker';"
        " GRANT USAGE ON SCHEMA public TO cdk_alembic_looker"
    )
    try:
        backend.initialise(f"postgresql+psycopg://cdk_alembic_looker:looker@{filled.host}:{filled.port}/{filled.name}")
        answer = invoke({"command": "statistics"})
        orders = next(table for table in answer["statistics"]["tables"] if table["name"] == "orders")
        assert orders["rows"] == 9900 and orders["columns"] == [] and "rowBytes" not in orders
        assert "the role may not read 7 of 7 tables" in answer["warnings"][0] and "GRANT SELECT" in answer["warnings"][0]
    finally:
        filled.execute("DROP OWNED BY cdk_alembic_looker; DROP ROLE cdk_alembic_looker")


def test_only_the_largest_tables_are_listed_and_the_others_counted(filled: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    limited = queries.tables(limit=3)
    monkeypatch.setattr(queries, "tables", lambda: limited)
    statistics = invoke({"command": "statistics"})["statistics"]
    assert {table["name"] for table in statistics["tables"]} == {"billing.event", "billing.event_old", "orders"}
    assert statistics["tablesLeftOut"] == 4


def test_tables_that_do_not_fit_into_the_answer_are_counted(filled: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_size, "MAX_LENGTH", 2000)
    statistics = invoke({"command": "statistics"})["statistics"]
    assert len(json.dumps(statistics["tables"])) <= 2000
    assert statistics["tables"][0]["name"] == "orders"
    assert len(statistics["tables"]) + statistics["tablesLeftOut"] == 7
    assert statistics["tablesLeftOut"] > 0


def test_an_ordinary_request_does_not_load_the_statistics(backend: Backend) -> None:
    import sys

    for name in [name for name in sys.modules if name.startswith("cdk_alembic.statistics")]:
        del sys.modules[name]
    backend.table_revision("aa")
    invoke()
    invoke({"command": "plan"})
    assert not [name for name in sys.modules if name.startswith("cdk_alembic.statistics")]
