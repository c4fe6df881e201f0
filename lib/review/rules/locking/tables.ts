import { batches, execute, literal, tableArguments } from '../../advice/python';
import type { Part, Step } from '../../revision/reviewed';
import type { Found, Rule } from '../rule';
import { exclusivelyLocked } from './locks';

/** Seen by the table's file (relfilenode), which a rewrite replaces also where the table is empty. */
export const tableRewrite: Rule = {
  id: 'table-rewrite',
  group: 'locking',
  severity: 'error',
  title: 'a table is rewritten under the lock: a type change, a computed default, a generated column, VACUUM FULL, CLUSTER',
  *check({ upgrade }) {
    for (const step of upgrade.steps) {
      for (const found of rewritesOf(step, upgrade)) yield { ...step.place, ...found };
    }
  },
};

function* rewritesOf(step: Step, part: Part): Iterable<Pick<Found, 'message' | 'instead' | 'atMost'>> {
  const { action, observed, isExisting } = step;
  if (action.does === 'truncate' || action.does === 'refresh' || action.does === 'reindex') return;
  if (!('table' in action) || !isExisting(action.table)) return;
  const { table } = action;
  const because = reasonOf(step);
  if (!because) return;
  const seen = (observed?.rewrites ?? []).filter((name) => name === table || part.findIndex(name)?.table === table);
  if (observed && part.replayed && action.does !== 'rewrite table' && !seen.length) return;
  if (action.does === 'alter table' && !seen.length) return;
  const what = seen.length && !seen.includes(table) ? `the index ${seen.join(', ')} of ${table}` : table;
  yield {
    message:
      `${because} rewrites ${what} under an ACCESS EXCLUSIVE lock: ` +
      'reads and writes wait until all of it is written anew and the revision commits',
    instead: insteadOf(step),
    // Whether the new type has the old one's form is not known without the table.
    ...(action.does === 'change type' && !seen.length ? { atMost: 'warning' as const } : {}),
  };
}

function reasonOf({ action }: Step): string | undefined {
  if (action.does === 'rewrite table') return action.how;
  if (action.does === 'change type') return `the type ${action.type} of column ${action.column}`;
  if (action.does === 'add column' && action.column.default)
    return `column ${action.column.name} with a value computed for each row`;
  return action.does === 'alter table' ? `ALTER TABLE ${action.table}` : undefined;
}

function insteadOf({ action }: Step): string | undefined {
  if (action.does === 'add column') {
    const { table, schema } = tableArguments(action.table);
    return [
      `op.add_column(${table}, sa.Column(${literal(action.column.name)}, ..., nullable=True)${schema})`,
      execute(`ALTER TABLE ${action.table} ALTER COLUMN ${action.column.name} SET DEFAULT ...`),
      '# in the next revision, the rows that are there, in batches:',
      batches(action.table, `${action.column.name} = ...`, `${action.column.name} IS NULL`),
    ].join('\n');
  }
  if (action.does === 'change type') {
    const { table, schema } = tableArguments(action.table);
    return [
      `op.add_column(${table}, sa.Column("new_${action.column}", ..., nullable=True)${schema})`,
      '# the application writes both columns; the next revision copies in batches:',
      batches(action.table, `new_${action.column} = ${action.column}`, `new_${action.column} IS NULL`),
      `# a later release reads new_${action.column}, and one after it drops ${action.column}`,
    ].join('\n');
  }
  return undefined;
}

/** https://www.postgresql.org/docs/current/explicit-locking.html: a lock is held until the end of its transaction. */
export const workUnderLock: Rule = {
  id: 'work-under-lock',
  group: 'locking',
  severity: 'error',
  title: 'more work is done while a table is locked against reads',
  *check({ upgrade: part }) {
    const held = new Map<string, Step>();
    let transaction: number | undefined;
    for (const step of part.steps) {
      if (step.transaction !== transaction) held.clear();
      transaction = step.transaction;
      const explicit = step.action.does === 'lock' && exclusivelyLocked(step, part)[0];
      if (explicit) {
        yield {
          ...step.place,
          message: `LOCK TABLE holds an ACCESS EXCLUSIVE lock on ${explicit} until the revision commits: reads and writes wait`,
        };
      }
      const { action } = step;
      if (
        action.does === 'refresh' &&
        !action.concurrently &&
        step.observed?.locks.some(({ mode }) => mode === 'AccessExclusiveLock')
      ) {
        yield {
          ...step.place,
          message: `REFRESH MATERIALIZED VIEW holds an ACCESS EXCLUSIVE lock on ${action.view} while it is filled: its readers wait`,
          instead: execute(`REFRESH MATERIALIZED VIEW CONCURRENTLY ${action.view}`),
        };
      }
      yield* work(step, held);
      if (step.transaction >= 0) for (const table of exclusivelyLocked(step, part)) held.set(table, held.get(table) ?? step);
    }
  },
};

function* work(step: Step, held: ReadonlyMap<string, Step>): Iterable<Found> {
  const { action, place, isExisting } = step;
  const locked = [...held].filter(([, by]) => by.index !== step.index);
  const [first] = locked;
  if (!first) return;
  const [table, by] = first;
  const since = `since line ${by.line} an ACCESS EXCLUSIVE lock on ${table} is held`;
  if ((action.does === 'update' || action.does === 'delete') && action.rows === 'some' && isExisting(action.table)) {
    yield {
      ...place,
      // Of another table: it may be small.
      ...(held.has(action.table) ? {} : { atMost: 'warning' as const }),
      message: `${since}, and reads and writes of it wait until this ${action.does.toUpperCase()} of ${action.table} is done and the revision commits`,
      instead: `# in a revision of its own, in batches:\n${batches(action.table, '...', '...')}`,
    };
  }
  if (action.does === 'insert' && action.fromQuery) {
    yield {
      ...place,
      atMost: 'warning',
      message: `${since}, and reads and writes of it wait until the rows are copied into ${action.table} and the revision commits`,
    };
  }
  if (action.does === 'validate' && isExisting(action.table) && by.action.does !== 'add constraint') {
    yield {
      ...place,
      message: `${since}, and reads and writes of it wait while VALIDATE CONSTRAINT reads ${action.table}`,
      instead: [
        '# in a revision of its own:',
        execute(`ALTER TABLE ${action.table} VALIDATE CONSTRAINT ${action.constraint}`),
      ].join('\n'),
    };
  }
}

/** Two transactions that lock the same tables in another order wait for each other: a deadlock. */
export const locksSeveralTables: Rule = {
  id: 'locks-several-tables',
  group: 'locking',
  severity: 'warning',
  title: 'several existing tables are locked against reads in one transaction',
  *check({ upgrade: part }) {
    const held = new Map<number, Map<string, number>>();
    const told = new Set<number>();
    for (const step of part.steps) {
      if (step.transaction < 0) continue;
      const tables = held.get(step.transaction) ?? new Map<string, number>();
      held.set(step.transaction, tables);
      for (const table of exclusivelyLocked(step, part)) tables.set(table, tables.get(table) ?? step.index);
      // What a single statement locks can't be taken apart.
      if (new Set(tables.values()).size < 2 || told.has(step.transaction)) continue;
      told.add(step.transaction);
      const names = [...tables.keys()];
      yield {
        ...step.place,
        message:
          `${names.join(' and ')} are locked (ACCESS EXCLUSIVE) in one transaction: reads and writes of the first wait for the lock on the ` +
          'second, and a transaction that uses them in another order ends in a deadlock',
        instead: '# one table in each revision, so that each lock is held for a moment only',
      };
    }
  },
};
