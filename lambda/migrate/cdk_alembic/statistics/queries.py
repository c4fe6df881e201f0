"""SQL that reads sizes and traffic. No statement reads a row of a user's table, or a value that PostgreSQL sampled from one."""

from __future__ import annotations

# This many tables usually fit into Lambda's answer. With many columns, the smallest tables are left out.
MAX_TABLES = 2000

_TIME = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"

# Whether a collation compares the values, which takes longer than comparing bytes.
_COLLATED = """EXISTS (SELECT FROM pg_collation WHERE oid {} AND collname NOT IN ('C', 'POSIX', 'ucs_basic', 'pg_c_utf8'))"""

SETTINGS = (
    "autovacuum",
    "checkpoint_timeout",
    "effective_io_concurrency",
    "maintenance_work_mem",
    "max_parallel_maintenance_workers",
    "max_wal_size",
    "shared_buffers",
    "wal_level",
    "work_mem",
)

# pg_publication_tables would wait for a locked table.
_PUBLISHED = """
      SELECT prrelid AS oid FROM pg_publication_rel WHERE prpubid = publication.oid"""
_PUBLISHED_SCHEMAS = """
      UNION SELECT member.oid FROM pg_publication_namespace JOIN pg_class AS member ON member.relnamespace = pnnspid
      WHERE pnpubid = publication.oid AND member.relkind IN ('r', 'p') AND NOT member.relispartition"""

# The last reset of the database's counters. Without one, they started with the server's counters, which a crash resets too.
_DATABASE = """
SELECT json_build_object(
  'readAt', {read_at},
  'postgres', split_part(current_setting('server_version'), ' ', 1),
  'bytes', pg_database_size(current_database()),
  'countedSince', {counted_since},
  'countedSeconds', extract(epoch FROM now() - since),
  'settings', (SELECT json_agg(json_build_object('name', name, 'value', current_setting(name)) ORDER BY name) FROM pg_settings
    WHERE name IN ({settings})),
  'publications', coalesce((
    SELECT json_agg(json_build_object('name', pubname, 'allTables', puballtables, 'tables', coalesce((
      SELECT json_agg(CASE nspname WHEN 'public' THEN '' ELSE nspname || '.' END || relname ORDER BY nspname, relname)
      FROM ({published}) AS published JOIN pg_class ON pg_class.oid = published.oid
      JOIN pg_namespace ON pg_namespace.oid = relnamespace), '[]')) ORDER BY pubname)
    FROM pg_publication AS publication), '[]'))::text
FROM (
  SELECT coalesce(pg_stat_get_db_stat_reset_time((SELECT oid FROM pg_database WHERE datname = current_database())),
    (SELECT stats_reset FROM pg_stat_bgwriter)) AS since
) AS counters
"""

# Reads no table. The values come unordered and fit into the default work_mem; with OFFSET the planner keeps the sort.
_SORT = """
SELECT (extract(epoch FROM clock_timestamp() - statement_timestamp()) * 1000)::text
FROM (SELECT count(*) FROM (SELECT FROM generate_series(1, 50000) AS n ORDER BY {} OFFSET 0) AS sorted)
  AS done(counted) WHERE counted > 0
"""
_NUMBER = "mod(n::bigint * 7919, 100003)"
SORT = _SORT.format(_NUMBER)
# Uses the collation of the database.
SORT_TEXT = _SORT.format(f"{_NUMBER}::text || '@example.com'")

