import { execute } from '../advice/python';
import { quoted, quotedTable } from '../advice/sql';
import type { AnalyzedRevision, RevisionFunction, Step } from '../revision/analyzed-revision';
import { existingType } from '../revision/operations';
import type { Action, ActionOf, ColumnDefinition } from '../sql/action';
import { narrows } from '../sql/column-types';
import { nameList } from './name-list';
import type { Rule, RuleFinding } from './rule';

/** https://www.postgresql.org/docs/current/routine-vacuuming.html: no row that a transaction still sees can be removed */
export const copiesTable: Rule = {
  id: 'copies-table',
  group: 'transactions',
  severity: 'warning',
  title: 'every row of a table is copied in one transaction',
  *check({ upgrade }) {
    for (const { action, isExisting, place } of upgrade.steps) {
      if (action.does !== 'copy rows') continue;
      const from = action.from.filter(isExisting);
      if (!from.length) continue;
      const names = from.join(' and ');
      yield {
        ...place,
        message:
          `${action.how} copies every row of ${names} into ${action.into} in one transaction: it takes longer the larger ${names} is, all rows ` +
          `go through the write-ahead log, VACUUM can't remove dead rows, and ${action.into} misses what running code writes after the start`,
        cost: { work: 'change', tables: from },
        instead: `# in separate revisions: create ${action.into}, let running code write to both, and copy in batches by key`,
      };
    }
  },
};

type Write = ActionOf<'update' | 'delete'>;

/** Rows are added between the upgrade and the downgrade, and some existed before. */
export const downgradeChangesMore: Rule = {
  id: 'downgrade-changes-more',
  group: 'data loss',
  severity: 'warning',
  title: 'a downgrade changes rows that the upgrade did not write',
  *check(revision) {
    for (const { action, place } of broaderWrites(revision)) {
      const { table, columns } = action;
      const which = action.rows === 'all' ? 'all rows' : 'every row that its condition finds';
      const loses =
        action.does === 'delete'
          ? `DELETE loses ${which} of ${table}`
          : `UPDATE overwrites ${columns.join(', ')} in ${which} of ${table}`;
      yield {
        ...place,
        message: `${loses}, also those that the upgrade did not write: going back one revision loses them`,
        instead: '# name the rows that the upgrade wrote: by their keys, or by a value that only the upgrade writes',
      };
    }
  },
};

/** Whether the downgrade overwrites a table or a column (`users.name`) beyond what the upgrade wrote. */
export function isOverwrittenByDowngrade(name: string, revision: AnalyzedRevision): boolean {
  return [...broaderWrites(revision)].some(
    ({ action: { does, table, columns } }) =>
      (does === 'delete' && (name === table || name.startsWith(`${table}.`))) ||
      columns.some((column) => name === `${table}.${column}`),
  );
}

function* broaderWrites({ upgrade, downgrade }: AnalyzedRevision): Iterable<Step & { readonly action: Write }> {
  for (const step of downgrade.steps) {
    const { action, isExisting } = step;
    if ((action.does !== 'update' && action.does !== 'delete') || !isExisting(action.table)) continue;
    if (action.rows === 'rows' && !(action.isShared && leavesTableAlone(action.table, upgrade))) continue;
    if (action.does === 'delete' || losesValues(step, action, upgrade)) yield { ...step, action };
  }
}

/** Whether an upgrade changes neither a table, nor its rows, nor the types of its columns. */
function leavesTableAlone(table: string, { steps }: RevisionFunction): boolean {
  return !steps.some(({ action }) => ('table' in action && action.table === table) || /\btype\b|enum/.test(action.does));
}

/** Whether an UPDATE sets existing columns to a constant, and the upgrade does not write them in all rows. */
function losesValues({ isNewColumn }: Step, { table, columns, written, whereNull }: Write, upgrade: RevisionFunction): boolean {
  const old = columns.filter((column) => column !== whereNull && !isNewColumn(table, column));
  if (!old.length || !written?.node.targetList?.every((target) => 'ResTarget' in target && isConstant(target.ResTarget.val)))
    return false;
  return !upgrade.steps.some(
    ({ action }) =>
      action.does === 'update' &&
      action.table === table &&
      action.rows === 'all' &&
      old.every((column) => action.columns.includes(column)),
  );
}

