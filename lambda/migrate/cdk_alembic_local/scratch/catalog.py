"""Reads PostgreSQL's catalog: the text of everything that a downgrade must restore, and the tables as TableFacts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from . import raw

_KINDS = {
    "p": "primary key",
    "u": "unique",
    "f": "foreign key",
    "c": "check",
    "x": "exclude",
    "n": "not null",
}

# Marks a database that a replay started to fill, so its content may be dropped.
MARK = "cdk_alembic_scratch"
OWN_SCHEMAS = ("cdk_alembic", MARK)

# One query: a snapshot costs one round trip. Names in `public` have no schema, others do.
_QUERY = """
WITH member AS MATERIALIZED (
  SELECT d.classid, d.objid FROM pg_extension e
  JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
  WHERE d.objid >= 16384
), space AS MATERIALIZED (
  SELECT oid, nspname, nspacl, nspowner, CASE nspname WHEN 'public' THEN '' ELSE nspname || '.' END AS prefix FROM pg_namespace
  WHERE nspname NOT LIKE 'pg\\_%' AND nspname NOT IN ('information_schema', {own})
), relation AS MATERIALIZED (
  SELECT c.oid, s.prefix || c.relname AS name, c.relkind, c.relpersistence, c.relacl, c.relowner, c.reloptions, c.relispartition,
    c.relpartbound, c.relrowsecurity, c.relforcerowsecurity, c.relreplident, coalesce(i.indrelid, c.oid) AS owner_oid
  FROM pg_class c JOIN space s ON s.oid = c.relnamespace LEFT JOIN pg_index i ON i.indexrelid = c.oid
  WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'i', 'I', 'f')
    AND NOT EXISTS (SELECT FROM member WHERE classid = 'pg_class'::regclass AND objid = c.oid)
    AND coalesce(i.indrelid, c.oid) IS DISTINCT FROM to_regclass({version_table})
), published AS MATERIALIZED (
  SELECT p.pubname, r.oid, r.name FROM pg_publication p CROSS JOIN LATERAL pg_get_publication_tables(p.pubname) t
  JOIN relation r ON r.oid = t.relid
), acl AS (
  SELECT CASE relkind WHEN 'S' THEN 'sequence ' ELSE 'table ' END || name AS what, relacl AS acl, relowner AS owner,
    CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char" AS type FROM relation WHERE relacl IS NOT NULL
  UNION ALL SELECT 'schema ' || nspname, nspacl, nspowner, 'n' FROM space WHERE nspacl IS NOT NULL AND nspname <> 'public'
  UNION ALL SELECT 'function ' || s.prefix || p.proname, p.proacl, p.proowner, 'f'
    FROM pg_proc p JOIN space s ON s.oid = p.pronamespace
    WHERE p.oid >= 16384 AND p.proacl IS NOT NULL
      AND NOT EXISTS (SELECT FROM member WHERE classid = 'pg_proc'::regclass AND objid = p.oid)
  UNION ALL SELECT 'column ' || r.name || '.' || a.attname, a.attacl, r.relowner, 'c' FROM pg_attribute a
    JOIN relation r ON r.oid = a.attrelid
    WHERE a.attrelid >= 16384 AND a.attacl IS NOT NULL AND NOT a.attisdropped
), entry (key, definition) AS (
  SELECT 'schema ' || nspname, '' FROM space WHERE nspname <> 'public'
  UNION ALL SELECT 'extension ' || e.extname, 'in ' || n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname <> 'plpgsql'
  UNION ALL SELECT 'table ' || name, concat_ws(' ', CASE relpersistence WHEN 'u' THEN 'UNLOGGED' END,
      CASE relkind WHEN 'f' THEN 'FOREIGN' END, 'TABLE', 'PARTITION BY ' || pg_get_partkeydef(oid),
      (SELECT CASE WHEN relispartition THEN 'PARTITION OF ' ELSE 'INHERITS ' END
          || string_agg(inhparent::regclass::text, ', ' ORDER BY inhseqno)
        FROM pg_inherits WHERE inhrelid = relation.oid),
      pg_get_expr(relpartbound, oid), CASE WHEN relrowsecurity THEN 'ENABLE ROW LEVEL SECURITY' END,
      CASE WHEN relforcerowsecurity THEN 'FORCE ROW LEVEL SECURITY' END, 'WITH (' || array_to_string(reloptions, ', ') || ')',
      CASE relreplident WHEN 'f' THEN 'REPLICA IDENTITY FULL' WHEN 'n' THEN 'REPLICA IDENTITY NOTHING'
        WHEN 'i' THEN 'REPLICA IDENTITY USING INDEX' END)
    FROM relation WHERE relkind IN ('r', 'p', 'f')
  UNION ALL SELECT CASE relkind WHEN 'm' THEN 'materialized view ' ELSE 'view ' END || name,
      concat_ws(' ', 'WITH (' || array_to_string(reloptions, ', ') || ')', pg_get_viewdef(oid))
    FROM relation WHERE relkind IN ('v', 'm')
  UNION ALL SELECT 'sequence ' || r.name, concat_ws(' ', format_type(q.seqtypid, NULL), 'START', q.seqstart,
      'INCREMENT', q.seqincrement, 'MINVALUE', q.seqmin,
      'MAXVALUE', q.seqmax, 'CACHE', q.seqcache, CASE WHEN q.seqcycle THEN 'CYCLE' END,
      (SELECT 'OWNED BY ' || d.refobjid::regclass || '.' || a.attname FROM pg_depend d
        JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.deptype = 'a'))
    FROM relation r JOIN pg_sequence q ON q.seqrelid = r.oid
    WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.deptype = 'i')
  UNION ALL SELECT 'trigger ' || r.name || '.' || t.tgname, concat_ws(' ', pg_get_triggerdef(t.oid),
      CASE t.tgenabled WHEN 'D' THEN 'DISABLED' WHEN 'A' THEN 'ENABLED ALWAYS' WHEN 'R' THEN 'ENABLED REPLICA' END)
    FROM pg_trigger t JOIN relation r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal
  UNION ALL SELECT 'rule ' || r.name || '.' || u.rulename, pg_get_ruledef(u.oid)
    FROM pg_rewrite u JOIN relation r ON r.oid = u.ev_class WHERE u.rulename <> '_RETURN'
  UNION ALL SELECT 'policy ' || r.name || '.' || p.polname, concat_ws(' ', CASE WHEN NOT p.polpermissive THEN 'RESTRICTIVE' END,
      'FOR', p.polcmd, 'TO', (SELECT string_agg(coalesce(o.rolname, 'PUBLIC'), ', ' ORDER BY o.rolname)
        FROM unnest(p.polroles) AS role LEFT JOIN pg_roles o ON o.oid = role),
      'USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', 'WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')')
    FROM pg_policy p JOIN relation r ON r.oid = p.polrelid
  UNION ALL SELECT CASE p.prokind WHEN 'p' THEN 'procedure ' WHEN 'a' THEN 'aggregate ' ELSE 'function ' END
      || s.prefix || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
      CASE p.prokind WHEN 'a' THEN 'AGGREGATE' ELSE pg_get_functiondef(p.oid) END
    FROM pg_proc p JOIN space s ON s.oid = p.pronamespace
    WHERE p.oid >= 16384 AND NOT EXISTS (SELECT FROM member WHERE classid = 'pg_proc'::regclass AND objid = p.oid)
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
    WHERE t.oid >= 16384
      AND (t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND (SELECT relkind FROM pg_class WHERE oid = t.typrelid) = 'c'))
      AND NOT EXISTS (SELECT FROM member WHERE classid = 'pg_type'::regclass AND objid = t.oid)
  UNION ALL SELECT 'statistics ' || s.prefix || x.stxname, pg_get_statisticsobjdef(x.oid)
    FROM pg_statistic_ext x JOIN space s ON s.oid = x.stxnamespace
  UNION ALL SELECT 'publication ' || p.pubname, concat_ws(' ', CASE WHEN p.puballtables THEN 'FOR ALL TABLES'
        ELSE 'FOR TABLE ' || (SELECT string_agg(name, ', ' ORDER BY name) FROM published WHERE pubname = p.pubname) END,
      'insert ' || p.pubinsert, 'update ' || p.pubupdate, 'delete ' || p.pubdelete, 'truncate ' || p.pubtruncate)
    FROM pg_publication p
  UNION ALL SELECT 'event trigger ' || evtname, evtevent || ' ' || evtfoid::regproc || ' ' || evtenabled::text
    FROM pg_event_trigger
  UNION ALL SELECT 'comment on ' || o.type || ' ' || o.identity, c.description
    FROM pg_description c CROSS JOIN LATERAL pg_identify_object(c.classoid, c.objoid, c.objsubid) o
    WHERE c.objoid >= 16384 AND o.identity <> 'public'
      AND c.classoid IN ('pg_class'::regclass, 'pg_constraint'::regclass, 'pg_type'::regclass, 'pg_proc'::regclass,
        'pg_namespace'::regclass, 'pg_trigger'::regclass, 'pg_policy'::regclass)
      AND NOT EXISTS (SELECT FROM member WHERE classid = c.classoid AND objid = c.objoid)
  UNION ALL SELECT 'grants on ' || what, granted FROM (
    SELECT what, coalesce(pg_catalog.array_to_string({granted_acl}, '; '), '') AS granted,
      coalesce(pg_catalog.array_to_string({granted_default}, '; '), '') AS ordinary FROM acl) g
    WHERE granted <> ordinary
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
    WHERE a.attrelid >= 16384 AND r.relkind IN ('r', 'p', 'f') AND a.attnum > 0 AND NOT a.attisdropped),
  'constraints', (SELECT json_agg(json_build_array(c.conrelid::bigint, c.conname, c.contype, pg_get_constraintdef(c.oid),
      c.conkey, c.convalidated, c.confrelid::bigint, c.confkey, c.conindid::bigint))
    FROM pg_constraint c JOIN relation r ON r.oid = c.conrelid WHERE c.contype IN ('p', 'u', 'f', 'c', 'x', 'n')),
  'indexes', (SELECT json_agg(json_build_array(i.indexrelid::bigint, i.indrelid::bigint, pg_get_indexdef(i.indexrelid),
      i.indkey::int2[], i.indnkeyatts, i.indisunique, i.indisvalid, i.indpred IS NOT NULL))
    FROM pg_index i JOIN relation r ON r.oid = i.indexrelid),
  'published', (SELECT json_agg(json_build_array(oid::bigint, pubname) ORDER BY pubname) FROM published),
  'entries', (SELECT json_agg(json_build_array(key, definition)) FROM entry)
)::text
"""

_GRANTED = """ARRAY(SELECT coalesce(pg_get_userbyid(nullif(x.grantee, 0)), 'PUBLIC') || ': '
      || string_agg(x.privilege_type || CASE WHEN x.is_grantable THEN '*' ELSE '' END, ', ' ORDER BY x.privilege_type)
      FROM aclexplode({acl}) x WHERE x.grantee <> owner GROUP BY x.grantee ORDER BY 1)"""

_PARTITION = re.compile(r".*\bPARTITION OF (\S+)")
_PUBLIC = re.compile(r"\bpublic\.")


@dataclass(frozen=True)
class Relation:
    """A table, index, view or sequence."""

    name: str
    table: str
    """The table that it belongs to, or its own name."""
    is_table: bool
    file: int | None
    """Number of the file with its rows; null if it has none."""


class Snapshot:
    """The catalog at one moment."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self._facts = {name: rows or [] for name, rows in facts.items()}
        names = {oid: name for oid, name, *_ in self._facts["relations"]}
        self.relations = {
            oid: Relation(name, names.get(owner, name), kind in "rpf", file)
            for oid, name, owner, kind, file in self._facts["relations"]
        }

    @cached_property
    def tables(self) -> dict[str, dict[str, Any]]:
        """TableFacts by name."""
        tables: dict[int, dict[str, Any]] = {
            oid: {"columns": [], "constraints": [], "indexes": []}
            for oid, relation in self.relations.items()
            if relation.is_table
        }
        for oid, _, _, kind, _ in self._facts["relations"]:
            if kind == "p":
                tables[oid]["partitions"] = self._partitions_of(self.relations[oid].name)
        attributes: dict[tuple[int, int], str] = {}
        for oid, number, name, type_, not_null, default, identity, generated, _ in self._facts["columns"]:
            attributes[oid, number] = name
            facts = {"name": name, "type": _plain(type_), "notNull": not_null}
            if default is not None:
                facts["default"] = _plain(default)
            tables[oid]["columns"].append({**facts, "identity": identity != "", "generated": generated != ""})
        for oid, name, kind, definition, key, validated, other, other_key, _ in self._facts["constraints"]:
            if oid not in tables:
                continue
            facts = {
                "name": name,
                "kind": _KINDS[kind],
                "definition": _plain(definition),
                # Attribute 0 is an expression in an EXCLUDE constraint.
                "columns": [attributes[oid, number] for number in key or () if number > 0],
                "validated": validated,
            }
            if kind == "f" and other in tables:
                facts["references"] = {
                    "table": self.relations[other].name,
                    "columns": [attributes[other, number] for number in other_key],
                }
            tables[oid]["constraints"].append(facts)
        for oid, table, definition, key, key_length, unique, valid, partial in self._facts["indexes"]:
            if table in tables:
                tables[table]["indexes"].append(
                    {
                        "name": self.relations[oid].name,
                        "definition": _plain(definition),
                        "columns": [attributes.get((table, number)) for number in key[:key_length]],
                        "unique": unique,
                        "valid": valid,
                        "partial": partial,
                    }
                )
        for oid, publication in self._facts["published"]:
            if oid in tables:
                tables[oid].setdefault("publications", []).append(publication)
        for table in tables.values():
            table["constraints"].sort(key=lambda facts: facts["name"])
            table["indexes"].sort(key=lambda facts: facts["name"])
        return {self.relations[oid].name: facts for oid, facts in tables.items()}

    def _partitions_of(self, table: str) -> list[str]:
        parents = {key: _PARTITION.match(definition) for key, definition in self.entries.items() if key.startswith("table ")}
        return sorted(key.removeprefix("table ") for key, parent in parents.items() if parent and parent[1] == table)

    def is_part_of_another(self, name: str) -> bool:
        """Whether the table is a partition."""
        return "PARTITION OF" in self.entries.get(f"table {name}", "")

    @cached_property
    def entries(self) -> dict[str, str]:
        """`<kind> <name>` and its definition in PostgreSQL."""
        entries = {_plain(key): _plain(definition or "") for key, definition in self._facts["entries"]}
        for oid, _, name, type_, not_null, default, identity, generated, collation in self._facts["columns"]:
            parts = [_plain(type_)]
            if collation:
                parts.append(f"COLLATE {collation}")
            if not_null:
                parts.append("NOT NULL")
            if identity:
                parts.append(f"GENERATED {'ALWAYS' if identity == 'a' else 'BY DEFAULT'} AS IDENTITY")
            if generated:
                parts.append(f"GENERATED ALWAYS AS ({_plain(default)}) {'STORED' if generated == 's' else 'VIRTUAL'}")
            elif default is not None:
                parts.append(f"DEFAULT {_plain(default)}")
            entries[f"column {self.relations[oid].name}.{name}"] = " ".join(parts)
        with_index = set()
        for oid, name, kind, definition, _, validated, _, _, index in self._facts["constraints"]:
            if kind in "pux":
                with_index.add(index)
            # The column's entry includes NOT NULL, for which PostgreSQL 18 also has a constraint.
            if kind != "n" or not validated:
                entries[f"constraint {self.relations[oid].name}.{name}"] = _plain(definition)
        for oid, _, definition, _, _, _, valid, _ in self._facts["indexes"]:
            if oid not in with_index:
                entries[f"index {self.relations[oid].name}"] = _plain(definition) + ("" if valid else " INVALID")
        return entries


