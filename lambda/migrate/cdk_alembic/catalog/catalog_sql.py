"""SQL that reads the catalog: all of it, or what may have changed since the last read.

Each catalog row names the transaction that wrote it (`xmin`), and every change writes a new row: a table has changed if one of
its rows is young, or if rows are missing. Names in `public` have no schema, others do.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from . import raw

# Marks a database that a replay started to fill, so its content may be dropped.
MARK = "cdk_alembic_scratch"
OWN_SCHEMAS = ("cdk_alembic", MARK)

_COMMON = """
WITH member AS MATERIALIZED (
  SELECT d.classid, d.objid, d.ctid, d.xmin FROM pg_extension e
  JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
  WHERE d.objid >= 16384
), space AS MATERIALIZED (
  SELECT oid, nspname, nspacl, nspowner, CASE nspname WHEN 'public' THEN '' ELSE nspname || '.' END AS prefix FROM pg_namespace
  WHERE nspname NOT LIKE 'pg\\_%' AND nspname NOT IN ('information_schema', {own_schemas}){only}
){owned}"""
# The objects of one schema, through the index of pg_depend: pg_class, pg_proc and pg_type have no index on the schema.
_OWNED = """, owned AS MATERIALIZED (
  SELECT classid, objid FROM pg_depend
  WHERE refclassid = 'pg_namespace'::regclass AND refobjid = (SELECT oid FROM space)
  UNION ALL SELECT 'pg_namespace'::regclass, oid FROM space
), deeply_owned AS (
  SELECT classid, objid FROM owned
  UNION ALL SELECT 'pg_class'::regclass, indexrelid FROM owned JOIN pg_index ON indrelid = objid
    WHERE classid = 'pg_class'::regclass
  UNION ALL SELECT 'pg_constraint'::regclass, oid FROM owned JOIN pg_constraint ON conrelid = objid
    WHERE classid = 'pg_class'::regclass
  UNION ALL SELECT 'pg_constraint'::regclass, oid FROM owned JOIN pg_constraint ON contypid = objid
    WHERE classid = 'pg_type'::regclass
  UNION ALL SELECT 'pg_trigger'::regclass, oid FROM owned JOIN pg_trigger ON tgrelid = objid
    WHERE classid = 'pg_class'::regclass
  UNION ALL SELECT 'pg_policy'::regclass, oid FROM owned JOIN pg_policy ON polrelid = objid
    WHERE classid = 'pg_class'::regclass
)"""
_RELATION = """, relation AS MATERIALIZED (
  SELECT c.oid, s.prefix || c.relname AS name, c.relkind, c.relpersistence, c.relacl, c.relowner, c.reloptions, c.relispartition,
    c.relpartbound, c.relrowsecurity, c.relforcerowsecurity, c.relreplident, coalesce(i.indrelid, c.oid) AS owner_oid
  FROM pg_class c JOIN space s ON s.oid = c.relnamespace LEFT JOIN pg_index i ON i.indexrelid = c.oid
  WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'i', 'I', 'f'){which}
    AND NOT EXISTS (SELECT FROM member WHERE classid = 'pg_class'::regclass AND objid = c.oid)
    AND coalesce(i.indrelid, c.oid) IS DISTINCT FROM to_regclass({version_table}){of_relation}
)"""

_IS_OWNED = " AND {oid} IN (SELECT objid FROM owned WHERE classid = '{catalog}'::regclass)"

# Rows of the catalogs that PostgreSQL prints in the definitions of other objects, or that have their own entries.
_DEEP = """
    SELECT 1 AS salt, ctid, xmin FROM pg_namespace
    UNION ALL SELECT 2, ctid, xmin FROM pg_type WHERE oid >= 16384 AND typtype <> 'c' AND typcategory <> 'A'
    UNION ALL SELECT 3, part.ctid, part.xmin FROM pg_class c CROSS JOIN LATERAL (
        SELECT ctid, xmin FROM pg_attribute WHERE attrelid = c.oid UNION ALL SELECT ctid, xmin FROM pg_type WHERE oid = c.reltype
      ) part WHERE c.oid >= 16384 AND c.relkind = 'c'
    UNION ALL SELECT 5, ctid, xmin FROM pg_proc WHERE oid >= 16384
    UNION ALL SELECT 6, ctid, xmin FROM pg_enum WHERE oid >= 16384
    UNION ALL SELECT 7, ctid, xmin FROM pg_range WHERE rngtypid >= 16384
    UNION ALL SELECT 8, ctid, xmin FROM pg_constraint WHERE conrelid = 0
    UNION ALL SELECT 9, ctid, xmin FROM pg_extension
    UNION ALL SELECT 10, ctid, xmin FROM member
    UNION ALL SELECT 11, ctid, xmin FROM pg_operator WHERE oid >= 16384
    UNION ALL SELECT 12, ctid, xmin FROM pg_opclass WHERE oid >= 16384
    UNION ALL SELECT 13, ctid, xmin FROM pg_collation WHERE oid >= 16384
    UNION ALL SELECT 14, ctid, xmin FROM pg_ts_config WHERE oid >= 16384
    UNION ALL SELECT 15, ctid, xmin FROM pg_statistic_ext
    UNION ALL SELECT 16, ctid, xmin FROM pg_event_trigger"""

# The catalog rows of each table, and whether they are young. Where a row can't disappear unless another one changes, only young
# ones are read. Views, rules and policies print other tables' columns: they always count as young.
_TABLE_ROWS = """
    SELECT c.oid AS owner, true AS is_owner, 1 AS rows, {young} OR c.relkind IN ('v', 'm') AS young
      FROM pg_class c JOIN space s ON s.oid = c.relnamespace
      WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND c.oid IS DISTINCT FROM to_regclass({version_table})
    UNION ALL SELECT conrelid, false, 1, {young} FROM pg_constraint c WHERE conrelid >= 16384
    UNION ALL SELECT indrelid, false, 1, {young} FROM pg_index c WHERE indrelid >= 16384
    UNION ALL SELECT tgrelid, false, 1, {young} FROM pg_trigger c WHERE tgrelid >= 16384 AND NOT tgisinternal
    UNION ALL SELECT inhrelid, false, 1, {young} FROM pg_inherits c
    UNION ALL SELECT polrelid, false, 1, true FROM pg_policy
    UNION ALL SELECT ev_class, false, 1, true FROM pg_rewrite WHERE ev_class >= 16384
    UNION ALL SELECT i.indrelid, false, 0, true FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid
      WHERE c.oid >= 16384 AND c.relkind IN ('i', 'I') AND {young}
    UNION ALL SELECT attrelid, false, 0, true FROM pg_attribute c WHERE attrelid >= 16384 AND attnum > 0 AND {young}
    UNION ALL SELECT adrelid, false, 0, true FROM pg_attrdef c WHERE adrelid >= 16384 AND {young}
    UNION ALL SELECT seqrelid, false, 0, true FROM pg_sequence c WHERE seqrelid >= 16384 AND {young}
    UNION ALL SELECT partrelid, false, 0, true FROM pg_partitioned_table c WHERE {young}"""
_YOUNG = "age(c.xmin) <= oldest"

# `owners` and `counts`: as of `since`. A deleted row shows only as a smaller count. Without `oldest`, everything counts as
# changed.
_CHANGED = """
{common}, now AS MATERIALIZED (
  SELECT owner, sum(rows) AS count, bool_or(young) AS young FROM ({own_rows}) one GROUP BY owner HAVING bool_or(is_owner)
), known AS MATERIALIZED (
  SELECT known.owner, known.count FROM unnest(owners, counts) AS known (owner, count)
  WHERE oldest IS NOT NULL
), changed AS MATERIALIZED (
  SELECT now.owner, now.count FROM now LEFT JOIN known USING (owner)
  WHERE now.young OR known.count IS DISTINCT FROM now.count
)
SELECT (SELECT array_agg(owner) FROM changed),
  (SELECT json_agg(json_build_array(owner::bigint, count)) FROM changed),
  (SELECT json_agg(known.owner::bigint) FROM known WHERE known.owner NOT IN (SELECT now.owner FROM now))
