"""How often the revisions' files are run."""

from __future__ import annotations

from pathlib import Path

from observing import NOTHING, Observed

GRAPH = {"ask": "graph"}


def count_loads(observed: Observed, counted: Path) -> None:
    """Makes each revision's file add a line with its id when it is run, and hold nothing but its functions."""
    for file in observed.versions.glob("*.py"):
        file.write_text(
            f"{file.read_text()}\nwith open({str(counted)!r}, 'a') as loads:\n    loads.write(revision + '\\n')\ndel loads\n"
        )


def test_the_replay_uses_the_revisions_that_were_loaded_to_show_their_order(observed: Observed, tmp_path: Path) -> None:
    counted = tmp_path / "loads"
    observed.table_revision("aa")
    observed.table_revision("bb", "aa")
    count_loads(observed, counted)
    reports = observed.ask(GRAPH, {"ask": "observe", "revisions": ["aa", "bb"], "drift": True})
    again = {report["revision"]["revision"]: report["revision"]["again"] for report in reports if report["report"] == "revision"}
    assert again == {revision: {"outcome": "done", "differs": NOTHING} for revision in ("aa", "bb")}
    assert sorted(counted.read_text().split()) == ["aa", "bb"]


def test_revisions_are_loaded_again_if_one_of_them_failed_to_load(observed: Observed, tmp_path: Path) -> None:
    counted = tmp_path / "loads"
    observed.table_revision("aa")
    observed.table_revision("bb", "aa")
    count_loads(observed, counted)
    # It fails the first time only.
    there = tmp_path / "there"
    fails_once = (
        f"import pathlib\nthere = pathlib.Path({str(there)!r})\n"
        "if not there.exists():\n    there.touch()\n    raise OSError\ndel there\n"
    )
    file = observed.versions / "bb.py"
    file.write_text(fails_once + file.read_text())
    reports = observed.ask(GRAPH, {"ask": "observe", "revisions": ["bb"], "drift": False})
    assert "OSError" in reports[0]["graph"]["problem"]
    (replayed,) = (report["revision"] for report in reports if report["report"] == "revision")
    assert replayed["upgrade"]["outcome"] == "done"
    assert sorted(counted.read_text().split()) == ["aa", "aa", "bb"]


def test_a_question_about_other_files_loads_those_files(observed: Observed) -> None:
    observed.table_revision("aa")
    other = (observed.versions / "aa.py").read_text().replace('create_table("aa"', 'create_table("other"')
    overlay = [{"file": "alembic/versions/aa.py", "text": other}]
    reports = observed.ask(GRAPH, {"ask": "observe", "revisions": ["aa"], "drift": False, "overlay": overlay})
    (replayed,) = (report["revision"] for report in reports if report["report"] == "revision")
    assert list(replayed["after"]) == ["other"]
