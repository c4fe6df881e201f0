"""SQL that reads the catalog at once, or in two steps: a cheap state of everything, then the text of what has changed since it
was last read.

A version of a catalog row has a place (`ctid`) and a transaction (`xmin`): a hash of both changes when a row is inserted, changed
or deleted, and comes back when that is rolled back. Names in `public` have no schema, others do.
"""

from __future__ import annotations

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
  WHERE nspname NOT LIKE 'pg\\_%' AND nspname NOT IN ('information_schema', {own}){only}
){owned}"""
# What one schema has: its catalogs have an index for it, and pg_class, pg_proc and pg_type have none.
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
    c.relpartbound, c.relrowsecurity, c.relforcerowsecurity, c.relreplident, coalesce(i.indrelid, c.oid) AS owner_oid,
    c.ctid AS place, c.xmin AS made
  FROM pg_class c JOIN space s ON s.oid = c.relnamespace LEFT JOIN pg_index i ON i.indexrelid = c.oid
  WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'i', 'I', 'f')
    AND NOT EXISTS (SELECT FROM member WHERE classid = 'pg_class'::regclass AND objid = c.oid)
    AND coalesce(i.indrelid, c.oid) IS DISTINCT FROM to_regclass({version_table}){which}{of_relation}
)"""

_OWNED_ONE = " AND {oid} IN (SELECT objid FROM owned WHERE classid = '{catalog}'::regclass)"

