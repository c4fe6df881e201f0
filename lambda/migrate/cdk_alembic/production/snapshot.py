"""The RDS snapshot before a run's first revision, so that a restore brings back what a revision destroys.

The snapshot's name contains the run's id, so a repeated call finds the snapshot instead of making another one. RDS takes
minutes: the runner answers, and is called again until the snapshot is available.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from ..protocol.aws import ATTEMPTS, client
from ..protocol.errors import RunnerError
from ..protocol.log import log
from ..protocol.request import Invocation
from ..protocol.rules import SNAPSHOT_TAG

TIMEOUT_SECONDS = 5
AVAILABLE, CREATING, FAILED = "available", "creating", "failed"

_RUN_ID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
# The cluster or instance is busy, such as backing-up or modifying, or there were too many calls.
_NOT_NOW = re.compile("Invalid(DBCluster|DBInstance)State|Throttl|RequestLimitExceeded|InternalFailure|ServiceUnavailable")
_EXISTS = re.compile("AlreadyExists")
_NEXT = (
    (
        re.compile("AccessDenied|UnauthorizedOperation"),
        "deploy the stage again to give the function's role its permissions",
    ),
    (re.compile("QuotaExceeded"), "delete manual snapshots that nobody needs, or request a higher quota, then run again"),
    (
        re.compile("(DBCluster|DBInstance)NotFound"),
        "pass `snapshot` the cluster or instance that the database is on, deploy, then run again",
    ),
)
_OTHERWISE = "check the cluster or instance in the RDS console, then run again"


class _Api(NamedTuple):
    """The calls of RDS for clusters, or those for instances."""

    noun: str
    of: str
    """Parameter with the identifier of the cluster or instance."""
    snapshot: str
    """Start of a snapshot's parameters: `<snapshot>Identifier`."""
    method: str
    """End of the methods' names: `create_<method>`, `describe_<method>s`, `delete_<method>`."""


_CLUSTER = _Api("cluster", "DBClusterIdentifier", "DBClusterSnapshot", "db_cluster_snapshot")
_INSTANCE = _Api("instance", "DBInstanceIdentifier", "DBSnapshot", "db_snapshot")


def is_wanted(invocation: Invocation, destroys: bool) -> bool:
    """Whether a run with pending revisions makes a snapshot first. `destroys`: whether one of them destroys data, as the guard
    judges it."""
    settings = invocation.settings.snapshot
    if settings is None or invocation.process.compute == "container":
        # The function makes it before it hands over to the container.
        return False
    return invocation.request.snapshot or settings["before"] == "every_run" or destroys


def planned(settings: dict[str, Any]) -> dict[str, Any]:
    """The contract's Snapshot that a run would make. `settings`: the contract's SnapshotSettings."""
    return {"status": "planned", **_source(settings)}


def ensure(invocation: Invocation, run_id: str) -> dict[str, Any]:
    """The contract's Snapshot of a run: begins it, or checks whether it is available, and then deletes old ones. Raises
    RunnerError `snapshot_failed`."""
    from botocore.exceptions import BotoCoreError, ClientError

    api = _CLUSTER if "cluster" in invocation.settings.snapshot else _INSTANCE
    source = _source(invocation.settings.snapshot)
    name = f"{invocation.settings.snapshot['prefix']}-{run_id}"
    what = f"the {api.noun} {source[api.noun]}"
    try:
        found = _find_or_begin(invocation, api, source[api.noun], name)
    except ClientError as error:
        code = _code(error)
        if not _NOT_NOW.search(code):
            step = next((step for pattern, step in _NEXT if pattern.search(code)), _OTHERWISE)
            raise _failed(f"RDS refused a snapshot of {what}: {_text(error)}", step) from error
        found = {"status": "waiting", "name": name, "reason": _text(error)}
    except BotoCoreError as error:
        raise _failed(
            f"RDS did not answer within {TIMEOUT_SECONDS * ATTEMPTS} s about a snapshot of {what}: {error}",
            "in an isolated subnet, add an interface endpoint for RDS whose security group allows the function",
        ) from error
    if found["status"] == FAILED:
        raise _failed(f"RDS could not make the snapshot {name} of {what}", _OTHERWISE)
    return {**found, **source}


