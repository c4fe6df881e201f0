"""What earlier revisions do, in the order in which Alembic runs them."""

from __future__ import annotations

from pathlib import Path

from cdk_alembic_local.source.history import history
from cdk_alembic_local.upgrade_sql.read import read_steps
from observing import Observed

_TEXT = "import sqlalchemy as sa\nfrom alembic import op\nrevision = {0!r}\ndown_revision = {1!r}\n\ndef upgrade():\n    {2}\n"


def test_a_revision_comes_after_all_of_its_parents_also_where_branches_meet(tmp_path: Path) -> None:
    """A column that a branch adds to a table is not lost when the table comes from the branch's start."""
    column = 'sa.Column("name", sa.Text, nullable=False, server_default="")'
    revisions = {
        "aa": (None, 'op.create_table("users", sa.Column("id", sa.Integer), comment="name")'),
        "bb": ("aa", "pass"),
        "cc": ("aa", f'op.add_column("users", {column})'),
        "dd": (("bb", "cc"), "pass"),
        "ee": (("dd", "bb"), "pass"),
        "ff": ("ee", 'op.alter_column("users", "name", nullable=False)'),
    }
    for revision, (down, body) in revisions.items():
        (tmp_path / f"{revision}.py").write_text(_TEXT.format(revision, down, body))
    last = tmp_path / "ff.py"
    found = history(last, tmp_path, [tmp_path], read_steps(last, tmp_path, [tmp_path], "upgrade"))
    names = [step["call"]["name"] for step in found["steps"] if "call" in step]
    assert names.index("op.create_table") < names.index("op.add_column")
    assert found["isWhole"]


def test_files_that_were_written_between_two_requests_are_read_again(observed: Observed) -> None:
    """`review --fix` writes revisions, and asks the same process again."""
    observed.revision("aa", None, "pass")
    observed.revision("bb", "aa", 'op.execute("DROP INDEX IF EXISTS old_index")')
    file = observed.versions / "aa.py"
    text = file.read_text().replace("pass", 'op.execute("CREATE INDEX old_index ON pg_temp.users (id)")', 1)
    observe = {"ask": "observe", "revisions": ["bb"], "drift": False}
    write = {"ask": "write", "files": [{"file": str(file), "text": text}]}
    reports = observed.ask(observe, write, observe)
    before, after = (one["revision"]["source"]["history"]["steps"] for one in reports if one["report"] == "revision")
    assert [before, [step["sql"] for step in after]] == [[], ["CREATE INDEX old_index ON pg_temp.users (id)"]]