"""

_PUBLISHED = """, published AS MATERIALIZED (
  SELECT p.pubname, r.oid, r.name FROM pg_publication p CROSS JOIN LATERAL pg_get_publication_tables(p.pubname) t
  JOIN relation r ON r.oid = t.relid{of_database}
)"""
_PUBLICATIONS = """
  'published', (SELECT json_agg(json_build_array(oid::bigint, pubname) ORDER BY pubname) FROM published),
  'publications', (SELECT json_agg(json_build_array('publication ' || p.pubname, concat_ws(' ', CASE WHEN p.puballtables
        THEN 'FOR ALL TABLES'
        ELSE 'FOR TABLE ' || (SELECT string_agg(name, ', ' ORDER BY name) FROM published WHERE pubname = p.pubname) END,
      'insert ' || p.pubinsert, 'update ' || p.pubupdate, 'delete ' || p.pubdelete, 'truncate ' || p.pubtruncate)))
    FROM pg_publication p{of_database})"""

# Detects changes of everything else. `since` is null in a transaction that has written: its rows may be rolled back.
# `ordinary`: a name finds the same object until that is renamed, and no function's text has names of other objects.
_STATE = """
{common}
SELECT json_build_object(
  'since', CASE WHEN pg_current_xact_id_if_assigned() IS NULL THEN pg_snapshot_xmin(pg_current_snapshot())::xid::text END,
  'deep', concat_ws(' ', (SELECT bit_xor({hash}) FROM ({deep_rows}) one),
    (SELECT bit_xor(hashtextextended(rolname, oid::bigint)) FROM pg_roles WHERE oid >= 16384),
    current_schemas(false), current_setting('quote_all_identifiers'), current_setting('TimeZone'), current_setting('DateStyle'),
    current_setting('IntervalStyle'), current_setting('extra_float_digits'), current_setting('bytea_output'),
    current_setting('lc_monetary'), current_setting('xmlbinary')),
  'comments', (SELECT bit_xor({hash})::text FROM (SELECT 1 AS salt, ctid, xmin FROM pg_description WHERE objoid >= 16384) one),
  'ordinary', cardinality(current_schemas(false)) = 1
    AND NOT EXISTS (SELECT FROM pg_proc WHERE oid >= 16384 AND prosqlbody IS NOT NULL
      AND NOT EXISTS (SELECT FROM member WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid))
)
"""

_TEXTS = """
{start} acl AS (
  SELECT owner_oid, CASE relkind WHEN 'S' THEN 'sequence ' ELSE 'table ' END || name AS what, relacl AS acl,
    relowner AS owner, CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char" AS type FROM relation WHERE relacl IS NOT NULL
  UNION ALL SELECT r.oid, 'column ' || r.name || '.' || a.attname, a.attacl, r.relowner, 'c' FROM pg_attribute a
    JOIN relation r ON r.oid = a.attrelid
    WHERE a.attrelid >= 16384{filters[a.attrelid]} AND a.attacl IS NOT NULL AND NOT a.attisdropped
), entry (owner, key, definition) AS (
  SELECT oid, 'table ' || name, concat_ws(' ', CASE relpersistence WHEN 'u' THEN 'UNLOGGED' END,
      CASE relkind WHEN 'f' THEN 'FOREIGN' END, 'TABLE', 'PARTITION BY ' || pg_get_partkeydef(oid),
      (SELECT CASE WHEN relispartition THEN 'PARTITION OF ' ELSE 'INHERITS ' END
          || string_agg(inhparent::regclass::text, ', ' ORDER BY inhseqno)
        FROM pg_inherits WHERE inhrelid = relation.oid),
      pg_get_expr(relpartbound, oid), CASE WHEN relrowsecurity THEN 'ENABLE ROW LEVEL SECURITY' END,
      CASE WHEN relforcerowsecurity THEN 'FORCE ROW LEVEL SECURITY' END, 'WITH (' || array_to_string(reloptions, ', ') || ')',
      CASE relreplident WHEN 'f' THEN 'REPLICA IDENTITY FULL' WHEN 'n' THEN 'REPLICA IDENTITY NOTHING'
        WHEN 'i' THEN 'REPLICA IDENTITY USING INDEX' END)
    FROM relation WHERE relkind IN ('r', 'p', 'f')
  UNION ALL SELECT oid, CASE relkind WHEN 'm' THEN 'materialized view ' ELSE 'view ' END || name,
      concat_ws(' ', 'WITH (' || array_to_string(reloptions, ', ') || ')', pg_get_viewdef(oid))
    FROM relation WHERE relkind IN ('v', 'm')
  UNION ALL SELECT r.oid, 'sequence ' || r.name, concat_ws(' ', format_type(q.seqtypid, NULL), 'START', q.seqstart,
      'INCREMENT', q.seqincrement, 'MINVALUE', q.seqmin,
      'MAXVALUE', q.seqmax, 'CACHE', q.seqcache, CASE WHEN q.seqcycle THEN 'CYCLE' END,
      (SELECT 'OWNED BY ' || d.refobjid::regclass || '.'
          || (SELECT attname FROM pg_attribute WHERE attrelid = d.refobjid AND attnum = d.refobjsubid)
        FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.deptype = 'a'))
    FROM relation r JOIN pg_sequence q ON q.seqrelid = r.oid
    WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.deptype = 'i')
  UNION ALL SELECT r.oid, 'trigger ' || r.name || '.' || t.tgname, concat_ws(' ', pg_get_triggerdef(t.oid),
      CASE t.tgenabled WHEN 'D' THEN 'DISABLED' WHEN 'A' THEN 'ENABLED ALWAYS' WHEN 'R' THEN 'ENABLED REPLICA' END)
    FROM pg_trigger t JOIN relation r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal{filters[t.tgrelid]}
  UNION ALL SELECT r.oid, 'rule ' || r.name || '.' || u.rulename, pg_get_ruledef(u.oid)
    FROM pg_rewrite u JOIN relation r ON r.oid = u.ev_class WHERE u.rulename <> '_RETURN'{filters[u.ev_class]}
  UNION ALL SELECT r.oid, 'policy ' || r.name || '.' || p.polname, concat_ws(' ',
      CASE WHEN NOT p.polpermissive THEN 'RESTRICTIVE' END,
      'FOR', p.polcmd, 'TO', (SELECT string_agg(coalesce(o.rolname, 'PUBLIC'), ', ' ORDER BY o.rolname)
        FROM unnest(p.polroles) AS role LEFT JOIN pg_roles o ON o.oid = role),
      'USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', 'WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')')
    FROM pg_policy p JOIN relation r ON r.oid = p.polrelid
  UNION ALL SELECT owner_oid, 'grants on ' || what, granted FROM ({granted}) g WHERE granted <> ordinary
)
SELECT json_build_object(
  'relations', (SELECT json_agg(json_build_array(r.oid::bigint, r.name, r.owner_oid::bigint, r.relkind,
      CASE WHEN r.relkind IN ('r', 'm', 'i') THEN pg_relation_filenode(r.oid)::bigint END)) FROM relation r),
  'columns', (SELECT json_agg(json_build_array(a.attrelid::bigint, a.attnum, a.attname,
      format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated,
      CASE WHEN a.attcollation <> t.typcollation THEN (SELECT collname FROM pg_collation WHERE oid = a.attcollation) END)
      ORDER BY a.attnum)
    FROM pg_attribute a JOIN relation r ON r.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid >= 16384{filters[a.attrelid]} AND r.relkind IN ('r', 'p', 'f') AND a.attnum > 0 AND NOT a.attisdropped),
  'constraints', (SELECT json_agg(json_build_array(c.conrelid::bigint, c.conname, c.contype, pg_get_constraintdef(c.oid),
      c.conkey, c.convalidated, c.confrelid::bigint, c.confkey, c.conindid::bigint))
    FROM pg_constraint c JOIN relation r ON r.oid = c.conrelid
    WHERE c.contype IN ('p', 'u', 'f', 'c', 'x', 'n'){filters[c.conrelid]}),
  'indexes', (SELECT json_agg(json_build_array(i.indexrelid::bigint, i.indrelid::bigint, pg_get_indexdef(i.indexrelid),
      i.indkey::int2[], i.indnkeyatts, i.indisunique, i.indisvalid, i.indpred IS NOT NULL))
    FROM pg_index i JOIN relation r ON r.oid = i.indexrelid WHERE true{filters[i.indrelid]}),
  'entries', (SELECT json_agg(json_build_array(owner::bigint, key, definition)) FROM entry)
)
"""

# The definitions of objects outside tables, without comments and publications.
_REST = """
{start} acl AS (
  SELECT NULL::oid AS owner_oid, 'schema ' || nspname AS what, nspacl AS acl, nspowner AS owner, 'n'::"char" AS type
    FROM space WHERE nspacl IS NOT NULL AND nspname <> 'public'
  UNION ALL SELECT NULL, 'function ' || s.prefix || p.proname, p.proacl, p.proowner, 'f'
    FROM pg_proc p JOIN space s ON s.oid = p.pronamespace
    WHERE p.oid >= 16384 AND p.proacl IS NOT NULL{of_routine}
      AND NOT EXISTS (SELECT FROM member WHERE classid = 'pg_proc'::regclass AND objid = p.oid)
), entry (key, definition) AS (
  SELECT 'schema ' || nspname, '' FROM space WHERE nspname <> 'public'
  UNION ALL SELECT 'extension ' || e.extname, 'in ' || n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
      AND e.extname <> 'plpgsql'{of_database}
  UNION ALL SELECT CASE p.prokind WHEN 'p' THEN 'procedure ' WHEN 'a' THEN 'aggregate ' ELSE 'function ' END
      || s.prefix || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
      CASE p.prokind WHEN 'a' THEN 'AGGREGATE' ELSE pg_get_functiondef(p.oid) END
    FROM pg_proc p JOIN space s ON s.oid = p.pronamespace
    WHERE p.oid >= 16384{of_routine} AND NOT EXISTS (SELECT FROM member WHERE classid = 'pg_proc'::regclass AND objid = p.oid)
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'i')
  UNION ALL SELECT CASE t.typtype WHEN 'd' THEN 'domain ' ELSE 'type ' END || s.prefix || t.typname, CASE t.typtype
      WHEN 'e' THEN 'ENUM (' || (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder)
        FROM pg_enum WHERE enumtypid = t.oid) || ')'
      WHEN 'd' THEN concat_ws(' ', format_type(t.typbasetype, t.typtypmod), CASE WHEN t.typnotnull THEN 'NOT NULL' END,
        'DEFAULT ' || t.typdefault, (SELECT string_agg(conname || ' ' || pg_get_constraintdef(oid), ' ' ORDER BY conname)
          FROM pg_constraint WHERE contypid = t.oid AND contype = 'c'))
      WHEN 'c' THEN 'AS (' || (SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum)
        FROM pg_attribute WHERE attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped) || ')'
      ELSE 'RANGE (' || (SELECT format_type(rngsubtype, NULL) FROM pg_range WHERE rngtypid = t.oid) || ')' END
    FROM pg_type t JOIN space s ON s.oid = t.typnamespace
    WHERE t.oid >= 16384{of_type}
      AND (t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND (SELECT relkind FROM pg_class WHERE oid = t.typrelid) = 'c'))
      AND NOT EXISTS (SELECT FROM member WHERE classid = 'pg_type'::regclass AND objid = t.oid)
  UNION ALL SELECT 'statistics ' || s.prefix || x.stxname, pg_get_statisticsobjdef(x.oid)
    FROM pg_statistic_ext x JOIN space s ON s.oid = x.stxnamespace{of_statistics}
  UNION ALL SELECT 'event trigger ' || evtname, evtevent || ' ' || evtfoid::regproc || ' ' || evtenabled::text
    FROM pg_event_trigger{of_database}
  UNION ALL SELECT 'grants on ' || what, granted FROM ({granted}) g WHERE granted <> ordinary
)
SELECT coalesce(json_agg(json_build_array(key, definition)), '[]')::text FROM entry
"""

_COMMENTS = """
{start}
SELECT coalesce(json_agg(json_build_array('comment on ' || o.type || ' ' || o.identity, c.description)), '[]')::text
    FROM pg_description c{of_description} CROSS JOIN LATERAL pg_identify_object(c.classoid, c.objoid, c.objsubid) o
    WHERE c.objoid >= 16384 AND o.identity <> 'public'
      AND c.classoid IN ('pg_class'::regclass, 'pg_constraint'::regclass, 'pg_type'::regclass, 'pg_proc'::regclass,
        'pg_namespace'::regclass, 'pg_trigger'::regclass, 'pg_policy'::regclass)
      AND NOT EXISTS (SELECT FROM member WHERE classid = c.classoid AND objid = c.objoid)
