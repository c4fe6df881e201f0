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


def restore_point(at: str, wal_position: str | None, host: str | None) -> dict[str, Any]:
    """The contract's RestorePoint. `host`: the database's address, whose name contains that of the cluster or instance."""
    point = {"at": at} if wal_position is None else {"at": at, "walPosition": wal_position}
    found = _ENDPOINT.fullmatch(host or "")
    return {**point, "cluster" if found[2] else "instance": found[1]} if found else point
