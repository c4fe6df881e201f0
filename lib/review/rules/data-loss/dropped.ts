import { isBatchTemporaryTable } from '../../../data-loss/revision-state';
import { autocommit, execute, literal, tableArguments } from '../../advice/python';
import { quotedTable } from '../../advice/sql';
import type { RevisionFunction, Step } from '../../revision/analyzed-revision';
import { isEnumSwapLeftover } from '../../revision/created-objects';
import type { ActionOf } from '../../sql/action';
import { lockEnd } from '../locking/locks';
import { CREATED_BY_CHANGE, inLaterRelease, type Loss, lossRule, lostTable } from './loss-rule';
import { whyEmpty } from './lost-values';

export const dropTable = lossRule('drop-table', 'a table is dropped', function* (revision) {
  const { upgrade, readByPython, mayBeKept } = revision;
  for (const step of upgrade.steps) {
    if (step.action.does !== 'drop' || step.action.what !== 'table') continue;
    for (const name of step.action.names) {
      if (isBatchTemporaryTable(name)) continue;
      const { table, schema } = tableArguments(name);
      const isRead = [...readByPython].some((column) => column.startsWith(`${name}.`));
      const uses = usesOfDropped(step, name, upgrade);
      const kept = mayBeKept.get(name);
      yield {
        step,
        of: { name },
        ...(isRead || kept !== undefined ? { atMost: 'warning' } : {}),
        stillUsed: `${name} is dropped: ${fateOfKeptRows(step, name, upgrade)}, and ${uses}`,
        ...lostTable(
          step,
          name,
          isRead
            ? `${name} is dropped after Python has read rows of it: the review could not tell whether all of them are kept elsewhere; ${uses}`
            : kept !== undefined
              ? `${name} is dropped: ${kept}, and ${uses}`
              : `${name} is dropped with all its rows: ${fateOfRows(step, name, upgrade)}, and ${uses}`,
          revision,
        ),
        instead: inLaterRelease('drop-table', name, `op.drop_table(${table}${schema})`),
      };
    }
  }
});

/** What happens to running code that uses a table: another one, such as its copy, may get its name. */
function usesOfDropped(step: Step, name: string, { steps }: RevisionFunction): string {
  const later = steps.flatMap(({ action, index }) => (index > step.index ? [action] : []));
  if (later.some((action) => action.does === 'rename' && action.what === 'table' && action.to === name)) {
    return `reads and writes wait until ${lockEnd(step)}`;
  }
  if (later.some((action) => action.does === 'create table' && action.table === name)) {
    return 'running code finds another table of its name';
  }
  return 'running code that uses it fails immediately';
}

/** What happens to running code that uses a column: another one may get its name. */
function usesOfDroppedColumn(step: Step, table: string, column: string, { steps }: RevisionFunction): string {
  const isReplaced = steps.some(
    ({ action, index }) =>
      index > step.index &&
      'table' in action &&
      action.table === table &&
      ((action.does === 'add column' && action.column.name === column) ||
        (action.does === 'rename' && action.what === 'column' && action.to === column)),
  );
  return isReplaced ? 'running code finds another column of its name' : 'running code that reads or writes it fails immediately';
}

function fateOfKeptRows(step: Step, name: string, upgrade: RevisionFunction): string {
  const lost = fateOfRows(step, name, upgrade);
  return lost === 'they are lost' ? 'the upgrade keeps or checks what it held' : lost;
}

function fateOfRows(step: Step, name: string, { steps }: RevisionFunction): string {
  const copy = steps.find(({ action, index }) => index < step.index && action.does === 'copy rows' && action.from.includes(name));
  if (copy?.action.does !== 'copy rows') return 'they are lost';
  return `those that its copy ${copy.action.into} does not have are lost, such as what running code writes meanwhile`;
}

