"""The point to which a restore would have to go to undo a run: the contract's RestorePoint."""

from __future__ import annotations

import re
from typing import Any

# RDS and Aurora can't restore to a position, and Aurora fails on the query unless logical replication is on.
WAL_POSITION = """
CASE WHEN current_setting('rds.extensions', true) IS NULL OR current_setting('wal_level') = 'logical'
  THEN pg_current_wal_lsn() END
"""

# https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.Overview.Endpoints.html; a proxy and a reader have a hyphen
# in the second part.
_ENDPOINT = re.compile(r"([a-z][a-z0-9-]*)\.(cluster-)?[a-z0-9]+\.[a-z0-9-]+\.rds\.amazonaws\.com(?:\.cn)?\.?", re.IGNORECASE)


def restore_point(at: str, wal_position: str | None, snapshot: dict[str, Any] | None, host: str | None) -> dict[str, Any]:
    """The contract's RestorePoint. `snapshot`: the contract's Snapshot, if the run made one. `host`: the database's address,
    whose name contains that of the cluster or instance."""
    point = {"at": at} if wal_position is None else {"at": at, "walPosition": wal_position}
    found = _ENDPOINT.fullmatch(host or "")
    of_host = {"cluster" if found[2] else "instance": found[1]} if found else {}
    return {**point, **({"snapshot": snapshot["name"], **_source(snapshot)} if snapshot else of_host)}


def snapshot_of(point: dict[str, Any] | None) -> dict[str, Any] | None:
    """The contract's Snapshot that a restore point names; None: no snapshot was made."""
    if point is None or "snapshot" not in point:
        return None
    return {"status": "available", "name": point["snapshot"], **_source(point)}


def _source(facts: dict[str, Any]) -> dict[str, Any]:
    return {key: facts[key] for key in ("cluster", "instance") if key in facts}
