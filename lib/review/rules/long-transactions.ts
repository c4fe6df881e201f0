import type { Call } from '../../contract/facts';
import { autocommit, sqlLiteral } from '../advice/python';
import type { RevisionFunction, Step } from '../revision/analyzed-revision';
import { argumentCode } from '../revision/operations';
import { isBatched } from './data-migrations/python-rows';
import type { Rule, RuleFinding } from './rule';
import { isWork } from './transactions';

/** https://www.postgresql.org/docs/current/routine-vacuuming.html: no row that a transaction still sees can be removed */
export const batchesInTransaction: Rule = {
  id: 'batches-in-transaction',
  group: 'transactions',
  severity: 'warning',
  title: 'rows are written in batches, but in one transaction',
  *check({ upgrade: part }) {
    const reported = new Set<number>();
    for (const found of [...observedBatches(part), ...batchesInSource(part)]) {
      if (reported.has(found.line)) continue;
      reported.add(found.line);
      yield found;
    }
  },
};

const ALL_BATCHES_HELD =
  'all batches are one transaction: each row stays locked until the revision commits, and VACUUM cannot remove rows that are deleted in the meantime';

/** Batches in a loop that ran, and in a loop of a DO block. */
function* observedBatches(part: RevisionFunction): Iterable<RuleFinding> {
  for (const { action, place, isExisting, transaction, sql, observed } of part.steps) {
    if ((action.does !== 'update' && action.does !== 'delete') || !isExisting(action.table)) continue;
    const isBlock = action.inLoop && !/\bCOMMIT\b/i.test(sql);
    const repeated = transaction >= 0 && action.rows === 'batch' && loopCalls(part).some(({ line }) => line === place.line);
    if (!isBlock && !repeated) continue;
    yield { ...place, message: ALL_BATCHES_HELD, instead: isBlock || !observed ? autocommitExample() : autocommitExample(sql) };
  }
}

/** Loops whose statements are built in Python, or that did not run because there were no rows. */
function* batchesInSource(part: RevisionFunction): Iterable<RuleFinding> {
  const { source, direction, steps } = part;
  if (!source || !isBatched(source)) return;
  const { calls, sql } = source;
  const writes =
    calls.some(({ name }) => /(?:^|\.)(?:update|delete)$/.test(name)) ||
    sql.some(({ text }) => /^\s*(?:UPDATE|DELETE|WITH)\b/i.test(text));
  if (!writes || calls.some(({ name }) => /\bcommit$/.test(name))) return;
  for (const { line, args } of loopCalls(part)) {
    const statement = typeof args[0] === 'string' ? args[0] : argumentCode(args[0]);
    const isWrite = /\b(?:update|delete|merge)\b/i.test(statement) || (/^\w+$/.test(statement) && !/select/i.test(statement));
    const ran = steps.filter((step) => step.line === line);
    if (!isWrite || (ran.length && !ran.some(writesExistingTable))) continue;
    yield { line, direction, seen: 'source', message: ALL_BATCHES_HELD, instead: autocommitExample() };
  }
}

function writesExistingTable({ action, isExisting, transaction }: Step): boolean {
  return transaction >= 0 && 'table' in action && isExisting(action.table);
}

function loopCalls({ source }: RevisionFunction): readonly Call[] {
  return (source?.calls ?? []).filter(
    ({ name, inLoop, inAutocommitBlock }) => inLoop && !inAutocommitBlock && /(?:^|\.)(?:execute|exec_driver_sql)$/.test(name),
  );
}

function autocommitExample(sql?: string): string {
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
      yield { ...place, ...sleepFinding(before) };
    }
    for (const { name, line, inAutocommitBlock, undoneFrom = line } of source?.calls ?? []) {
      if (!/^(?:time|asyncio)\.sleep$/.test(name) || inAutocommitBlock) continue;
      const before = steps.find((step) => step.line < undoneFrom && isWork(step));
      yield { line, direction, seen: 'source', ...sleepFinding(before) };
    }
  },
};

function sleepFinding(before: Step | undefined): Pick<RuleFinding, 'message' | 'instead' | 'atMost'> {
  return {
    ...(before ? {} : { atMost: 'warning' as const }),
    message: before
      ? `the transaction sleeps and keeps what line ${before.line} has locked: anything that needs it waits`
      : 'the transaction sleeps and stays open, and VACUUM cannot remove rows that are deleted in the meantime',
    instead: '# sleep only between transactions, such as between batches in an autocommit block',
  };
}