# A row of each catalog whose text PostgreSQL prints in the definitions of others, or that has entries of its own.
_DEEP = """
    SELECT 1 AS salt, ctid, xmin FROM pg_namespace
    UNION ALL SELECT 2, ctid, xmin FROM pg_type WHERE oid >= 16384 AND typtype <> 'c' AND typcategory <> 'A'
    UNION ALL SELECT 3, a.ctid, a.xmin FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
      WHERE c.oid >= 16384 AND c.relkind = 'c'
    UNION ALL SELECT 4, t.ctid, t.xmin FROM pg_class c JOIN pg_type t ON t.oid = c.reltype
      WHERE c.oid >= 16384 AND c.relkind = 'c'
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

# What belongs to a table. Views, rules and policies print other tables' columns: they are always read.
_OWN = """
    SELECT owner_oid AS owner, 1 AS salt, place AS ctid, made AS xmin, relkind IN ('v', 'm') AS always FROM relation
    UNION ALL SELECT attrelid, 2, ctid, xmin, false FROM pg_attribute WHERE attrelid >= 16384 AND attnum > 0
    UNION ALL SELECT adrelid, 3, ctid, xmin, false FROM pg_attrdef WHERE adrelid >= 16384
    UNION ALL SELECT conrelid, 4, ctid, xmin, false FROM pg_constraint WHERE conrelid >= 16384
    UNION ALL SELECT indrelid, 5, ctid, xmin, false FROM pg_index WHERE indrelid >= 16384
    UNION ALL SELECT tgrelid, 6, ctid, xmin, false FROM pg_trigger WHERE tgrelid >= 16384 AND NOT tgisinternal
    UNION ALL SELECT inhrelid, 7, ctid, xmin, false FROM pg_inherits
    UNION ALL SELECT seqrelid, 8, ctid, xmin, false FROM pg_sequence WHERE seqrelid >= 16384
    UNION ALL SELECT r.oid, 9, d.ctid, d.xmin, false FROM relation r
      JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.deptype IN ('a', 'i')
      WHERE r.relkind = 'S'
    UNION ALL SELECT partrelid, 10, ctid, xmin, false FROM pg_partitioned_table
    UNION ALL SELECT polrelid, 11, ctid, xmin, true FROM pg_policy
    UNION ALL SELECT ev_class, 12, ctid, xmin, true FROM pg_rewrite WHERE ev_class >= 16384"""

_PUBLISHED = """, published AS MATERIALIZED (
  SELECT p.pubname, r.oid, r.name FROM pg_publication p CROSS JOIN LATERAL pg_get_publication_tables(p.pubname) t
  JOIN relation r ON r.oid = t.relid{of_database}
)"""
_NAMES = """
  'relations', (SELECT json_agg(json_build_array(r.oid::bigint, r.name, r.owner_oid::bigint, r.relkind,
      CASE WHEN r.relkind IN ('r', 'm', 'i') THEN pg_relation_filenode(r.oid)::bigint END)) FROM relation r),
  'published', (SELECT json_agg(json_build_array(oid::bigint, pubname) ORDER BY pubname) FROM published),
  'publications', (SELECT json_agg(json_build_array('publication ' || p.pubname, concat_ws(' ', CASE WHEN p.puballtables
        THEN 'FOR ALL TABLES'
        ELSE 'FOR TABLE ' || (SELECT string_agg(name, ', ' ORDER BY name) FROM published WHERE pubname = p.pubname) END,
      'insert ' || p.pubinsert, 'update ' || p.pubupdate, 'delete ' || p.pubdelete, 'truncate ' || p.pubtruncate)))
    FROM pg_publication p{of_database})"""

_STATE = """
{common}{relation}{published}
SELECT json_build_object({names},
  'own', (SELECT json_agg(json_build_array(owner::bigint, hash::text, always)) FROM (
    SELECT owner, bit_xor({hash}) AS hash, bool_or(always) AS always FROM ({own_rows}) one
    WHERE owner IN (SELECT owner_oid FROM relation) GROUP BY owner) each),
  'deep', concat_ws(' ', (SELECT bit_xor({hash}) FROM ({deep_rows}) one),
    (SELECT bit_xor(hashtextextended(rolname, oid::bigint)) FROM pg_roles WHERE oid >= 16384),
    current_setting('quote_all_identifiers'), current_setting('TimeZone'), current_setting('DateStyle'),
    current_setting('IntervalStyle'), current_setting('extra_float_digits'), current_setting('bytea_output'),
    current_setting('lc_monetary'), current_setting('xmlbinary')),
  'comments', (SELECT bit_xor({hash})::text FROM (SELECT 1 AS salt, ctid, xmin FROM pg_description WHERE objoid >= 16384) one),
  'ordinary', current_schemas(false) = ARRAY['public']::name[]
    AND NOT EXISTS (SELECT FROM pg_proc WHERE oid >= 16384 AND prosqlbody IS NOT NULL)
)::text
"""

_TEXTS = """
{start} acl AS (
  SELECT owner_oid, CASE relkind WHEN 'S' THEN 'sequence ' ELSE 'table ' END || name AS what, relacl AS acl,
    relowner AS owner, CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char" AS type FROM relation WHERE relacl IS NOT NULL
  UNION ALL SELECT r.oid, 'column ' || r.name || '.' || a.attname, a.attacl, r.relowner, 'c' FROM pg_attribute a
    JOIN relation r ON r.oid = a.attrelid
    WHERE a.attrelid >= 16384 AND a.attacl IS NOT NULL AND NOT a.attisdropped
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
      (SELECT 'OWNED BY ' || d.refobjid::regclass || '.' || a.attname FROM pg_depend d
        JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.deptype = 'a'))
    FROM relation r JOIN pg_sequence q ON q.seqrelid = r.oid
    WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.deptype = 'i')
  UNION ALL SELECT r.oid, 'trigger ' || r.name || '.' || t.tgname, concat_ws(' ', pg_get_triggerdef(t.oid),
      CASE t.tgenabled WHEN 'D' THEN 'DISABLED' WHEN 'A' THEN 'ENABLED ALWAYS' WHEN 'R' THEN 'ENABLED REPLICA' END)
    FROM pg_trigger t JOIN relation r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal
  UNION ALL SELECT r.oid, 'rule ' || r.name || '.' || u.rulename, pg_get_ruledef(u.oid)
    FROM pg_rewrite u JOIN relation r ON r.oid = u.ev_class WHERE u.rulename <> '_RETURN'
  UNION ALL SELECT r.oid, 'policy ' || r.name || '.' || p.polname, concat_ws(' ',
      CASE WHEN NOT p.polpermissive THEN 'RESTRICTIVE' END,
      'FOR', p.polcmd, 'TO', (SELECT string_agg(coalesce(o.rolname, 'PUBLIC'), ', ' ORDER BY o.rolname)
        FROM unnest(p.polroles) AS role LEFT JOIN pg_roles o ON o.oid = role),
      'USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', 'WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')')
    FROM pg_policy p JOIN relation r ON r.oid = p.polrelid
  UNION ALL SELECT owner_oid, 'grants on ' || what, granted FROM ({granted}) g WHERE granted <> ordinary
)
SELECT json_build_object(
  'columns', (SELECT json_agg(json_build_array(a.attrelid::bigint, a.attnum, a.attname,
      format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated,
      CASE WHEN a.attcollation <> t.typcollation THEN (SELECT collname FROM pg_collation WHERE oid = a.attcollation) END)
      ORDER BY a.attnum)
    FROM pg_attribute a JOIN relation r ON r.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid >= 16384 AND r.relkind IN ('r', 'p', 'f') AND a.attnum > 0 AND NOT a.attisdropped),
  'constraints', (SELECT json_agg(json_build_array(c.conrelid::bigint, c.conname, c.contype, pg_get_constraintdef(c.oid),
      c.conkey, c.convalidated, c.confrelid::bigint, c.confkey, c.conindid::bigint))
    FROM pg_constraint c JOIN relation r ON r.oid = c.conrelid WHERE c.contype IN ('p', 'u', 'f', 'c', 'x', 'n')),
  'indexes', (SELECT json_agg(json_build_array(i.indexrelid::bigint, i.indrelid::bigint, pg_get_indexdef(i.indexrelid),
      i.indkey::int2[], i.indnkeyatts, i.indisunique, i.indisvalid, i.indpred IS NOT NULL))
    FROM pg_index i JOIN relation r ON r.oid = i.indexrelid),
  'entries', (SELECT json_agg(json_build_array(owner::bigint, key, definition)) FROM entry)
)::text
"""

# Everything else but comments and publications.
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
SELECT json_build_object({names},
  'texts', ({texts})::json, 'rest', ({rest})::json, 'comments', ({comments})::json
)::text
"""

