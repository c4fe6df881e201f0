"""What a run is doing, read from PostgreSQL's views by another call: the contract's Running."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..connection.statements import execute
from ..database.blockers import backend_query, parse_report, without_values
from ..database.failures import shortened
from ..protocol.log import redact

MAX_STATEMENT_LENGTH = 200

# Only the columns that PostgreSQL 15 to 18 have. `parts` counts partitions.
_RUNNING = """
SELECT json_build_object(
  'pid', activity.pid,
  'isActive', activity.state = 'active',
  'isBlocked', activity.wait_event_type = 'Lock',
  'statement', activity.query,
  'since', to_char(activity.query_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
  'seconds', extract(epoch FROM clock_timestamp() - activity.query_start),
  'progress', (
    SELECT json_build_object('what', what, 'phase', phase, 'done', done, 'total', total, 'parts', parts, 'partsDone', parts_done)
    FROM (
      SELECT pid, command AS what, phase, CASE WHEN is_loading THEN tuples_done ELSE blocks_done END AS done,
        CASE WHEN is_loading THEN tuples_total ELSE blocks_total END AS total,
        partitions_total AS parts, partitions_done AS parts_done
      FROM pg_stat_progress_create_index, LATERAL (SELECT phase = 'building index: loading tuples in tree') AS at (is_loading)
      UNION ALL SELECT pid, 'VACUUM', phase, heap_blks_scanned, heap_blks_total, 0, 0 FROM pg_stat_progress_vacuum
      UNION ALL SELECT pid, command, phase, heap_blks_scanned, heap_blks_total, 0, 0 FROM pg_stat_progress_cluster
      UNION ALL SELECT pid, command, 'copying', bytes_processed, bytes_total, 0, 0 FROM pg_stat_progress_copy
      UNION ALL SELECT pid, 'ANALYZE', phase, sample_blks_scanned, sample_blks_total, 0, 0 FROM pg_stat_progress_analyze
    ) AS progress WHERE progress.pid = activity.pid LIMIT 1))::text
FROM cdk_alembic.run JOIN pg_stat_activity AS activity ON activity.pid = run.backend
WHERE run.id = CAST(:id AS uuid)
"""

# PostgreSQL reports the progress of a phase. Each phase of a B-tree build takes about this share of its time, measured on ten
# million rows (docs/production.md); a phase that only waits takes none.
_PHASES = (
    ("building index: scanning table", 0.5),
    ("building index: sorting live tuples", 0.18),
    ("building index: loading tuples in tree", 0.32),
)
_CONCURRENT_PHASES = (
    *((phase, share * 0.69) for phase, share in _PHASES),
    ("index validation: scanning index", 0.15),
    ("index validation: sorting tuples", 0.05),
    ("index validation: scanning table", 0.11),
)
# With less than this, an estimate is a guess.
MIN_SECONDS, MIN_FRACTION = 3.0, 0.05


def read_progress(connection: Any, run: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the run of a history entry is doing; None if its session has ended. `connection` is in autocommit."""
    text = execute(connection, _RUNNING, id=run["runId"]).scalar()
    if text is None:
        return None
    activity = json.loads(text)
    running = {name: run[name] for name in ("runId", "command", "requestedBy", "startedAt")}
    if not activity["isActive"]:
        return running
    running["statement"] = shortened(redact(without_values(activity["statement"])), MAX_STATEMENT_LENGTH)
    running.update(since=activity["since"], elapsedMs=max(0, round(activity["seconds"] * 1000)))
    if activity["progress"]:
        running.update(estimate(activity["progress"], activity["seconds"]))
    if activity["isBlocked"]:
        running["blockers"] = parse_report(connection.exec_driver_sql(backend_query(activity["pid"])).scalar()).blockers
    return running


def estimate(progress: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    """The contract's `phase`, `percent` and `secondsLeft`, if they can be determined. `progress`: a row of PostgreSQL's views;
    `seconds`: since the statement began."""
    total, done = progress["total"] or 0, progress["done"] or 0
    part = min(done / total, 1.0) if total > 0 else None
    facts: dict[str, Any] = {"phase": f"{progress['what']}: {progress['phase']}"}
    if part is not None:
        facts["percent"] = round(part * 100)
    whole = _fraction_done(progress, part)
    if whole is not None and whole >= MIN_FRACTION and seconds >= MIN_SECONDS:
        facts["secondsLeft"] = round(seconds * (1 - whole) / whole)
    return facts


def _fraction_done(progress: Mapping[str, Any], part: float | None) -> float | None:
    """The fraction of the whole statement that is done; None: unknown."""
    if progress["phase"] == "copying":
        return part
    phases = _CONCURRENT_PHASES if "CONCURRENTLY" in progress["what"] else _PHASES
    before = 0.0
    for phase, share in phases:
        if phase == progress["phase"]:
            whole = before + share * (part or 0.0)
            parts = progress["parts"] or 0
            return (progress["partsDone"] + whole) / parts if parts else whole
        before += share
    return None
