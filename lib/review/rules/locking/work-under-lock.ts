import { inSeparateBatches, updateInBatches } from '../../advice/batches';
import { validate } from '../../advice/constraints';
import { execute } from '../../advice/python';
import { quotedTable } from '../../advice/sql';
import { inAutocommitBlock, type RevisionFunction, type Step } from '../../revision/analyzed-revision';
import { tablesWithTypesAt } from '../../revision/types-at';
import type { Rule, RuleFinding } from '../rule';
import { exclusivelyLocked, lockedAgainstWrites, WAITING_BY_LOCK } from './locks';

/** https://www.postgresql.org/docs/current/explicit-locking.html: a lock is held until the end of its transaction. */
export const workUnderLock: Rule = {
  id: 'work-under-lock',
  group: 'locking',
  severity: 'error',
  title: 'more work is done while a table is locked',
  *check({ upgrade: part }) {
    const held: HeldLocks = { all: new Map(), writes: new Map() };
    let transaction: number | undefined;
    for (const step of part.steps) {
      if (step.transaction !== transaction) for (const tables of [held.all, held.writes]) tables.clear();
      transaction = step.transaction;
      const { action } = step;
      if (action.does === 'refresh' && !action.concurrently && locksView(step, action.view)) {
        yield {
          ...step.place,
          message: `REFRESH MATERIALIZED VIEW holds an ACCESS EXCLUSIVE lock on ${action.view} while it is filled: reads wait`,
          instead: execute(`REFRESH MATERIALIZED VIEW CONCURRENTLY ${quotedTable(action.view)}`),
        };
      }
      yield* workUnder(step, held, part);
      if (step.transaction < 0) continue;
      for (const table of exclusivelyLocked(step, part)) held.all.set(table, held.all.get(table) ?? step);
      for (const table of lockedAgainstWrites(step, part)) held.writes.set(table, held.writes.get(table) ?? step);
    }
  },
};

function locksView({ observed, isNewObject }: Step, view: string): boolean {
  return observed ? observed.locks.some(({ mode }) => mode === 'AccessExclusiveLock') : !isNewObject(view);
}

/** The statement that locked each table: against everything, or against writes only. */
interface HeldLocks {
  readonly all: Map<string, Step>;
  readonly writes: Map<string, Step>;
}

function* workUnder(step: Step, { all, writes }: HeldLocks, part: RevisionFunction): Iterable<RuleFinding> {
  const { action } = step;
  const heldBefore = (held: ReadonlyMap<string, Step>) => {
    const others = [...held].filter(([, by]) => by.index !== step.index);
    return others.find(([table]) => 'table' in action && table === action.table) ?? others[0];
  };
  const [exclusive, waiting] = [heldBefore(all), heldBefore(writes)];
  if (exclusive) yield* workBlockingReads(step, exclusive, all, part);
  else if (waiting) yield* workBlockingWrites(step, waiting, part);
}

function* workBlockingWrites(step: Step, [table, by]: readonly [string, Step], part: RevisionFunction): Iterable<RuleFinding> {
  const { action, place } = step;
  // update-all says that all rows are locked.
  const isAll = action.does === 'update' && action.rows === 'all';
  if (isAll || !writesRows(step)) return;
  yield {
    ...place,
    atMost: 'warning',
    message: `writes of ${table} wait from line ${by.line} until this ${action.does.toUpperCase()} is done and the revision commits`,
    instead: batchesOf(step, part),
  };
}

