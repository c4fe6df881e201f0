import { addInSteps, changeTypeInSteps } from '../../advice/columns';
import type { RevisionFunction, Step } from '../../revision/analyzed-revision';
import { originalName } from '../../revision/created-objects';
import { argumentCode, existingType } from '../../revision/operations';
import type { Action, ActionOf } from '../../sql/action';
import { alwaysRewrites, isConverted, isStoredAs } from '../../sql/column-types';
import type { Rule, RuleFinding } from '../rule';
import { andCommits, exclusivelyLocked } from './locks';

/** Detected by the table's file (relfilenode), which a rewrite replaces even if the table is empty. */
export const tableRewrite: Rule = {
  id: 'table-rewrite',
  group: 'locking',
  severity: 'error',
  title: 'a table is rewritten under the lock: a type change, a computed default, a generated column, VACUUM FULL, CLUSTER',
  *check({ upgrade }) {
    for (const step of upgrade.steps) {
      for (const found of rewriteFindings(step, upgrade)) yield { ...step.place, ...found };
    }
  },
};

function* rewriteFindings(
  step: Step,
  part: RevisionFunction,
): Iterable<Pick<RuleFinding, 'message' | 'instead' | 'atMost' | 'cost'>> {
  const { action, observed, holdsRows } = step;
  if (action.does === 'truncate' || action.does === 'refresh' || action.does === 'reindex') return;
  if (action.does === 'rewrite table' && !action.table) {
    yield { message: rewritesAll(action.how) };
    return;
  }
  if (!('table' in action) || !holdsRows(action.table)) return;
  const { table } = action;
  const because = rewriteReason(step);
  if (!because) return;
  const own = [table, ...partitionsOf(table, part)];
  const seen = (observed?.rewrites ?? []).filter((name) => own.includes(part.findIndex(name)?.table ?? name));
  const written = seen.length ? seen : indexesToRebuild(action, part);
  if (!written.length && action.does === 'change type' && dependsOnZone(action, step, part)) {
    yield {
      atMost: 'warning',
      message:
        `${because} takes each value as of the session's TimeZone. Unless that is UTC, PostgreSQL rewrites ${table} under an ACCESS EXCLUSIVE ` +
        'lock, and reads and writes wait; with a wrong one, every value is off by hours',
      instead: '# before it, in this revision, the zone that the values are in:\nop.execute("SET LOCAL TimeZone = \'UTC\'")',
    };
    return;
  }
  if (!written.length && isKept(step, part)) return;
  const onlyIndexes = written.length > 0 && !written.some((name) => own.includes(name));
  const what = onlyIndexes ? `the index ${written.join(', ')} of ${table}` : table;
  yield {
    message:
      `${because} rewrites ${what} under an ACCESS EXCLUSIVE lock: ` +
      `reads and writes wait until the rewrite is done${andCommits(step)}`,
    cost: { work: onlyIndexes ? 'reindex' : 'rewrite', tables: [table] },
    instead: safeForm(step, part),
    // Without the table's facts, it may be unknown whether both types are stored the same way.
    ...(action.does === 'change type' && !written.length && !convertsEachValue(step, action.type, part)
      ? { atMost: 'warning' as const }
      : {}),
  };
}

/** https://www.postgresql.org/docs/current/sql-vacuum.html, sql-cluster.html */
function rewritesAll(how: string): string {
  const which = how === 'CLUSTER' ? 'each table that was clustered before' : 'each table of the database';
  return `${how} without a table rewrites ${which}, one after the other, under an ACCESS EXCLUSIVE lock: reads and writes of each wait until its rewrite is done`;
}

/** Whether a step is known to rewrite nothing, if no file was seen to change. In autocommit, a replay may not see it. */
function isKept(step: Step, part: RevisionFunction): boolean {
  const { action, observed, transaction } = step;
  if (action.does === 'alter table') return true;
  // The scratch server has one tablespace only.
  if (action.does === 'rewrite table' && action.how === 'SET TABLESPACE') return false;
  if (!observed) return keepsType(step);
  return part.replayed && (action.does !== 'rewrite table' || transaction >= 0);
}

