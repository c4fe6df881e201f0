"""What `apply` does on a developer's own database."""

from __future__ import annotations

from observing import Observed


def test_a_revision_that_waits_for_itself_fails_with_that_reason(observed: Observed) -> None:
    observed.scratch = None
    observed.initialise(observed.database.url("postgresql+psycopg"))
    observed.table_revision("aa")
    request = {"command": "upgrade", "requestedBy": "test"}
    assert observed.ask({"ask": "invoke", "request": request})[0]["answer"]["to"] == ["aa"]
    observed.revision(
        "bb",
        "aa",
        'op.add_column("aa", sa.Column("name", sa.Text))\n'
        "with op.get_bind().engine.connect() as other:\n"
        '    other.execute(sa.text("SELECT count(*) FROM aa")).scalar()',
    )
    error = observed.failure(ask="invoke", request=request)
    assert (error["code"], error["revision"], error["sqlState"]) == ("migration_failed", "bb", "55P03")
    assert "bb) waits for itself" in error["message"]
    assert "op.get_bind()" in error["next"]
    assert observed.database.versions() == ["aa"]
    observed.database.execute("DROP SCHEMA cdk_alembic CASCADE; DROP TABLE aa, alembic_version")


def test_the_holder_of_a_lock_is_named(observed: Observed) -> None:
    observed.scratch = None
    observed.initialise(observed.database.url("postgresql+psycopg"))
    observed.table_revision("aa")
    with observed.database.connect(application_name="somebody") as other:
        other.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        other.execute("BEGIN; LOCK TABLE alembic_version")
        error = observed.failure(ask="invoke", request={"command": "upgrade", "requestedBy": "test"})
    assert error["code"] == "lock_not_available"
    assert "somebody" in error["message"]
    observed.database.execute("DROP SCHEMA IF EXISTS cdk_alembic CASCADE; DROP TABLE alembic_version")