# Measuring a file takes a lock, and would wait behind an ALTER TABLE, even a waiting one: then relpages is used.
_TABLES = """
WITH closed AS MATERIALIZED (
  SELECT relation FROM pg_locks WHERE locktype = 'relation' AND mode = 'AccessExclusiveLock'
), relation AS MATERIALIZED (
  SELECT c.oid, c.relname, c.relkind, c.reltuples, c.relpages, c.relam, c.reltoastrelid, n.nspname,
    CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || c.relname AS name, c.relispartition,
    CASE WHEN c.relkind NOT IN ('r', 'm', 'i') THEN 0
      WHEN c.oid IN (SELECT relation FROM closed) THEN c.relpages::bigint * current_setting('block_size')::bigint
      ELSE coalesce(pg_relation_size(c.oid), 0) END AS bytes
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'm', 'f', 'i', 'I') AND c.relpersistence <> 't'
    AND left(n.nspname, 3) <> 'pg_' AND n.nspname NOT IN ('information_schema', 'cdk_alembic')
), owned AS (
  SELECT i.indrelid, sum(relation.bytes) AS bytes, json_agg(json_build_object(
    'name', relation.name, 'rows', relation.reltuples, 'pages', relation.relpages, 'bytes', relation.bytes, 'method', m.amname,
    'valid', i.indisvalid, 'collated', {index_collated},
    'scans', coalesce(pg_stat_get_numscans(relation.oid), 0)) ORDER BY relation.name) AS list
  FROM pg_index AS i JOIN relation ON relation.oid = i.indexrelid JOIN pg_am AS m ON m.oid = relation.relam
  GROUP BY i.indrelid
), chosen AS (
  SELECT relation.*, owned.list, coalesce(owned.bytes, 0) AS index_bytes,
    count(*) OVER () AS total, count(*) FILTER (WHERE NOT has_table_privilege(relation.oid, 'SELECT')) OVER () AS hidden
  FROM relation LEFT JOIN owned ON owned.indrelid = relation.oid
  WHERE relkind NOT IN ('i', 'I') ORDER BY relkind <> 'p', relation.bytes DESC, relation.name LIMIT {limit}
)
SELECT json_build_array(max(total), max(hidden), coalesce(json_agg(json_build_object(
  'name', name, 'kind', relkind, 'tuples', reltuples, 'pages', relpages, 'bytes', bytes, 'indexBytes', index_bytes,
  'partitionOf', CASE WHEN relispartition THEN (
    SELECT CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || parent.relname FROM pg_inherits
    JOIN pg_class AS parent ON parent.oid = inhparent JOIN pg_namespace AS n ON n.oid = parent.relnamespace
    WHERE inhrelid = chosen.oid) END,
  'toastBytes', CASE WHEN reltoastrelid = 0 THEN 0 WHEN chosen.oid IN (SELECT relation FROM closed)
    OR reltoastrelid IN (SELECT relation FROM closed) THEN 0 ELSE coalesce(pg_relation_size(reltoastrelid), 0) END,
  'live', coalesce(pg_stat_get_live_tuples(chosen.oid), 0),
  'deadRows', coalesce(pg_stat_get_dead_tuples(chosen.oid), 0),
  'writes', pg_stat_get_tuples_inserted(chosen.oid) + pg_stat_get_tuples_updated(chosen.oid)
    + pg_stat_get_tuples_deleted(chosen.oid),
  'analyzedAt', {analyzed_at},
  'attributes', (SELECT count(*) FROM pg_attribute WHERE attrelid = chosen.oid AND attnum > 0 AND NOT attisdropped),
  'columns', coalesce((
    SELECT json_agg(json_build_object('name', a.attname, 'nulls', null_frac, 'distinct', n_distinct, 'width', avg_width,
      'collated', {column_collated}) ORDER BY a.attname)
    FROM pg_stats AS s JOIN pg_attribute AS a ON a.attrelid = chosen.oid AND a.attname = s.attname
    WHERE schemaname = chosen.nspname AND tablename = chosen.relname AND inherited = (chosen.relkind = 'p')), '[]'),
  'indexes', coalesce(list, '[]'))), '[]'))::text
FROM chosen
"""


def database(version: tuple[int, ...]) -> str:
    """The query for the database, on a server of this version."""
    return _DATABASE.format(
        read_at=_TIME.format("now()"),
        counted_since=_TIME.format("since"),
        settings=", ".join(f"'{name}'" for name in SETTINGS),
        published=_PUBLISHED + (_PUBLISHED_SCHEMAS if version >= (15,) else ""),
    )


def tables(limit: int = MAX_TABLES) -> str:
    """The query for the largest tables, and all partitioned ones before them."""
    analyzed = "greatest(pg_stat_get_last_analyze_time(chosen.oid), pg_stat_get_last_autoanalyze_time(chosen.oid))"
    return _TABLES.format(
        analyzed_at=_TIME.format(analyzed),
        index_collated=_COLLATED.format("= ANY (i.indcollation)"),
        column_collated=_COLLATED.format("= a.attcollation"),
        limit=limit,
    )
