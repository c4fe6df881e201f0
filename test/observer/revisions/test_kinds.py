"""Whatever `alembic` takes, the local commands take: projects of every kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from backends import Backend, empty
from each_driver import ALL
from observing import NOTHING, Observed
from project_kinds import (
    KINDS,
    SCHEMA,
    by_alembic,
    configuration_in_pyproject,
    dependencies_between_labelled_branches,
    location_in_a_package,
    version_locations_that_env_sets,
)

APPLIED = (configuration_in_pyproject, dependencies_between_labelled_branches, location_in_a_package)
"""Those that `npm test` applies: each kind has the runner's own test, and the next ones load each as the observer does."""

every_kind = pytest.mark.parametrize(("make", "revision"), KINDS, ids=[make.__name__ for make, _ in KINDS])
applied = [kind for kind in KINDS if ALL or kind[0] in APPLIED]

Make = Callable[[Backend], None]


@pytest.fixture
def own(observed: Observed, tmp_path: Path) -> Observed:
    """A project on a database of its own, without a scratch database."""
    observed.initialise(observed.database.url("postgresql+psycopg"))
    observed.scratch = None
    return observed


@pytest.mark.parametrize(("make", "revision"), applied, ids=[make.__name__ for make, _ in applied])
def test_apply_leaves_the_rows_and_the_schema_that_alembic_leaves(own: Observed, make: Make, revision: str) -> None:
    make(own)
    expected = by_alembic(own, own.database, revision)
    assert expected[0], "alembic applied nothing"
    empty(own.database)
    try:
        answer = own.ask({"ask": "invoke", "request": {}})[0]["answer"]
        assert (own.database.versions(), own.database.rows(SCHEMA)) == expected
        assert sorted(answer["to"]) == expected[0]
        graph, end, current, _ = own.ask({"ask": "graph"}, {"ask": "invoke", "request": {"command": "current"}})
        assert end == {"report": "end"}
        # The version table does not keep a head that another one depends on.
        assert set(expected[0]) <= set(graph["graph"]["heads"])
        assert current["answer"]["status"] == "complete"
        assert sorted(item["revision"] for item in graph["graph"]["revisions"]) == sorted(
            item["revision"] for item in answer["applied"]
        )
        assert "problem" not in graph["graph"]
    finally:
        empty(own.database)


@every_kind
def test_review_and_verify_replay_every_revision_that_alembic_finds(observed: Observed, make: Make, revision: str) -> None:
    make(observed)
    graph = observed.ask({"ask": "graph"})[0]["graph"]
    revisions = [item["revision"] for item in graph["revisions"]]
    assert revisions, "no revision was found"
    facts = observed.observe(*revisions)
    for each in revisions:
        assert facts[each]["again"] == {"outcome": "done", "differs": NOTHING}, facts[each]
        assert list(facts[each]["after"]) == [each]


@pytest.mark.parametrize(
    ("make", "revision", "is_empty"),
    [*((*kind, False) for kind in KINDS), (version_locations_that_env_sets, "head", True)],
    ids=[*(make.__name__ for make, _ in KINDS), "empty"],
)
def test_create_writes_the_next_revision_where_alembic_finds_it(
    observed: Observed, make: Make, revision: str, is_empty: bool
) -> None:
    make(observed)
    env = next(observed.directory.rglob("env.py"))
    (env.parent / "script.py.mako").write_text(
        "revision = ${repr(up_revision)}\ndown_revision = ${repr(down_revision)}\n"
        "def upgrade():\n    ${upgrades or 'pass'}\ndef downgrade():\n    ${downgrades or 'pass'}\n"
    )
    models = "__import__('sqlalchemy').MetaData()"
    env.write_text(
        env.read_text()
        .replace("target_metadata = None", f"target_metadata = {models}")
        .replace("connection=connection)", f"connection=connection, target_metadata={models})")
    )
    head = observed.ask({"ask": "graph"})[0]["graph"]["revisions"][-1]["revision"]
    chosen = {"placement": {"head": head}} if revision == "heads" else {}
    created, end = observed.ask({"ask": "create", "message": "Drop all", "empty": is_empty, **chosen})
    assert end == {"report": "end"}, created
    found = {item["revision"]: item for item in observed.ask({"ask": "graph"})[0]["graph"]["revisions"]}
    new = found[created["revision"]]
    assert (new["file"], new["downRevisions"]) == (created["file"], [head])
    assert ("drop_table" in (observed.directory / new["file"]).read_text()) is not is_empty
