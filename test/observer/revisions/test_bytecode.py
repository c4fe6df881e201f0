"""The bytecode of the observer's own modules, which the caller keeps for the next process."""

from __future__ import annotations

from observing import Observed

GRAPH = {"ask": "graph"}


def test_bytecode_is_reported_after_the_last_answer_unless_the_caller_passed_it(observed: Observed) -> None:
    observed.table_revision("aa")
    expected = observed.ask(GRAPH)
    observed.bytecode = ""
    *answer, kept = observed.ask(GRAPH)
    assert (answer, kept["report"]) == (expected, "bytecode")
    observed.bytecode = kept["bytecode"]
    assert observed.ask(GRAPH) == expected


def test_bytecode_of_another_python_is_not_used(observed: Observed) -> None:
    observed.table_revision("aa")
    observed.bytecode = ""
    *answer, own = observed.ask(GRAPH)
    python, _, code = own["bytecode"].partition("\n")
    observed.bytecode = f"another {python}\nnot even {code}"
    *again, new = observed.ask(GRAPH)
    assert again == answer
    assert new["bytecode"].startswith(f"{python}\n")
