"""Revisions that open a second connection and wait for a lock of their own transaction."""

from __future__ import annotations

import pytest
from conftest import Backend, Database, failure, invoke, set_settings
from each_driver import DRIVERS

OTHER_WAITS = """
op.add_column("aa", sa.Column("name", sa.Text))
with op.get_bind().engine.connect() as other:
    other.execute(sa.text("SELECT count(*) FROM aa")).scalar()
"""
REVISION_WAITS = """
other = op.get_bind().engine.connect()
other.execute(sa.text("SELECT count(*) FROM aa")).scalar()
op.add_column("aa", sa.Column("name", sa.Text))
"""


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
@pytest.mark.parametrize("upgrade", [OTHER_WAITS, REVISION_WAITS])
def test_a_revision_that_waits_for_itself_fails_with_that_reason(
    package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, template: str, scheme: str, upgrade: str
) -> None:
    set_settings(monkeypatch, limits={"lockTimeoutSeconds": 2, "lockRetrySeconds": 60})
    package.initialise(database.url(scheme), template)
    package.table_revision("aa")
    invoke()
    package.revision("bb", "aa", upgrade)
    error = failure()["error"]
    assert (error["code"], error["revision"], error["sqlState"]) == ("migration_failed", "bb", "55P03")
    assert "bb) waits for itself" in error["message"]
    assert "op.get_bind()" in error["next"]
    assert database.versions() == ["aa"]
    assert database.rows("SELECT column_name FROM information_schema.columns WHERE table_name = 'aa'") == [("id",)]