"""

_EVERYTHING = """
{common}{relation}{published}
SELECT json_build_object({publications},
  'texts', ({texts}), 'rest', ({rest})::json, 'comments', ({comments})::json
)::text
"""

_GRANTED_OF = """SELECT owner_oid, what, coalesce(pg_catalog.array_to_string({granted_acl}, '; '), '') AS granted,
      coalesce(pg_catalog.array_to_string({granted_default}, '; '), '') AS ordinary FROM acl"""
_GRANTED = """ARRAY(SELECT coalesce(pg_get_userbyid(nullif(x.grantee, 0)), 'PUBLIC') || ': '
      || string_agg(x.privilege_type || CASE WHEN x.is_grantable THEN '*' ELSE '' END, ', ' ORDER BY x.privilege_type)
      FROM aclexplode({acl}) x WHERE x.grantee <> owner GROUP BY x.grantee ORDER BY 1)"""

# A hash of row versions that ignores their order: position (`ctid`) and transaction.
_HASH = "hashtidextended(ctid, xmin::text::bigint * 32 + salt)"

# JIT would compile each plan again.
_FUNCTION = """CREATE OR REPLACE FUNCTION {mark}.catalog_{signature} RETURNS text
LANGUAGE plpgsql SET jit = off SET plan_cache_mode = force_generic_plan{options} AS $query$ {body} $query$"""
# The statistics of a new server know no user's tables: with loops, a hundred tables take a second, and with hashes a tenth of it.
_OF_ALL = " SET enable_nestloop = off"
_LOOK_BODY = """
DECLARE state json := ({state}); which oid[]; changed json; gone json; texts json; publications json;
  oldest int := CASE WHEN (state ->> 'ordinary')::boolean AND state ->> 'deep' = deep THEN age(since) END;
