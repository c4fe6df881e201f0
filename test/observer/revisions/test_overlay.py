"""Revisions that are tried before they are written."""

from __future__ import annotations

import pytest
from observing import Observed

READS = """from pathlib import Path
for statement in (Path(__file__).parents[{up}] / {name!r}).read_text().split(";"):
    op.execute(statement)"""


@pytest.mark.parametrize(("folder", "up"), [("backend/alembic", 1), ("backend", 2), ("elsewhere", 3)])
def test_a_rewritten_revision_still_reads_files_relative_to_its_own_path(observed: Observed, folder: str, up: int) -> None:
    name = "tables.sql" if up < 3 else "elsewhere/tables.sql"
    (observed.root / folder).mkdir(exist_ok=True)
    (observed.root / folder / "tables.sql").write_text("CREATE TABLE aa (id int); CREATE TABLE bb (id int)")
    observed.revision("aa", None, READS.format(up=up, name=name), 'op.drop_table("aa")\nop.drop_table("bb")')
    tried = (observed.versions / "aa.py").read_text() + "# tried\n"
    facts = observed.observe("aa", overlay=[{"file": "alembic/versions/aa.py", "text": tried}])
    assert list(facts["aa"]["after"]) == ["aa", "bb"]
    assert facts["aa"]["again"]["outcome"] == "done"