def _source(settings: dict[str, Any]) -> dict[str, str]:
    return {key: settings[key] for key in ("cluster", "instance") if key in settings}


def _find_or_begin(invocation: Invocation, api: _Api, source: str, name: str) -> dict[str, Any]:
    """Name, status and percent. Raises ClientError or BotoCoreError."""
    prefix = invocation.settings.snapshot["prefix"]
    rds = client("rds", TIMEOUT_SECONDS)
    own = _own(rds, api, source, prefix)
    found = next((snapshot for snapshot in own if snapshot["name"] == name), None)
    if found is None:
        found = _begin(rds, api, source, name, prefix)
        log("INFO", "snapshot_begun", stage=invocation.settings.stage, **found)
    if found["status"] == AVAILABLE:
        _delete_old(rds, api, [snapshot for snapshot in own if snapshot["name"] != name], invocation)
        return {"status": AVAILABLE, "name": name}
    return found if found["status"] == FAILED else {**found, "status": CREATING}


def _begin(rds: Any, api: _Api, source: str, name: str, prefix: str) -> dict[str, Any]:
    from botocore.exceptions import ClientError

    names = {api.of: source, f"{api.snapshot}Identifier": name}
    try:
        answer = getattr(rds, f"create_{api.method}")(**names, Tags=[{"Key": SNAPSHOT_TAG, "Value": prefix}])
    except ClientError as error:
        if not _EXISTS.search(_code(error)):
            raise
        # The list did not have it yet.
        return {"name": name, "status": CREATING, "percent": 0}
    return _facts(answer[api.snapshot], api)


def _own(rds: Any, api: _Api, source: str, prefix: str) -> list[dict[str, Any]]:
    """The snapshots that this stage's runs made, newest first. Others may have a similar name, or a copy's tag, but not both."""
    pages = rds.get_paginator(f"describe_{api.method}s").paginate(**{api.of: source, "SnapshotType": "manual"})
    found = [snapshot for page in pages for snapshot in page[f"{api.snapshot}s"]]
    own = [
        snapshot
        for snapshot in found
        if re.fullmatch(f"{re.escape(prefix)}-{_RUN_ID}", snapshot[f"{api.snapshot}Identifier"])
        and {"Key": SNAPSHOT_TAG, "Value": prefix} in snapshot.get("TagList", ())
    ]
    # A snapshot has no time until RDS has begun to copy.
    own.sort(key=lambda snapshot: str(snapshot.get("SnapshotCreateTime", "~")), reverse=True)
    return [_facts(snapshot, api) for snapshot in own]


def _facts(snapshot: dict[str, Any], api: _Api) -> dict[str, Any]:
    name = snapshot[f"{api.snapshot}Identifier"]
    return {"name": name, "status": snapshot["Status"], "percent": snapshot.get("PercentProgress", 0)}


def _delete_old(rds: Any, api: _Api, others: list[dict[str, Any]], invocation: Invocation) -> None:
    """Deletes all but the newest of the stage's other snapshots. A snapshot that can't be deleted makes a warning."""
    from botocore.exceptions import BotoCoreError, ClientError

    available = [snapshot for snapshot in others if snapshot["status"] == AVAILABLE]
    failed = [snapshot for snapshot in others if snapshot["status"] == FAILED]
    # `keep` includes the run's own snapshot.
    for old in [*available[int(invocation.settings.snapshot["keep"]) - 1 :], *failed]:
        try:
            getattr(rds, f"delete_{api.method}")(**{f"{api.snapshot}Identifier": old["name"]})
        except (BotoCoreError, ClientError) as error:
            invocation.warnings.append(f"the old snapshot {old['name']} could not be deleted: {error}")
            continue
        log("INFO", "snapshot_deleted", stage=invocation.settings.stage, name=old["name"])


def _failed(message: str, step: str) -> RunnerError:
    return RunnerError("snapshot_failed", message, f"{step}; nothing was applied")


def _code(error: Any) -> str:
    return error.response.get("Error", {}).get("Code", "")


def _text(error: Any) -> str:
    return f"{_code(error)}: {error.response.get('Error', {}).get('Message', '')}"
