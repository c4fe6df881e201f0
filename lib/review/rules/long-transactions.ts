import type { Call } from '../../contract/facts';
import { autocommit, sqlLiteral } from '../advice/python';
import { code } from '../revision/operations';
import type { Part, Step } from '../revision/reviewed';
import { inPortions } from './data-migrations';
import type { Found, Rule } from './rule';
import { isWork } from './transactions';

/** https://www.postgresql.org/docs/current/routine-vacuuming.html: no row that a transaction still sees can be removed */
export const batchesInTransaction: Rule = {
  id: 'batches-in-transaction',
  group: 'transactions',
  severity: 'warning',
  title: 'rows are written in batches, but in one transaction',
  *check({ upgrade: part }) {
    const reported = new Set<number>();
    for (const found of [...batchesSeen(part), ...batchesWritten(part)]) {
      if (reported.has(found.line)) continue;
      reported.add(found.line);
      yield found;
    }
  },
};

const HELD =
  'all batches are one transaction: each row stays locked until the revision commits, and VACUUM removes nothing that is deleted meanwhile';

/** Statements of a loop that ran, and of a loop in a DO block. */
function* batchesSeen(part: Part): Iterable<Found> {
  for (const { action, place, isExisting, transaction, sql, observed } of part.steps) {
    if ((action.does !== 'update' && action.does !== 'delete') || !isExisting(action.table)) continue;
    const isBlock = action.inLoop && !/\bCOMMIT\b/i.test(sql);
    const repeated = transaction >= 0 && action.rows === 'batch' && loopCalls(part).some(({ line }) => line === place.line);
    if (!isBlock && !repeated) continue;
    yield { ...place, message: HELD, instead: isBlock || !observed ? inBlock() : inBlock(sql) };
  }
}

/** Loops whose statements are written in Python, or did not run because there were no rows. */
function* batchesWritten(part: Part): Iterable<Found> {
  const { source, direction, steps } = part;
  if (!source || !inPortions(source)) return;
  const { calls, sql } = source;
  const writes =
    calls.some(({ name }) => /(?:^|\.)(?:update|delete)$/.test(name)) ||
    sql.some(({ text }) => /^\s*(?:UPDATE|DELETE|WITH)\b/i.test(text));
  if (!writes || calls.some(({ name }) => /\bcommit$/.test(name))) return;
  for (const { line, args } of loopCalls(part)) {
    const statement = typeof args[0] === 'string' ? args[0] : code(args[0]);
    const isWrite = /\b(?:update|delete|merge)\b/i.test(statement) || (/^\w+$/.test(statement) && !/select/i.test(statement));
    const ran = steps.filter((step) => step.line === line);
    if (!isWrite || (ran.length && !ran.some(isOfProduction))) continue;
    yield { line, direction, seen: 'source', message: HELD, instead: inBlock() };
  }
}

function isOfProduction({ action, isExisting, transaction }: Step): boolean {
  return transaction >= 0 && 'table' in action && isExisting(action.table);
}

function loopCalls({ source }: Part): readonly Call[] {
  return (source?.calls ?? []).filter(
    ({ name, inLoop, inAutocommitBlock }) => inLoop && !inAutocommitBlock && /(?:^|\.)(?:execute|exec_driver_sql)$/.test(name),
  );
}

function inBlock(sql?: string): string {
  if (sql === undefined || /\$\d/.test(sql)) return autocommit('...  # the loop: each statement commits separately');
  return autocommit(`while op.get_bind().execute(sa.text(${sqlLiteral(sql)})).rowcount:`, '    pass');
}

export const sleepInTransaction: Rule = {
  id: 'sleep-in-transaction',
  group: 'transactions',
  severity: 'error',
  title: 'the transaction waits: pg_sleep, time.sleep',
  *check({ upgrade: part }) {
    const { steps, source, direction } = part;
    for (const [at, { action, place, transaction, sql }] of steps.entries()) {
      // A DO block is a transaction of its own.
      if (action.does !== 'sleep' || (transaction < 0 && !/^\s*DO\b/i.test(sql))) continue;
      const before = steps.slice(0, at).find((step) => step.transaction === transaction && isWork(step));
      yield { ...place, ...waiting(before) };
    }
    for (const { name, line, inAutocommitBlock } of source?.calls ?? []) {
      if (!/^(?:time|asyncio)\.sleep$/.test(name) || inAutocommitBlock) continue;
      const before = steps.find((step) => step.line < line && isWork(step));
      yield { line, direction, seen: 'source', ...waiting(before) };
    }
  },
};

function waiting(before: Step | undefined): Pick<Found, 'message' | 'instead' | 'atMost'> {
  return {
    ...(before ? {} : { atMost: 'warning' as const }),
    message: before
      ? `the transaction sleeps and keeps what line ${before.line} has locked: anything that needs it waits`
      : 'the transaction sleeps and stays open, and VACUUM removes nothing that is deleted meanwhile',
    instead: '# sleep only between transactions, such as between batches in an autocommit block',
  };
}
