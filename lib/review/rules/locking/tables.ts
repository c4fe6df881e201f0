import { updateInBatches } from '../../advice/batches';
import { addInSteps, changeTypeInSteps } from '../../advice/columns';
import { validate } from '../../advice/constraints';
import { execute } from '../../advice/python';
import { quotedTable } from '../../advice/sql';
import { inAutocommitBlock, type Part, type Step } from '../../revision/reviewed';
import type { Found, Rule } from '../rule';
import { exclusivelyLocked } from './locks';

/** Detected by the table's file (relfilenode), which a rewrite replaces even if the table is empty. */
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

function* rewritesOf(step: Step, part: Part): Iterable<Pick<Found, 'message' | 'instead' | 'atMost' | 'cost'>> {
  const { action, observed, isExisting } = step;
  if (action.does === 'truncate' || action.does === 'refresh' || action.does === 'reindex') return;
  if (!('table' in action) || !isExisting(action.table)) return;
  const { table } = action;
  const because = reasonOf(step);
  if (!because) return;
  const own = [table, ...partitionsOf(table, part)];
  const seen = (observed?.rewrites ?? []).filter((name) => own.includes(part.findIndex(name)?.table ?? name));
  if (observed && part.replayed && action.does !== 'rewrite table' && !seen.length) return;
  if (action.does === 'alter table' && !seen.length) return;
  const onlyIndexes = seen.length > 0 && !seen.some((name) => own.includes(name));
  const what = onlyIndexes ? `the index ${seen.join(', ')} of ${table}` : table;
  yield {
    message:
      `${because} rewrites ${what} under an ACCESS EXCLUSIVE lock: ` +
      'reads and writes wait until the rewrite is done and the revision commits',
    cost: { work: onlyIndexes ? 'reindex' : 'rewrite', tables: [table] },
    instead: insteadOf(step, part),
    // Without the table, whether both types are stored the same way is unknown.
    ...(action.does === 'change type' && !seen.length ? { atMost: 'warning' as const } : {}),
  };
}

/** The tables that hold the rows of a partitioned table, at every level. */
function partitionsOf(table: string, part: Part): readonly string[] {
  return (part.findTable(table)?.partitions ?? []).flatMap((name) => [name, ...partitionsOf(name, part)]);
}

function reasonOf({ action, observed }: Step): string | undefined {
  if (action.does === 'rewrite table') return action.how;
  if (action.does === 'change type') return `the type ${action.type} of column ${action.column}`;
  // A constant default is stored once, whatever the version.
  const computed = action.does === 'add column' && (action.column.default === 'computed' || !!observed?.rewrites.length);
  if (action.does === 'add column' && computed) return `column ${action.column.name} with a value computed for each row`;
  return action.does === 'alter table' ? `ALTER TABLE ${action.table}` : undefined;
}

function insteadOf({ action }: Step, part: Part): string | undefined {
  if (!('table' in action)) return undefined;
  const facts = part.findTable(action.table);
  if (action.does === 'add column') return addInSteps(action.table, action.column, facts);
  return action.does === 'change type' ? changeTypeInSteps(action, facts) : undefined;
}

/** https://www.postgresql.org/docs/current/explicit-locking.html: a lock is held until the end of its transaction. */
export const workUnderLock: Rule = {
  id: 'work-under-lock',
  group: 'locking',
  severity: 'error',
  title: 'more work is done while a table is locked against reads',
  *check({ upgrade: part, facts }) {
    // Otherwise update-all reports it, and one statement gets one error.
    const updateAccepted = facts.source.acknowledgements.some(({ rule }) => rule === 'update-all');
    const held = new Map<string, Step>();
    let transaction: number | undefined;
    for (const step of part.steps) {
      if (step.transaction !== transaction) held.clear();
      transaction = step.transaction;
      const explicit = step.action.does === 'lock' && !inAutocommitBlock(part, step.line) && exclusivelyLocked(step, part)[0];
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
          message: `REFRESH MATERIALIZED VIEW holds an ACCESS EXCLUSIVE lock on ${action.view} while it is filled: reads of it wait`,
          instead: execute(`REFRESH MATERIALIZED VIEW CONCURRENTLY ${quotedTable(action.view)}`),
        };
      }
      yield* work(step, held, part, updateAccepted);
      if (step.transaction >= 0) for (const table of exclusivelyLocked(step, part)) held.set(table, held.get(table) ?? step);
    }
  },
};

