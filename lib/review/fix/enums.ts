import { type Node, scanSync } from 'libpg-query';
import { execute } from '../advice/python';
import { quotedTable } from '../advice/sql';
import type { AnalyzedRevision } from '../revision/analyzed-revision';
import { findType, unqualifiedName } from '../revision/tables';
import type { Action, ActionOf } from '../sql/action';
import type { NoSafeForm, SafeForm } from './form';

type ChangeType = ActionOf<'change type'>;

/** Adds values to an enum that the revision replaces by one with more values. Undefined if the column's type is not an enum. */
export function addValues(
  { table, column }: ChangeType,
  { facts, upgrade }: AnalyzedRevision,
): SafeForm | NoSafeForm | undefined {
  const type = unchangedType(table, column, facts);
  if (type === undefined) return undefined;
  const [before, after] = (findType(facts.changes?.changed, type) ?? []).map(labelsOf);
  if (!before || !after) return undefined;
  const steps = upgrade.steps.map(({ action }) => action);
  const names = namesOf(type, steps);
  const changed = steps.filter(
    (action): action is ChangeType => action.does === 'change type' && unchangedType(action.table, action.column, facts) === type,
  );
  if (changed.some((action) => !keepsLabels(action, names))) return { reason: 'its USING changes values' };
  if (after.filter((label) => before.includes(label)).join() !== before.join()) {
    const guide = 'https://cdk-alembic.github.io/cdk-alembic/create.html#replace-an-enum';
    return { reason: `PostgreSQL removes or reorders values of the enum ${type} only by writing every row: see ${guide}` };
  }
  const kept = changed.filter(
    (action) => defaultOf(facts.before, action.table, action.column) === defaultOf(facts.after, action.table, action.column),
  );
  const isThisType = (name: string) => names.has(unqualifiedName(name));
  const others = [...names].filter((name) => name !== unqualifiedName(type));
  return {
    parts: [{ phase: 'values', autocommit: true, up: additions(type, before, after) }],
    // The downgrade creates the old type again, as in the revision.
    undoneBy: () => false,
    replaces: ({ action, sql }) => {
      if (action.does === 'create type' && isThisType(action.type)) return true;
      if (action.does === 'drop' && action.what === 'type' && action.names.every(isThisType)) return true;
      if (action.does === 'change type' && changed.includes(action)) return true;
      if (action.does === 'set default') {
        return kept.some(({ table: of, column: own }) => of === action.table && own === action.column);
      }
      if (action.does === 'drop index') return action.indexes.every((name) => isRebuilt(name, { facts, upgrade }));
      if (action.does === 'create index') return action.index !== undefined && isRebuilt(action.index, { facts, upgrade });
      // Statements with another name of the type serve the swap: a rename, operators that compare the two types.
      return scanSync(sql).tokens.some(({ text }) => others.includes(text.replaceAll('"', '')));
    },
  };
}

/** Whether an index is the same after the upgrade: it is dropped and created only because its definition names the type. */
function isRebuilt(name: string, { facts, upgrade }: Pick<AnalyzedRevision, 'facts' | 'upgrade'>): boolean {
  const before = upgrade.findIndex(name);
  const after = before && facts.after[before.table]?.indexes.find((index) => index.name === before.index.name);
  return after !== undefined && after.definition === before?.index.definition;
}

/** The name of a column's type, if the upgrade does not change it. */
function unchangedType(table: string, column: string, { before, after }: AnalyzedRevision['facts']): string | undefined {
  const [old, now] = [before, after].map((tables) => tables[table]?.columns.find(({ name }) => name === column)?.type);
  return old === now ? old?.replaceAll('"', '') : undefined;
}

function labelsOf(definition: string): readonly string[] | undefined {
  const list = /^ENUM \((.*)\)$/s.exec(definition)?.[1];
  return list?.match(/(?<!E)'(?:[^']|'')*'/g) ?? undefined;
}

/** All names that the enum has during the upgrade, without schemas. */
function namesOf(type: string, steps: readonly Action[]): ReadonlySet<string> {
  const names = new Set([unqualifiedName(type)]);
  for (const action of steps) {
    if (action.does !== 'rename' || action.what !== 'type') continue;
    const own = [unqualifiedName(action.table), action.to];
    if (own.some((name) => names.has(name))) for (const name of own) names.add(name);
  }
  return names;
}

/** Whether each value keeps its label: USING only casts between the enum, its other names and text. */
function keepsLabels({ column, type, written }: ChangeType, names: ReadonlySet<string>): boolean {
  const isPlain = (name: string) => /^(?:text|varchar|character varying)\b/.test(name) || names.has(unqualifiedName(name));
  const def = written?.node.def;
  if (!def || !('ColumnDef' in def) || !isPlain(type.replaceAll('"', ''))) return false;
  let value: Node | undefined = def.ColumnDef.raw_default;
  while (value && 'TypeCast' in value) {
    const cast = value.TypeCast.typeName?.names?.flatMap((part) => ('String' in part ? [part.String.sval ?? ''] : [])).at(-1);
    if (cast === undefined || !isPlain(cast)) return false;
    value = value.TypeCast.arg;
  }
  if (!value) return true;
  const [last] = 'ColumnRef' in value ? (value.ColumnRef.fields ?? []).slice(-1) : [];
  return !!last && 'String' in last && last.String.sval === column;
}

function defaultOf(tables: AnalyzedRevision['facts']['before'], table: string, column: string): string | undefined {
  return tables[table]?.columns.find(({ name }) => name === column)?.default;
}

function additions(type: string, before: readonly string[], after: readonly string[]): readonly string[] {
  return after.flatMap((label, at) => {
    if (before.includes(label)) return [];
    const isLast = after.slice(at).every((later) => !before.includes(later));
    const place = at === 0 ? ` BEFORE ${before[0]}` : isLast ? '' : ` AFTER ${after[at - 1]}`;
    return [execute(`ALTER TYPE ${quotedTable(type)} ADD VALUE IF NOT EXISTS ${label}${place}`)];
  });
}