export const dropColumn = lossRule(
  'drop-column',
  'a column is dropped',
  function* ({ upgrade, readByPython: derived, mayBeKept }) {
    for (const step of upgrade.steps) {
      if (step.action.does !== 'drop column') continue;
      const { table: name, column } = step.action;
      const { table, schema } = tableArguments(name);
      const isDerived = derived.has(`${name}.${column}`) || derived.has(`${name}.*`);
      const isEmptied = whyEmpty(step, name) !== undefined;
      const uses = usesOfDroppedColumn(step, name, column, upgrade);
      const kept = mayBeKept.get(`${name}.${column}`);
      yield {
        step,
        of: { name, column },
        ...(isDerived || isEmptied || kept !== undefined ? { atMost: 'warning' } : {}),
        ...(step.isNewTable(name) || step.isNewColumn(name, column) ? { harmless: CREATED_BY_CHANGE } : {}),
        stillUsed: `${name}.${column} is dropped: the upgrade keeps its values, but ${uses}`,
        message: isEmptied
          ? `${name}.${column} is dropped: the upgrade has emptied ${name} before, but ${uses}`
          : isDerived
            ? `${name}.${column} is dropped after Python has read its values: the review could not tell whether all of them are kept elsewhere; ${uses}`
            : `${name}.${column} is dropped: ${kept ?? 'its values are lost'}, and ${uses}`,
        instead: inLaterRelease('drop-column', `${name}.${column}`, `op.drop_column(${table}, ${literal(column)}${schema})`),
      };
    }
  },
);

export const dropSchema = lossRule('drop-schema', 'a schema is dropped', ({ upgrade }) => dropLosses(upgrade.steps, 'schema'));

export const dropType = lossRule('drop-type', 'a type is dropped', ({ upgrade }) => dropLosses(upgrade.steps, 'type'));

function* dropLosses(steps: readonly Step[], what: 'schema' | 'type'): Iterable<Loss> {
  const created = new Set<string>();
  for (const step of steps) {
    const { action } = step;
    if (action.does === 'create type') created.add(action.type);
    if (action.does === 'create schema') created.add(action.schema);
    if (action.does !== 'drop' || action.what !== what) continue;
    for (const name of action.names) {
      const harmless = created.has(name) ? CREATED_BY_CHANGE : whyHarmless(name, step, action, steps);
      yield {
        step,
        of: { name },
        ...(harmless === undefined ? {} : { harmless }),
        message:
          what === 'schema'
            ? `the schema ${name} is dropped: with CASCADE everything in it is lost, and running code that uses it fails`
            : `the type ${name} is dropped: with CASCADE its columns are lost, and running code that casts to it fails`,
        instead: inLaterRelease(`drop-${what}`, name, execute(`DROP ${what.toUpperCase()} ${quotedTable(name)}`)),
      };
    }
  }
}

function whyHarmless(
  name: string,
  { sql, index }: Step,
  { what, cascade }: ActionOf<'drop'>,
  steps: readonly Step[],
): string | undefined {
  if (what === 'type' && !cascade && sql) return 'PostgreSQL refuses to drop a type that a column still uses';
  return isEnumSwapLeftover(name, steps, index) ? 'its columns have another type' : undefined;
}

/** https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DETACH-PARTITION */
export const detachPartition = lossRule('detach-partition', 'a partition is detached from its table', function* ({ upgrade }) {
  for (const step of upgrade.steps) {
    const { action } = step;
    if (action.does !== 'detach partition') continue;
    const { table, partition, concurrently } = action;
    const detach = `ALTER TABLE ${quotedTable(table)} DETACH PARTITION ${quotedTable(partition)} CONCURRENTLY`;
    yield {
      step,
      of: { name: partition },
      ...(concurrently ? { harmless: `the rows stay in ${partition} and nothing waits` } : {}),
      message:
        `DETACH PARTITION takes an ACCESS EXCLUSIVE lock on ${table}: reads and writes of all its partitions wait, ` +
        `and its queries then no longer find the rows of ${partition}`,
      instead: autocommit(execute(detach)),
    };
  }
});
