import type { IndexFacts, TableFacts } from '../../../contract/facts';
import type { RevisionFunction } from '../../revision/analyzed-revision';
import { type PlainStep, stepsOf } from '../../revision/steps';
import { findIndex, findTable, unqualifiedName } from '../../revision/tables';
import type { ActionOf } from '../../sql/action';
import { columnType } from '../../sql/column-types';
import { nameList } from '../name-list';
import type { Rule } from '../rule';

type Tables = RevisionFunction['tablesBefore'];

/** https://www.postgresql.org/docs/current/sql-createtable.html: "there is no guarantee that the existing relation is anything like the one that would have been created" */
export const otherObjectAccepted: Rule = {
  id: 'other-object-accepted',
  group: 'compatibility',
  severity: 'error',
  title: 'IF NOT EXISTS accepts a different object',
  *check({ facts, upgrade }) {
    // The analysis leaves out steps without an effect.
    for (const step of upgrade.replayed ? stepsOf(facts.upgrade, facts.source.upgrade) : []) {
      if (!step.observed || !/\bIF\s+NOT\s+EXISTS\b/i.test(step.sql)) continue;
      // Another statement of the revision may have dropped the object before, or change it afterwards.
      const accepted = acceptedObject(step, upgrade.tablesBefore) && acceptedObject(step, upgrade.tablesAfter);
      if (accepted === undefined) continue;
      yield {
        line: step.line,
        direction: 'upgrade',
        seen: 'replay',
        statement: step.sql,
        message: `${accepted}: because of IF NOT EXISTS the statement does nothing, and the revision is stamped without what it should create`,
        instead: '# write what changes the existing object into the one that is meant, such as ALTER TABLE ... ADD COLUMN',
      };
    }
  },
};

/** How the object that a statement should create differs from the one that is there; undefined if it does not, or is not there. */
function acceptedObject({ action }: PlainStep, tables: Tables): string | undefined {
  if (action.does === 'create index') return acceptedIndex(action, findIndex(tables, action.index ?? ''));
  if (action.does !== 'create table' && action.does !== 'add column') return undefined;
  const existing = findTable(tables, action.table);
  if (!existing) return undefined;
  return action.does === 'create table' ? acceptedTable(action, existing) : acceptedColumn(action, existing);
}

function acceptedTable({ table, columns }: ActionOf<'create table'>, existing: TableFacts): string | undefined {
  const missing = columns.filter(({ name }) => !existing.columns.some((column) => column.name === name));
  return missing.length ? `${table} exists already, without ${nameList(missing.map(({ name }) => name))}` : undefined;
}

function acceptedColumn({ table, column }: ActionOf<'add column'>, existing: TableFacts): string | undefined {
  const type = existing.columns.find(({ name }) => name === column.name)?.type;
  if (type === undefined) return undefined;
  const [own, other] = [column.type, type].map((written) => columnType(unqualifiedName(written)));
  const isSame = own?.name === other?.name && own?.array === other?.array;
  return isSame ? undefined : `${table}.${column.name} exists already as ${type}, not ${column.type}`;
}

function acceptedIndex(
  { table, index, columns, unique }: ActionOf<'create index'>,
  found: { readonly table: string; readonly index: IndexFacts } | undefined,
): string | undefined {
  if (!found || [...columns, ...found.index.columns].includes(null)) return undefined;
  const isSame = unique === found.index.unique && String(columns) === String(found.index.columns);
  if (isSame && unqualifiedName(found.table) === unqualifiedName(table)) return undefined;
  const kind = found.index.unique ? 'a unique index' : 'an index';
  return `${index} exists already as ${kind} on ${found.table} (${found.index.columns.join(', ')})`;
}