BEGIN
  {changed} INTO which, changed, gone;
  IF oldest IS NULL THEN texts := {mark}.catalog_texts(which);
  ELSIF which IS NOT NULL THEN texts := ({texts}); END IF;
  IF EXISTS (SELECT FROM pg_publication) THEN publications := ({publications}); END IF;
  RETURN json_build_object('state', state, 'all', oldest IS NULL, 'changed', changed, 'gone', gone, 'texts', texts,
    'publications', publications);
END
"""


def prepare(connection: Any, context: Any) -> None:
    """Call it in the marked database before `Catalog.take`. `context`: Alembic's; its version table is excluded.

    Turns the queries into functions, because planning takes longer than running them, and psycopg discards its prepared
    statements at every rollback.
    """
    # A revision may change the role.
    raw.execute(connection, f"GRANT USAGE ON SCHEMA {MARK} TO PUBLIC")
    for signature, body, options in (
        ("look(since xid, deep text, owners oid[], counts bigint[])", _look_body(context), ""),
        ("texts(which oid[])", f"BEGIN RETURN ({_texts(context, 'which')}); END", _OF_ALL),
        ("rest()", f"BEGIN RETURN ({rest()}); END", ""),
        ("comments()", f"BEGIN RETURN ({comments()}); END", ""),
    ):
        raw.execute(connection, _FUNCTION.format(mark=MARK, signature=signature, body=body, options=options))


def _look_body(context: Any) -> str:
    rows = _TABLE_ROWS.format(young=_YOUNG, version_table=_version_table(context))
    return _LOOK_BODY.format(
        mark=MARK,
        changed=_CHANGED.format(common=_common(), own_rows=rows),
        texts=_texts(context, "which"),
        publications=_publications_query(context),
        state=_STATE.format(common=_common(), deep_rows=_DEEP, hash=_HASH),
    )


def rest() -> str:
    """The query for the definitions outside tables: schemas, extensions, functions, types."""
    return _rest(f"{_common()},")


def comments() -> str:
    """The query for all comments."""
    return _COMMENTS.format(start=_common(), of_description="")


def everything(context: Any, schema: str | None = None) -> str:
    """One query for the whole catalog, without row versions. `schema`: reads only this schema."""
    owned = "\n    JOIN deeply_owned d ON d.classid = c.classoid AND d.objid = c.objoid" if schema else ""
    return _EVERYTHING.format(
        common=_common(schema),
        relation=_relation(context, "", schema),
        **_publications(schema),
        texts=_TEXTS.format(start="WITH", granted=_granted(), filters=defaultdict(str)),
        rest=_rest("WITH", schema),
        comments=_COMMENTS.format(start="", of_description=owned),
    )


_NOT_IN_A_SCHEMA = " WHERE false"


def _publications(schema: str | None = None) -> dict[str, str]:
    of_database = _NOT_IN_A_SCHEMA if schema else ""
    parts = (("published", _PUBLISHED), ("publications", _PUBLICATIONS))
    return {name: text.format(of_database=of_database) for name, text in parts}


def _publications_query(context: Any) -> str:
    parts = _publications()
    return f"{_common()}{_relation(context, '')}{parts['published']} SELECT json_build_object({parts['publications']})"


def _texts(context: Any, owners: str) -> str:
    """`owners`: an expression with the oids of tables, views and sequences."""
    # An array is computed once; a subquery would run for each relation of the database.
    which = f"""
    AND c.oid = ANY ({owners} || ARRAY(SELECT indexrelid FROM pg_index WHERE indrelid = ANY ({owners})))"""  # noqa: S608
    columns = ("a.attrelid", "t.tgrelid", "u.ev_class", "c.conrelid", "i.indrelid")
    filters = {column: f" AND {column} = ANY ({owners})" for column in columns}
    return _TEXTS.format(start=f"{_common()}{_relation(context, which)},", granted=_granted(), filters=filters)


def _rest(start: str, schema: str | None = None) -> str:
    return _REST.format(
        start=start,
        granted=_granted(),
        of_routine=_is_owned("p.oid", "pg_proc", schema),
        of_type=_is_owned("t.oid", "pg_type", schema),
        of_statistics=_is_owned("x.oid", "pg_statistic_ext", schema),
        of_database=_NOT_IN_A_SCHEMA if schema else "",
    )


def _common(schema: str | None = None) -> str:
    only = f" AND nspname = {raw.literal(schema)}" if schema else ""
    own_schemas = ", ".join(raw.literal(name) for name in OWN_SCHEMAS)
    return _COMMON.format(own_schemas=own_schemas, only=only, owned=_OWNED if schema else "")


def _relation(context: Any, which: str, schema: str | None = None) -> str:
    of_relation = ""
    if schema:
        of_relation = "\n    AND c.oid IN (SELECT objid FROM deeply_owned WHERE classid = 'pg_class'::regclass)"
    return _RELATION.format(version_table=_version_table(context), which=which, of_relation=of_relation)


def _version_table(context: Any) -> str:
    schema, table = getattr(context, "version_table_schema", None), getattr(context, "version_table", "alembic_version")
    return raw.literal(".".join('"' + part.replace('"', '""') + '"' for part in (schema, table) if part))


def _is_owned(oid: str, catalog: str, schema: str | None) -> str:
    return _IS_OWNED.format(oid=oid, catalog=catalog) if schema else ""


def _granted() -> str:
    return _GRANTED_OF.format(
        granted_acl=_GRANTED.format(acl="acl"), granted_default=_GRANTED.format(acl="acldefault(type, owner)")
    )
