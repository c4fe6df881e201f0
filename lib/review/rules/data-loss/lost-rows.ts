import { execute } from '../../advice/python';
import { quotedTable } from '../../advice/sql';
import type { AnalyzedRevision, RevisionFunction, Step } from '../../revision/analyzed-revision';
import type { ActionOf } from '../../sql/action';
import { lockEnd } from '../locking/locks';
import { inLaterRelease, isSameObject, type Loss, lossRule, lostTable } from './loss-rule';

export const truncate = lossRule('truncate', 'a table is emptied by TRUNCATE', function* (revision) {
  for (const step of revision.upgrade.steps) {
    if (step.action.does !== 'truncate') continue;
    for (const name of step.action.tables) {
      yield {
        step,
        of: { name },
        ...(mayBeMovedByPython(name, revision) ? { atMost: 'warning' } : {}),
        ...lostTable(
          step,
          name,
          `TRUNCATE loses all rows of ${name}, and its ACCESS EXCLUSIVE lock makes reads and writes wait until ${lockEnd(step)}`,
          revision,
        ),
        instead: inLaterRelease('truncate', `the rows of ${name}`, execute(`TRUNCATE ${quotedTable(name)}`)),
      };
    }
  }
});

export const deleteAll = lossRule('delete-all', 'a DELETE without WHERE', function* (revision) {
  for (const step of revision.upgrade.steps) {
    if (step.action.does !== 'delete' || step.action.rows !== 'all') continue;
    const name = step.action.table;
    const isMoved = mayBeMovedByPython(name, revision);
    yield {
      step,
      of: { name },
      ...(isMoved ? { atMost: 'warning' } : {}),
      ...lostTable(
        step,
        name,
        isMoved
          ? `DELETE without WHERE loses all rows of ${name} after Python has read them: the review could not tell whether all of them are kept elsewhere`
          : `DELETE without WHERE loses all rows of ${name}, and locks each of them until ${lockEnd(step)}`,
        revision,
      ),
      instead: inLaterRelease('delete-all', `the rows of ${name}`, execute(`DELETE FROM ${quotedTable(name)}`)),
    };
  }
});

/** Whether Python reads rows of a table, and rows are inserted into another one. */
function mayBeMovedByPython(table: string, { readByPython, upgrade }: AnalyzedRevision): boolean {
  const isRead = [...readByPython].some((column) => column.startsWith(`${table}.`));
  return isRead && upgrade.steps.some(({ action }) => action.does === 'insert' && action.table !== table);
}

export const deleteByQuery = lossRule('delete-by-query', 'a DELETE of some rows', function* (revision) {
  for (const step of revision.upgrade.steps) {
    if (step.action.does !== 'delete' || step.action.rows === 'all') continue;
    const loss = deletedRows(step, step.action, revision);
    if (loss) yield loss;
  }
});

function deletedRows(
  step: Step,
  { table, by, ...action }: ActionOf<'update' | 'delete'>,
  revision: AnalyzedRevision,
): Loss | undefined {
  const { upgrade, losses: destroys, avoidedLosses } = revision;
  // The guard knows which rows the upgrade has inserted or copied.
  if (!by && !destroys.some(({ rule, line }) => rule === 'delete-by-query' && line === step.line)) {
    const isKept = avoidedLosses.some(({ of }) => isSameObject(of, { name: table })) || movesRows(table, revision);
    return action.isShared && step.isExisting(table) && !isKept ? namedRowsLoss(step, table) : undefined;
  }
  if (action.byComputedKey && !deletesInLoop(upgrade)) return namedRowsLoss(step, table, 'the row');
  const found = by && `the rows of ${table} that ${by === 'query' ? 'a query finds' : 'are old enough when it runs'}`;
  return {
    step,
    of: { name: table },
    ...lostTable(
      step,
      table,
      `DELETE loses ${found ?? `some rows of ${table}`}: how many is known only in production, each stays locked until the ` +
        'revision commits, and no downgrade brings them back',
      revision,
    ),
    instead: `# first count the rows that it finds in production: SELECT count(*) FROM ${quotedTable(table)} ... with the same condition\n# delete many rows in batches, in a separate revision`,
  };
}

/** The loss of rows by values that many may share: the deploy's guard does not stop, because the author has named them. */
function namedRowsLoss(step: Step, table: string, what = 'the rows'): Loss {
  return {
    step,
    of: { name: table },
    atMost: 'warning',
    message: `DELETE loses ${what} of ${table} that its condition names, and no downgrade brings them back`,
    instead: `# insert them again in downgrade(), or first count the rows that it finds in production: SELECT count(*) FROM ${quotedTable(table)} ... with the same condition`,
  };
}

/** Whether the upgrade may delete once for each row that it has read. */
function deletesInLoop({ source }: RevisionFunction): boolean {
  return (source?.calls ?? []).some(
    ({ name, inLoop, overConstants }) => inLoop && !overConstants && /(?:^|[._])(?:execute|exec_driver_sql|delete)$/.test(name),
  );
}

/** Whether a change inserts rows of a table, or copies them elsewhere. */
function movesRows(table: string, { upgrade, downgrade }: AnalyzedRevision): boolean {
  return [...upgrade.steps, ...downgrade.steps].some(
    ({ action }) =>
      (action.does === 'insert' && action.table === table) ||
      (action.does === 'copy rows' && (action.into === table || action.from.includes(table))),
  );
}
