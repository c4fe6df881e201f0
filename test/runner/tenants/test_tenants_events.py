"""Random events for the tenants' worker: an error code, or an answer that has each tenant once. The database does not change."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from conftest import Backend, Database, invoke
from hypothesis import given, settings
from hypothesis import strategies as st
from random_events import JSON, SETTINGS, TEXT, events, outcome
from tenancy import batch, create_schemas, set_tenant_settings, write_env

EVENTS = events(100)
REACHING = EVENTS // 50
"""Valid events, for which the databases are asked. The others are refused before."""

NAMES = st.lists(st.sampled_from(["a", "b", "missing", "A", "a;b", "pg_catalog"]), min_size=1, max_size=3, unique=True)
ONE = {"tenants": st.just([{"name": "a"}])}
# At least one value that no request may have.
REFUSED = st.one_of(
    st.lists(JSON) | st.text(min_size=1) | st.integers() | st.booleans(),
    st.fixed_dictionaries({"tenants": JSON}),
    st.fixed_dictionaries({"tenants": st.lists(st.fixed_dictionaries({"name": TEXT, "x": JSON}), min_size=1, max_size=3)}),
    st.fixed_dictionaries({**ONE, "command": JSON.filter(lambda value: value not in ("upgrade", "plan"))}),
    st.fixed_dictionaries({**ONE, "toleratedFailures": TEXT | st.lists(JSON) | st.floats(max_value=-1)}),
    st.fixed_dictionaries({**ONE, "runId": JSON}),
    st.fixed_dictionaries({**ONE, "after": JSON}),
)
MEANING = st.fixed_dictionaries(
    {"tenants": NAMES.map(lambda names: [{"name": name} for name in names])},
    optional={
        "command": st.sampled_from(["upgrade", "plan"]),
        "requestedBy": st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1),
    },
)

codes: Counter[str] = Counter()


@settings(max_examples=EVENTS - REACHING, **SETTINGS)
@given(event=REFUSED)
def refuse(event: Any) -> None:
    code = outcome(event)
    assert code == "invalid_request", event
    codes[code] += 1


@settings(max_examples=REACHING, **SETTINGS)
@given(event=MEANING)
def mean(event: Any) -> None:
    answer = outcome(event)
    assert isinstance(answer, dict) or answer == "invalid_request", event
    codes["answered" if isinstance(answer, dict) else answer] += 1
    if isinstance(answer, dict):
        reported = [item["tenant"] for item in answer["outcomes"]]
        assert sorted(reported) == sorted(tenant["name"] for tenant in event["tenants"])
        assert answer["failed"] == sum(item["status"] == "failed" for item in answer["outcomes"])


CONTENT = """
SELECT nspname, string_agg(relname || ':' || pg_class.xmin::text, ',' ORDER BY relname)
FROM pg_namespace LEFT JOIN pg_class ON relnamespace = pg_namespace.oid
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' GROUP BY nspname ORDER BY nspname
"""


def test_random_events_get_an_answer_or_a_code_and_change_nothing(
    package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_tenant_settings(monkeypatch)
    write_env(package.initialise(database.url("postgresql+psycopg")))
    create_schemas(database, "ab")
    package.table_revision("r1")
    assert invoke(batch("a", "b"))["failed"] == 0
    codes.clear()
    before = database.rows(CONTENT)
    refuse()
    mean()
    print(f"{sum(codes.values())} events: {dict(codes)}")
    assert sum(codes.values()) >= EVENTS
    assert database.rows(CONTENT) == before
