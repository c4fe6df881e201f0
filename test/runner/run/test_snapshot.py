"""An RDS snapshot before a run's first revision, against a fake RDS on a socket."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from conftest import Backend, Database, failure, invoke, set_settings
from rds import Rds, fake_rds

PREFIX = "shop-api-migrate-lambda-prod"
CLUSTER = {"before": "data_loss", "cluster": "shop-prod", "prefix": PREFIX, "keep": 2}
DROP = "# cdk-alembic: allow drop-table: a test\nop.drop_table('aa')"


@pytest.fixture
def rds(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rds]:
    with fake_rds(monkeypatch) as rds:
        yield rds


@pytest.fixture
def dropping(backend: Backend, database: Database) -> Backend:
    """A table with a row, a harmless pending revision, and one that drops the table."""
    backend.table_revision("aa")
    invoke()
    database.execute("INSERT INTO aa VALUES (1)")
    backend.table_revision("bb", "aa")
    backend.revision("cc", "bb", DROP)
    return backend


def use(monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
    set_settings(monkeypatch, snapshot={**CLUSTER, **changes})


def test_nothing_is_applied_until_the_snapshot_is_available_and_the_run_records_it(
    dropping: Backend, database: Database, rds: Rds, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch)
    assert invoke({"command": "plan"})["snapshot"] == {"status": "planned", "cluster": "shop-prod"}
    assert rds.calls == []
    rds.refuses["CreateDBClusterSnapshot"] = "InvalidDBClusterStateFault"
    run_id = str(uuid.uuid4())
    waiting = invoke({"runId": run_id})
    assert (waiting["status"], waiting["snapshot"]["status"], waiting["runId"]) == ("partial", "waiting", run_id)
    assert "InvalidDBClusterStateFault" in waiting["snapshot"]["reason"]
    rds.refuses.clear()

    for _ in range(2):
        creating = invoke({"runId": run_id})
        assert (creating["status"], creating["applied"], creating["to"]) == ("partial", [], ["aa"])
        name = f"{PREFIX}-{run_id}"
        assert creating["snapshot"] == {"status": "creating", "name": name, "percent": 43, "cluster": "shop-prod"}
        assert database.rows("SELECT id FROM aa") == [(1,)] and database.tables() == ["aa", "alembic_version"]
    assert list(rds.snapshots) == [name]
    assert rds.snapshots[name].tag == PREFIX

    rds.snapshots[name].status = "available"
    first = invoke({"runId": run_id, "sliceSeconds": 0})
    assert (first["to"], first["snapshot"]) == (["bb"], {"status": "available", "name": name, "cluster": "shop-prod"})
    rds.calls.clear()
    last = invoke({"runId": run_id})
    assert (last["status"], last["to"], last["snapshot"]) == ("complete", ["cc"], first["snapshot"])
    # The record says that it exists: RDS is asked no more.
    assert rds.calls == []
    assert database.tables() == ["alembic_version", "bb"]
    run = invoke({"command": "history"})["runs"][0]
    assert (run["runId"], run["restorePoint"]["snapshot"], run["restorePoint"]["cluster"]) == (run_id, name, "shop-prod")


def test_by_default_only_a_data_loss_makes_a_snapshot_and_the_request_or_the_stage_can_ask_for_more(
    backend: Backend, database: Database, rds: Rds, monkeypatch: pytest.MonkeyPatch
) -> None:
    rds.status = "available"
    use(monkeypatch, before="every_run")
    backend.table_revision("aa")
    # The database has no tables, so nothing to lose.
    assert "snapshot" not in invoke({"snapshot": True})
    use(monkeypatch)
    backend.table_revision("bb", "aa")
    assert "snapshot" not in invoke({"command": "plan"}) and "snapshot" not in invoke({"sliceSeconds": 5})
    assert rds.calls == []
    backend.table_revision("cc", "bb")
    requested = invoke({"snapshot": True})
    assert requested["to"] == ["cc"] and list(rds.snapshots) == [requested["snapshot"]["name"]]
    use(monkeypatch, before="every_run")
    assert "snapshot" not in invoke()
    backend.table_revision("dd", "cc")
    assert invoke()["snapshot"]["status"] == "available"
    use_downgrade = {"allow": ["downgrade"], "snapshot": {**CLUSTER, "before": "every_run", "keep": 9}}
    set_settings(monkeypatch, **use_downgrade)
    assert invoke({"command": "downgrade", "revision": "cc"})["snapshot"]["status"] == "available"
    assert len(rds.snapshots) == 3
    set_settings(monkeypatch)
    error = failure({"snapshot": True})["error"]
    assert error["code"] == "not_allowed" and "MigrationSnapshot" in error["next"]


def test_old_snapshots_of_this_stage_are_deleted_and_no_others(
    dropping: Backend, database: Database, rds: Rds, monkeypatch: pytest.MonkeyPatch
) -> None:
    rds.status = "available"
    set_settings(monkeypatch, snapshot={"before": "data_loss", "instance": "shop-prod", "prefix": PREFIX, "keep": 2})
    own = [f"{PREFIX}-{uuid.uuid4()}" for _ in range(5)]
    foreign = {
        "by-hand": ("shop-prod", PREFIX),
        f"{PREFIX}-{uuid.uuid4()}": ("shop-prod", None),
        f"{PREFIX}-eu-{uuid.uuid4()}": ("shop-prod", f"{PREFIX}-eu"),
        f"{PREFIX}-{uuid.UUID(int=7)}": ("another", PREFIX),
    }
    for name, status in zip(own, ("available", "failed", "available", "available", "creating"), strict=True):
        rds.add(name, "shop-prod", status, PREFIX)
    for name, (source, tag) in foreign.items():
        rds.add(name, source, tag=tag)

    answer = invoke()

    made = answer["snapshot"]
    assert made == {"status": "available", "name": made["name"], "instance": "shop-prod"}
    assert list(rds.snapshots) == [*own[3:], *foreign, made["name"]]
    assert answer["warnings"] == []
    dropping.revision("dd", "cc", DROP.replace("'aa'", "'bb'"))
    rds.refuses["DeleteDBSnapshot"] = "AccessDenied"
    kept = invoke()
    assert kept["to"] == ["dd"]
    assert [f"the old snapshot {own[3]} could not be deleted" in warning for warning in kept["warnings"]] == [True]


@pytest.mark.parametrize(
    ("action", "code", "step"),
    [
        ("CreateDBClusterSnapshot", "SnapshotQuotaExceeded", "delete manual snapshots"),
        ("CreateDBClusterSnapshot", "AccessDenied", "deploy the stage again"),
        ("DescribeDBClusterSnapshots", "DBClusterNotFoundFault", "pass `snapshot` the cluster"),
        ("CreateDBClusterSnapshot", "KMSKeyNotAccessibleFault", "RDS console"),
    ],
)
def test_an_error_of_rds_stops_the_run_before_it_changes_anything_and_says_what_to_do(
    dropping: Backend, database: Database, rds: Rds, monkeypatch: pytest.MonkeyPatch, action: str, code: str, step: str
) -> None:
    use(monkeypatch)
    rds.refuses[action] = code
    error = failure()["error"]
    assert error["code"] == "snapshot_failed" and code in error["message"] and "shop-prod" in error["message"]
    assert step in error["next"] and "nothing was applied" in error["next"]
    assert database.versions() == ["aa"] and database.rows("SELECT id FROM aa") == [(1,)]
    assert len(database.rows("SELECT FROM cdk_alembic.run")) == 1


def test_a_snapshot_that_failed_or_an_rds_that_is_out_of_reach_stops_the_run(
    dropping: Backend, database: Database, rds: Rds, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch)
    run_id = str(uuid.uuid4())
    invoke({"runId": run_id})
    rds.snapshots[f"{PREFIX}-{run_id}"].status = "failed"
    assert "could not make the snapshot" in failure({"runId": run_id})["error"]["message"]
    monkeypatch.setenv("AWS_ENDPOINT_URL_RDS", "http://127.0.0.1:9")
    error = failure()["error"]
    assert error["code"] == "snapshot_failed" and "interface endpoint for RDS" in error["next"]
    assert database.versions() == ["aa"] and database.rows("SELECT id FROM aa") == [(1,)]