function* work(step: Step, held: ReadonlyMap<string, Step>, part: Part, updateAccepted: boolean): Iterable<Found> {
  const { action, place, isExisting } = step;
  const [first] = [...held].filter(([, by]) => by.index !== step.index);
  if (!first) return;
  const [table, by] = first;
  const since = `an ACCESS EXCLUSIVE lock on ${table} is held since line ${by.line}`;
  const waits = 'and reads and writes of it wait until';
  if ((action.does === 'update' || action.does === 'delete') && isExisting(action.table) && action.rows !== 'rows') {
    if (action.does === 'update' && action.rows === 'all' && !updateAccepted) return;
    const written = action.does === 'update' ? action.written : undefined;
    const batched = updateInBatches(action.table, written, part.findTable(action.table));
    yield {
      ...place,
      // Another table may be small, and a batch is small.
      ...(held.has(action.table) && action.rows !== 'batch' ? {} : { atMost: 'warning' as const }),
      message: `${since}, ${waits} this ${action.does.toUpperCase()} of ${action.table} is done and the revision commits`,
      cost: { work: 'change', tables: [action.table] },
      instead: ['# in a separate revision, in batches:', ...(batched ? [batched] : [])].join('\n'),
    };
  }
  if (action.does === 'insert' && action.fromQuery) {
    yield {
      ...place,
      atMost: 'warning',
      message: `${since}, ${waits} the rows are copied into ${action.table} and the revision commits`,
    };
  }
  if (action.does === 'create index' && !action.concurrently && isExisting(action.table)) {
    yield {
      ...place,
      atMost: 'warning',
      message: `${since}, ${waits} the index is built and the revision commits`,
      cost: { work: 'index', tables: [action.table], columns: action.columns },
    };
  }
  if (action.does === 'validate' && isExisting(action.table) && by.action.does !== 'add constraint') {
    yield {
      ...place,
      message: `${since}, and reads and writes of it wait while VALIDATE CONSTRAINT reads ${action.table}`,
      cost: { work: 'scan', tables: [action.table] },
      instead: ['# in a separate revision:', validate(action.table, action.constraint)].join('\n'),
    };
  }
}

/** Two transactions that lock the same tables in different orders deadlock. */
export const locksSeveralTables: Rule = {
  id: 'locks-several-tables',
  group: 'locking',
  severity: 'warning',
  title: 'several existing tables are locked against reads in one transaction',
  *check({ upgrade: part }) {
    const held = new Map<number, Map<string, number>>();
    const reported = new Set<number>();
    for (const step of part.steps) {
      if (step.transaction < 0) continue;
      const tables = held.get(step.transaction) ?? new Map<string, number>();
      held.set(step.transaction, tables);
      for (const table of exclusivelyLocked(step, part)) tables.set(table, tables.get(table) ?? step.index);
      // What a single statement locks can't be split.
      if (new Set(tables.values()).size < 2 || reported.has(step.transaction)) continue;
      reported.add(step.transaction);
      const names = [...tables.keys()];
      yield {
        ...step.place,
        message:
          `${names.join(' and ')} are locked (ACCESS EXCLUSIVE) in one transaction: reads and writes of the first wait for the lock on the ` +
          'second, and a transaction that uses them in another order deadlocks',
        instead: '# one table per revision, so that each lock is held only briefly',
      };
    }
  },
};