def prepare(connection: Any, context: Any) -> None:
    """Call it before `take`, in the marked database. `context`: Alembic's, whose version table is excluded.

    Turns the query into a function, because planning takes longer than running it, and psycopg discards its prepared statements
    at every rollback.
    """
    # A revision may change the role. JIT would compile each plan again.
    raw.execute(connection, f"GRANT USAGE ON SCHEMA {MARK} TO PUBLIC")
    raw.execute(
        connection,
        f"CREATE OR REPLACE FUNCTION {MARK}.snapshot() RETURNS text LANGUAGE plpgsql SET jit = off "
        f"AS $snapshot$ BEGIN RETURN ({_query(context)}); END $snapshot$",
    )


def take(connection: Any) -> Snapshot:
    """A snapshot on this connection, in its current transaction."""
    return Snapshot(raw.value(connection, f"SELECT {MARK}.snapshot()"))


def read(connection: Any, context: Any) -> Snapshot:
    """A snapshot of a database in which nothing may be created."""
    return Snapshot(raw.value(connection, _query(context)))


def _query(context: Any) -> str:
    schema, table = getattr(context, "version_table_schema", None), getattr(context, "version_table", "alembic_version")
    quoted = ".".join('"' + part.replace('"', '""') + '"' for part in (schema, table) if part)
    return _QUERY.format(
        own=", ".join(raw.literal(name) for name in OWN_SCHEMAS),
        version_table=raw.literal(quoted),
        granted_acl=_GRANTED.format(acl="acl"),
        granted_default=_GRANTED.format(acl="acldefault(type, owner)"),
    )


def change(before: dict[str, str], after: dict[str, str]) -> dict[str, Any]:
    """SchemaChange from one snapshot's entries to another's."""
    return {
        "added": {key: after[key] for key in sorted(after) if key not in before},
        "removed": {key: before[key] for key in sorted(before) if key not in after},
        "changed": {key: [before[key], after[key]] for key in sorted(before) if key in after and before[key] != after[key]},
    }


def is_none(change: dict[str, Any]) -> bool:
    """Whether nothing differs."""
    return not any(change.values())


def _plain(text: str) -> str:
    return _PUBLIC.sub("", text) if "public." in text else text
