"""Random events: each gets an answer with a status or an error code, and the database does not change."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from cdk_alembic import handler
from cdk_alembic.protocol import rules
from cdk_alembic.protocol.rules import REQUEST
from conftest import Backend, Context, Database
from hypothesis import given, settings
from hypothesis import strategies as st
from random_events import JSON, SETTINGS, events, outcome

EVENTS = events(100)
REACHING = EVENTS // 10
"""Valid events, whose revision or keys mean something else. The others are refused before the database is asked."""

KEYS = ["command", "revision", "sliceSeconds", "allow", "requestedBy", "runId"]
# At least one value that no request may have.
REFUSED = st.one_of(
    st.lists(JSON) | st.text() | st.integers() | st.booleans() | st.floats(),
    st.dictionaries(st.text().filter(lambda key: key not in KEYS), JSON, min_size=1, max_size=3),
    st.fixed_dictionaries({"command": JSON.filter(lambda value: value not in rules.COMMANDS)}),
    st.fixed_dictionaries({"command": st.sampled_from(rules.RESTRICTED_COMMANDS)}, optional={key: JSON for key in KEYS[1:]}),
    st.fixed_dictionaries({"command": st.sampled_from(["current", "history"]), "revision": JSON}),
    st.fixed_dictionaries(
        {"sliceSeconds": JSON.filter(lambda value: isinstance(value, bool) or not isinstance(value, (int, float)))}
    ),
    st.fixed_dictionaries({"allow": JSON.filter(lambda value: value != [])}),
    st.fixed_dictionaries({"runId": JSON}, optional={key: JSON for key in KEYS[:-1]}),
)
MEANING = st.fixed_dictionaries(
    {},
    optional={
        "command": st.sampled_from(["upgrade", "plan", "stamp", "downgrade", "current"]),
        "revision": st.from_regex(REQUEST["keys"]["revision"]["pattern"], fullmatch=True)
        | st.sampled_from(["head", "heads", "base", "-1", "+1"]),
        "allow": st.lists(st.sampled_from(rules.ALLOWANCES), max_size=2),
        "requestedBy": st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1),
    },
)

codes: Counter[str] = Counter()


def status(event: Any) -> str:
    """The status or the error code."""
    answer = outcome(event)
    if isinstance(answer, str):
        return answer
    assert answer["applied"] == []
    return answer["status"]


@pytest.fixture
def at_head(backend: Backend, database: Database) -> Database:
    backend.table_revision("aa")
    handler.handler({}, Context(60))
    return database


CONTENT = """
SELECT coalesce(string_agg(relname || ':' || xmin::text, ',' ORDER BY relname), '') FROM pg_class WHERE relnamespace IN (
  SELECT oid FROM pg_namespace WHERE nspname IN ('public', 'cdk_alembic'))
"""


@settings(max_examples=EVENTS - REACHING, **SETTINGS)
@given(event=REFUSED)
def refuse(event: Any) -> None:
    code = status(event)
    codes[code] += 1
    assert code in ("invalid_request", "not_allowed"), event


@settings(max_examples=REACHING, **SETTINGS)
@given(event=MEANING)
def mean(event: Any) -> None:
    code = status(event)
    codes[code] += 1
    assert code in ("invalid_request", "not_allowed", "unknown_revision", "complete"), event


def test_random_events_get_an_answer_with_a_code_and_change_nothing(at_head: Database, record_property: object) -> None:
    codes.clear()
    before = at_head.rows(CONTENT), at_head.versions(), at_head.rows("SELECT * FROM cdk_alembic.run")
    refuse()
    mean()
    print(f"{sum(codes.values())} events: {dict(codes)}")
    record_property("events", sum(codes.values()))
    assert sum(codes.values()) >= EVENTS
    assert (at_head.rows(CONTENT), at_head.versions(), at_head.rows("SELECT * FROM cdk_alembic.run")) == before


@pytest.mark.parametrize("revision", ["x@head+2", "aa@head", "x@base-1", "aa+1", "head-9", "heads+1", "+0", "base+1", "0"])
def test_a_notation_that_crashes_alembic_is_an_unknown_revision(at_head: Database, revision: str) -> None:
    assert status({"revision": revision, "command": "plan"}) in ("unknown_revision", "complete")


@pytest.mark.parametrize("event", [{"command": "x" * 1_000_000}, {"revision": ["head"] * 100_000}, {"x" * 100_000: 1}])
def test_an_enormous_event_gets_a_small_answer(backend: Backend, event: Any) -> None:
    assert status(event) == "invalid_request"