function isConstant(value: object | undefined): boolean {
  return !!value && !/"(?:ColumnRef|FuncCall|SubLink)"/.test(JSON.stringify(value));
}

/** Causes of a downgrade that fails once production has rows, where the replay did not show it. */
export function* failsOnRows(revision: AnalyzedRevision): Iterable<RuleFinding> {
  yield* requiredAgain(revision);
  yield* narrowedTypes(revision);
}

/** A downgrade that changes a column to a narrower type than the upgrade's. */
function* narrowedTypes({ upgrade, downgrade }: AnalyzedRevision): Iterable<RuleFinding> {
  for (const { action, isExisting, place, call } of downgrade.steps) {
    if (action.does !== 'change type' || !isExisting(action.table) || downgrade.replayed) continue;
    const given = upgrade.steps.flatMap(({ action: one }) =>
      one.does === 'change type' && qualifiedColumn(one) === qualifiedColumn(action) ? [one.type] : [],
    );
    const from = given.at(-1) || existingType(call)?.type;
    if (!from || !action.type || !narrows(from, action.type)) continue;
    yield {
      ...place,
      atMost: 'warning',
      message: `the downgrade fails if a value of ${qualifiedColumn(action)} does not fit into ${action.type}, which the upgrade allows with ${from}`,
    };
  }
}

/** A downgrade that makes a column NOT NULL although rows may have NULL by then, or adds a NOT NULL column without a value. */
function* requiredAgain({ upgrade, downgrade }: AnalyzedRevision): Iterable<RuleFinding> {
  const madeNullable = new Set(
    upgrade.steps.flatMap(({ action }) => (action.does === 'drop not null' ? [qualifiedColumn(action)] : [])),
  );
  // Without a replay, a column that the upgrade does not change may hold NULL, too.
  const isKnown = downgrade.replayed || upgrade.replayed;
  const required = new Set(upgrade.steps.flatMap(({ action }) => (action.does === 'set not null' ? [action.table] : [])));
  const filled = new Set<string>();
  const restored: (Step & { readonly action: ActionOf<'set not null'> })[] = [];
  for (const step of downgrade.steps) {
    const { action, isExisting } = step;
    yield* addedWithoutValue(step, downgrade);
    for (const name of writtenNames(action)) filled.add(name);
    if (action.does !== 'set not null' || !isExisting(action.table)) continue;
    if (!madeNullable.has(qualifiedColumn(action)) && (isKnown || required.has(action.table))) continue;
    if (!filled.has(action.table) && !filled.has(qualifiedColumn(action))) restored.push({ ...step, action });
  }
  const [first] = restored;
  if (!first) return;
  const column = quoted(first.action.column);
  const allowed = madeNullable.has(qualifiedColumn(first.action)) ? ', which the upgrade allows' : '';
  yield {
    ...first.place,
    atMost: 'warning',
    message: `the downgrade fails if a row has NULL in ${nameList(restored.map(({ action }) => qualifiedColumn(action)))}${allowed}`,
    instead: execute(`UPDATE ${quotedTable(first.action.table)} SET ${column} = ... WHERE ${column} IS NULL`),
  };
}

function* addedWithoutValue({ action, isExisting, place }: Step, downgrade: RevisionFunction): Iterable<RuleFinding> {
  if (action.does !== 'add column' || downgrade.replayed || !isExisting(action.table) || !lacksValue(action.column)) return;
  const message = `the downgrade fails if ${action.table} has rows: ${action.column.name} is NOT NULL and has no default`;
  yield {
    ...place,
    atMost: 'warning',
    message,
    instead: '# give it a server_default, or make it NOT NULL after an UPDATE',
  };
}

/** The columns that an action writes or adds with a value, or the table whose rows it deletes. */
function writtenNames(action: Action): readonly string[] {
  if (action.does === 'update') return action.columns.map((column) => qualifiedColumn({ ...action, column }));
  if (action.does === 'add column') return action.column.default ? [`${action.table}.${action.column.name}`] : [];
  return action.does === 'delete' ? [action.table] : [];
}

function lacksValue({ notNull, default: filled, generated, numbered }: ColumnDefinition): boolean {
  return notNull && !filled && !generated && !numbered;
}

function qualifiedColumn({ table, column }: { readonly table: string; readonly column: string }): string {
  return `${table}.${column}`;
}
