"""Projects that Alembic can't load: replayable revisions are replayed, the others are judged by their files."""

from __future__ import annotations

import pytest
from observing import NOTHING, Observed


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import nowhere\n", "ModuleNotFoundError: No module named 'nowhere' (alembic/versions/bb.py:1)"),
        ("raise SystemExit(3)\n", "SystemExit: 3 (alembic/versions/bb.py:1)"),
        ("print 'of Python 2'\n", "SyntaxError: "),
    ],
)
def test_a_revision_that_cannot_be_loaded_is_read_as_source_and_the_others_are_replayed(
    observed: Observed, text: str, reason: str
) -> None:
    observed.table_revision("aa")
    observed.revision("bb", "aa", 'op.drop_table("aa")')
    observed.table_revision("cc", "bb")
    file = observed.versions / "bb.py"
    file.write_text(text + file.read_text())
    facts = observed.observe("aa", "bb", "cc", drift=True)
    upgrade = facts["bb"]["upgrade"]
    assert (upgrade["outcome"], facts["bb"]["downgrade"]["outcome"], upgrade["statements"]) == ("not_run", "not_run", [])
    assert reason in upgrade["reason"]
    assert facts["bb"]["downRevisions"] == ["aa"]
    if "Syntax" not in reason:
        assert [call["name"] for call in facts["bb"]["source"]["upgrade"]["calls"]] == ["op.drop_table"]
    for other in ("aa", "cc"):
        assert facts[other]["again"] == {"outcome": "done", "differs": NOTHING}
    assert "bb could not be applied" in facts["drift"]["reason"]
    graph = observed.ask({"ask": "graph"})[0]["graph"]
    assert [revision["revision"] for revision in graph["revisions"]] == ["aa", "bb", "cc"]
    assert reason in graph["problem"]


def test_a_revision_without_an_upgrade_is_reported_and_the_others_are_replayed(observed: Observed) -> None:
    observed.table_revision("aa")
    observed.table_revision("bb", "aa")
    file = observed.versions / "aa.py"
    file.write_text(file.read_text().replace("def upgrade", "def upgarde"))
    facts = observed.observe("aa", "bb")
    assert facts["aa"]["upgrade"]["outcome"] == "not_run"
    assert "the file has no function upgrade()" in facts["aa"]["upgrade"]["reason"]
    assert facts["aa"]["source"]["upgrade"] is None
    assert facts["bb"]["again"] == {"outcome": "done", "differs": NOTHING}


def test_a_project_whose_graph_cannot_be_loaded_is_read_as_source(observed: Observed) -> None:
    observed.table_revision("aa")
    observed.revision("bb", "missing", 'op.drop_table("aa")')
    facts = observed.observe("aa", "bb", drift=True)
    assert [call["name"] for call in facts["bb"]["source"]["upgrade"]["calls"]] == ["op.drop_table"]
    for revision in ("aa", "bb"):
        assert facts[revision]["upgrade"]["outcome"] == "not_run"
        assert "missing" in facts[revision]["upgrade"]["reason"]
    assert "missing" in facts["drift"]["reason"]


def test_an_env_py_that_fails_between_two_revisions_keeps_earlier_reports(observed: Observed) -> None:
    observed.table_revision("aa")
    observed.table_revision("bb", "aa")
    env = (observed.directory / "alembic" / "env.py").read_text()
    hook = "on_version_apply=lambda step, **_: step.up_revision_id == 'bb' and 1 / 0"
    observed.write_env(env.replace("connection=connection,", f"connection=connection, {hook},"))
    observed.table_revision("cc", "bb")
    facts = observed.observe("aa", "bb", "cc")
    assert facts["aa"]["again"] == {"outcome": "done", "differs": NOTHING}
    assert facts["bb"]["upgrade"]["outcome"] == "failed"
    assert facts["cc"]["source"]["upgrade"]["calls"]