function* workBlockingReads(
  step: Step,
  [table, by]: readonly [string, Step],
  all: ReadonlyMap<string, Step>,
  part: RevisionFunction,
): Iterable<RuleFinding> {
  const { action, place, holdsRows } = step;
  const since = `an ACCESS EXCLUSIVE lock on ${table} has been held since line ${by.line}`;
  const waits = 'and reads and writes wait until';
  if (writesRows(step) && 'table' in action) {
    yield {
      ...place,
      // Another table may be small, and a batch is small.
      ...(all.has(action.table) && !('rows' in action && action.rows === 'batch') ? {} : { atMost: 'warning' as const }),
      message: `${since}, ${waits} this ${action.does.toUpperCase()} of ${action.table} is done and the revision commits`,
      cost: { work: 'change', tables: [action.table] },
      instead: batchesOf(step, part),
    };
  }
  if (action.does === 'insert' && action.fromQuery) {
    yield {
      ...place,
      atMost: 'warning',
      message: `${since}, ${waits} the rows are copied into ${action.table} and the revision commits`,
    };
  }
  // Of a table that is itself locked, index-not-concurrent says it.
  if (action.does === 'create index' && !action.concurrently && holdsRows(action.table) && !all.has(action.table)) {
    yield {
      ...place,
      atMost: 'warning',
      message: `${since}, ${waits} the index is built and the revision commits`,
      cost: { work: 'index', tables: [action.table], columns: action.columns },
    };
  }
  if (action.does === 'validate' && holdsRows(action.table) && by.action.does !== 'add constraint') {
    yield {
      ...place,
      message: `${since}, and reads and writes wait while VALIDATE CONSTRAINT reads ${action.table}`,
      cost: { work: 'scan', tables: [action.table] },
      instead: ['# in a separate revision:', validate(action.table, action.constraint)].join('\n'),
    };
  }
}

/** Whether a step updates or deletes existing rows without a condition that limits them to a few. */
function writesRows({ action, holdsRows }: Step): boolean {
  return (action.does === 'update' || action.does === 'delete') && holdsRows(action.table) && action.rows !== 'rows';
}

function batchesOf(step: Step, part: RevisionFunction): string {
  const { action } = step;
  if (action.does !== 'update') return inSeparateBatches();
  return inSeparateBatches(
    updateInBatches(action.table, action.written, part.findTable(action.table), tablesWithTypesAt(step, part)),
  );
}

/** https://www.postgresql.org/docs/current/sql-lock.html: "There is no UNLOCK TABLE command" */
export const lockTable: Rule = {
  id: 'lock-table',
  group: 'locking',
  severity: 'error',
  title: 'a LOCK, or a SELECT ... FOR UPDATE of all rows, holds a table until the revision commits',
  *check({ upgrade: part }) {
    for (const at of part.steps.keys()) yield* lockFindings(part, at);
  },
};

/** @param at the index of the step that may take the lock */
function* lockFindings(part: RevisionFunction, at: number): Iterable<RuleFinding> {
  const { action, place, isExisting, line } = part.steps[at] as Step;
  if (action.does !== 'lock' && action.does !== 'lock rows') return;
  const [what, waits] =
    action.does === 'lock' ? ['LOCK TABLE', WAITING_BY_LOCK[action.mode]] : ['SELECT ... FOR UPDATE', 'writes of its rows wait'];
  const tables = action.tables.filter(isExisting);
  const work = longWork(part.steps, at);
  // In an autocommit block, the revision's own COMMIT ends it.
  const isOwn = inAutocommitBlock(part, line);
  if (!waits || !tables.length || (!work && isOwn)) return;
  const until = `${work ? `while line ${work.line} works through rows, and ` : ''}until the ${isOwn ? 'transaction ends' : 'revision commits'}`;
  yield {
    ...place,
    // Held for a moment only, as by any other schema change.
    ...(work || action.does === 'lock rows' ? {} : { atMost: 'warning' as const }),
    message: `${what} holds ${tables.join(' and ')} ${until}: ${waits}`,
    instead: '# leave it out: each statement takes the lock that it needs, and batches of rows need none on the table',
  };
}

/** The first later step of the same transaction that takes long. */
function longWork(steps: readonly Step[], at: number): Step | undefined {
  const { transaction } = steps[at] ?? {};
  for (const step of steps.slice(at + 1)) {
    const { action } = step;
    if (step.transaction !== transaction || action.does === 'end transaction') return undefined;
    if (writesRows(step) || action.does === 'sleep' || (action.does === 'insert' && action.fromQuery)) return step;
    const reads = action.does === 'create index' || action.does === 'validate' || action.does === 'rewrite table';
    if (reads && step.isExisting(action.table)) return step;
  }
  return undefined;
}