_GRANTED_OF = """SELECT owner_oid, what, coalesce(pg_catalog.array_to_string({granted_acl}, '; '), '') AS granted,
      coalesce(pg_catalog.array_to_string({granted_default}, '; '), '') AS ordinary FROM acl"""
_GRANTED = """ARRAY(SELECT coalesce(pg_get_userbyid(nullif(x.grantee, 0)), 'PUBLIC') || ': '
      || string_agg(x.privilege_type || CASE WHEN x.is_grantable THEN '*' ELSE '' END, ', ' ORDER BY x.privilege_type)
      FROM aclexplode({acl}) x WHERE x.grantee <> owner GROUP BY x.grantee ORDER BY 1)"""

# A sum of the versions of rows in any order.
_HASH = "hashtidextended(ctid, xmin::text::bigint * 32 + salt)"


def prepare(connection: Any, context: Any) -> None:
    """Call it in the marked database before `Catalog.take`. `context`: Alembic's, whose version table is excluded.

    Turns the queries into functions, because planning takes longer than running them, and psycopg discards its prepared
    statements at every rollback.
    """
    # A revision may change the role.
    raw.execute(connection, f"GRANT USAGE ON SCHEMA {MARK} TO PUBLIC")
    for function, query in (
        ("state()", state(context)),
        ("texts(owners bigint[])", texts(context, "owners")),
        ("rest()", rest()),
        ("comments()", comments()),
    ):
        # JIT would compile each plan again.
        raw.execute(
            connection,
            f"CREATE OR REPLACE FUNCTION {MARK}.catalog_{function} RETURNS text LANGUAGE plpgsql "
            f"SET jit = off SET plan_cache_mode = force_generic_plan AS $query$ BEGIN RETURN ({query}); END $query$",
        )