/** Whether a type is known not to be stored as the one before: no column had a type that the function creates. */
function convertsEachValue({ call }: Step, type: string, { steps }: RevisionFunction): boolean {
  const isNew = steps.some(({ action }) => action.does === 'create type' && action.labels !== undefined && action.type === type);
  return isNew || alwaysRewrites(type) || isConverted(existingType(call)?.type ?? '', type);
}

/** `alter_column(..., existing_type=sa.String(50), type_=sa.Text())`: the column has the type already, or one that is stored alike. */
function keepsType({ action, call }: Step): boolean {
  if (action.does !== 'change type' || call?.keywords.postgresql_using !== undefined) return false;
  const [before, after] = [call?.keywords.existing_type, call?.keywords.type_].map(argumentCode);
  return (!!before && before === after) || isStoredAs(existingType(call)?.type ?? '', action.type);
}

/** https://www.postgresql.org/docs/current/sql-altertable.html: with UTC, timestamp and timestamptz are stored alike */
function dependsOnZone({ table, column, type }: ActionOf<'change type'>, { call }: Step, part: RevisionFunction): boolean {
  const before = part.findTable(table)?.columns.find(({ name }) => name === column)?.type ?? existingType(call)?.type ?? '';
  const isZoned =
    before.startsWith('timestamp') && type.startsWith('timestamp') && /with time zone|tz/.test(before) !== /tz/.test(type);
  return isZoned && !part.steps.some(({ action }) => action.does === 'set' && action.name === 'timezone');
}

/** The tables that hold the rows of a partitioned table, at every level. */
function partitionsOf(table: string, part: RevisionFunction): readonly string[] {
  return (part.findTable(table)?.partitions ?? []).flatMap((name) => [name, ...partitionsOf(name, part)]);
}

/** Indexes of a column that gets another collation: PostgreSQL rebuilds each of them under its old name. */
function indexesToRebuild(action: Action, part: RevisionFunction): readonly string[] {
  if (action.does !== 'change type') return [];
  const def = action.written?.node.def;
  if (!def || !('ColumnDef' in def) || !def.ColumnDef.collClause) return [];
  const indexes = part.findTable(action.table)?.indexes ?? [];
  return indexes.filter(({ columns }) => columns.includes(action.column)).map(({ name }) => name);
}

function rewriteReason({ action, observed }: Step): string | undefined {
  if (action.does === 'rewrite table') return action.how;
  if (action.does === 'change type') return `the ${action.type ? `type ${action.type}` : 'new type'} of column ${action.column}`;
  // A constant default is stored once, whatever the version.
  const computed = action.does === 'add column' && (action.column.default === 'computed' || !!observed?.rewrites.length);
  if (action.does === 'add column' && computed) return `column ${action.column.name} with a value computed for each row`;
  return action.does === 'alter table' ? `ALTER TABLE ${action.table}` : undefined;
}

function safeForm({ action }: Step, part: RevisionFunction): string | undefined {
  if (!('table' in action)) return undefined;
  const facts = part.findTable(action.table);
  if (action.does === 'add column') return addInSteps(action.table, action.column, facts);
  return action.does === 'change type' ? changeTypeInSteps(action, facts) : undefined;
}

/** Two transactions that lock the same tables in different orders deadlock. */
export const locksSeveralTables: Rule = {
  id: 'locks-several-tables',
  group: 'locking',
  severity: 'warning',
  title: 'several existing tables are locked against reads in one transaction',
  *check({ upgrade: part }) {
    const actions = part.steps.map(({ action }) => action);
    const held = new Map<number, Map<string, number>>();
    const reported = new Set<number>();
    for (const step of part.steps) {
      if (step.transaction < 0) continue;
      const tables = held.get(step.transaction) ?? new Map<string, number>();
      held.set(step.transaction, tables);
      for (const table of exclusivelyLocked(step, part))
        if (!tables.has(originalName(table, actions) ?? '')) tables.set(table, tables.get(table) ?? step.index);
      // The locks of a single statement can't be split.
      if (new Set(tables.values()).size < 2 || reported.has(step.transaction)) continue;
      reported.add(step.transaction);
      const names = [...tables.keys()];
      yield {
        ...step.place,
        message:
          `${names.join(' and ')} are locked (ACCESS EXCLUSIVE) in one transaction: reads and writes of the first wait for the lock on the ` +
          'second, and a transaction that uses them in another order deadlocks',
        instead: '# one table per revision: each lock is then held only briefly',
      };
    }
  },
};