def state(context: Any) -> str:
    """The versions of everything, the names and files of relations, and publications."""
    rows = {"own_rows": _OWN, "deep_rows": _DEEP, "hash": _HASH}
    return _STATE.format(common=_common(), relation=_relation(context, ""), **_names(), **rows)


def texts(context: Any, owners: str) -> str:
    """The definitions of what belongs to tables, views and sequences. `owners`: an expression with their oids; NULL: all."""
    which = f"\n    AND ({owners} IS NULL OR coalesce(i.indrelid, c.oid) = ANY ({owners}))"
    return _TEXTS.format(start=f"{_common()}{_relation(context, which)},", granted=_granted())


def rest() -> str:
    """The definitions of what belongs to no table: schemas, extensions, functions, types."""
    return _rest(f"{_common()},")


def comments() -> str:
    """All comments."""
    return _COMMENTS.format(start=_common(), of_description="")


def everything(context: Any, schema: str | None = None) -> str:
    """All of it in one query, without versions. `schema`: only what is in this schema; PostgreSQL then reads nothing of the
    others."""
    owned = "\n    JOIN deeply_owned d ON d.classid = c.classoid AND d.objid = c.objoid" if schema else ""
    return _EVERYTHING.format(
        common=_common(schema),
        relation=_relation(context, "", schema),
        **_names(schema),
        texts=_TEXTS.format(start="WITH", granted=_granted()),
        rest=_rest("WITH", schema),
        comments=_COMMENTS.format(start="", of_description=owned),
    )


_NOT_IN_A_SCHEMA = " WHERE false"


def _names(schema: str | None = None) -> dict[str, str]:
    of_database = _NOT_IN_A_SCHEMA if schema else ""
    return {name: text.format(of_database=of_database) for name, text in (("published", _PUBLISHED), ("names", _NAMES))}


def _rest(start: str, schema: str | None = None) -> str:
    return _REST.format(
        start=start,
        granted=_granted(),
        of_routine=_owned("p.oid", "pg_proc", schema),
        of_type=_owned("t.oid", "pg_type", schema),
        of_statistics=_owned("x.oid", "pg_statistic_ext", schema),
        of_database=_NOT_IN_A_SCHEMA if schema else "",
    )


def _common(schema: str | None = None) -> str:
    only = f" AND nspname = {raw.literal(schema)}" if schema else ""
    own = ", ".join(raw.literal(name) for name in OWN_SCHEMAS)
    return _COMMON.format(own=own, only=only, owned=_OWNED if schema else "")


def _relation(context: Any, which: str, schema: str | None = None) -> str:
    own, table = getattr(context, "version_table_schema", None), getattr(context, "version_table", "alembic_version")
    quoted = ".".join('"' + part.replace('"', '""') + '"' for part in (own, table) if part)
    of_relation = ""
    if schema:
        of_relation = "\n    AND c.oid IN (SELECT objid FROM deeply_owned WHERE classid = 'pg_class'::regclass)"
    return _RELATION.format(version_table=raw.literal(quoted), which=which, of_relation=of_relation)


def _owned(oid: str, catalog: str, schema: str | None) -> str:
    return _OWNED_ONE.format(oid=oid, catalog=catalog) if schema else ""


def _granted() -> str:
    return _GRANTED_OF.format(
        granted_acl=_GRANTED.format(acl="acl"), granted_default=_GRANTED.format(acl="acldefault(type, owner)")
    )
