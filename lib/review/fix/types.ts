import type { ColumnFacts, TableFacts } from '../../contract/facts';
import { fillColumn } from '../advice/batch-loop';
import { typeText } from '../advice/columns';
import { execute } from '../advice/python';
import { literal, quoted, quotedTable } from '../advice/sql';
import type { AnalyzedRevision, RevisionFunction } from '../revision/analyzed-revision';
import { unqualifiedName } from '../revision/tables';
import type { Action, ActionOf } from '../sql/action';
import { columnType, narrows } from '../sql/column-types';
import { type ColumnMembers, columnMembers, referencesTo } from './column-members';
import type { NoSafeForm, SafeForm } from './form';
import { setNotNull } from './not-null';
import { addColumn, moveSequence, syncTrigger, whyNoSecondColumn } from './second-column';

type ChangeType = ActionOf<'change type'>;

interface TypeChange {
  table: string;
  existing: TableFacts;
  column: ColumnFacts;
  after: ColumnFacts;
  to: ReturnType<typeof typeText>;
  back: ReturnType<typeof typeText>;
  second: string;
  /** The column's indexes and constraints. */
  members: ColumnMembers;
  /** Whether a foreign key connects it with another table that is in use, which is locked with this one while the key moves. */
  connected: boolean;
  isUndo: (other: Action) => boolean;
}

/**
 * Adds a second column of the new type. A trigger fills it from the first one, and it takes over the name in a short transaction. The
 * column may have NOT NULL, a default, indexes and constraints, and other tables may refer to it.
 */
export function changeType(action: ChangeType, reviewed: AnalyzedRevision): SafeForm | NoSafeForm {
  const change = readTypeChange(action, reviewed);
  if ('reason' in change) return change;
  const { table, existing, column, after, to, second, members: its, isUndo } = change;
  const [alter, own, other] = [`ALTER TABLE ${quotedTable(table)}`, quoted(column.name), quoted(second)];
  const { add, remove } = syncTrigger(
    table,
    second,
    to.using
      ? `SELECT ${to.using} INTO NEW.${other} FROM (SELECT NEW.*) AS ${quoted(unqualifiedName(table))}`
      : `NEW.${other} := NEW.${own}`,
  );
  return {
    parts: [
      {
        phase: 'add',
        up: [...addColumn(table, second, to.type, after), ...add],
        down: [...remove, execute(`${alter} DROP COLUMN ${other}`)],
      },
      { phase: 'fill', up: fillColumn(table, second, to.using ?? own, existing).split('\n') },
      ...its.parts,
      ...(after.notNull ? setNotNull(table, second, !column.notNull).parts : []),
      { phase: 'require', takesName: true, up: [...remove, ...takeName(change)], down: [...giveNameBack(change), ...add] },
    ],
    undoneBy: ({ action: other }) => isUndo(other) || setsNullability(other, action),
    // The second column has it from the start.
    replaces: ({ action: other }) => setsNullability(other, action),
  };
}

function setsNullability(other: Action, { table, column }: ChangeType): boolean {
  const sets = other.does === 'set not null' || other.does === 'drop not null';
  return sets && other.table === table && other.column === column;
}

function readTypeChange(
  action: ChangeType,
  { facts, upgrade, downgrade, losses: destroys }: AnalyzedRevision,
): TypeChange | NoSafeForm {
  const { table, column: name } = action;
  const existing = upgrade.findTable(table);
  const column = existing?.columns.find((one) => one.name === name);
  const after = facts.after[table]?.columns.find((one) => one.name === name);
  if (!existing || !column || !after) return { reason: `there is no column ${table}.${name} before or after the revision` };
  if (narrows(column.type, action.type) || destroys.some(({ rule }) => rule === 'convert-column')) {
    return { reason: 'the new type holds less: a value that does not fit would make writes of the running code fail' };
  }
  const reason = whyNoSecondColumn(column, existing, table);
  if (reason !== undefined) return { reason };
  const isUndo = (other: Action): other is ChangeType =>
    other.does === 'change type' && other.table === table && other.column === name;
  const undo = downgrade.steps.map((step) => step.action).find(isUndo);
  const isZoned = hasZone(column.type) !== hasZone(action.type);
  const inZone = (part: RevisionFunction) => {
    const zone = isZoned ? zoneOf(part) : undefined;
    return zone === undefined ? {} : { using: `${quoted(name)} AT TIME ZONE ${literal(zone)}` };
  };
  const to = action.written && { ...inZone(upgrade), ...typeText(action.written) };
  const back = undo?.written && { ...inZone(downgrade), ...typeText(undo.written) };
  if (!to || !back) return { reason: 'its downgrade does not change the type back in plain SQL' };
  if (isZoned && (!to.using || !back.using)) return { reason: NO_ZONE };
  const second = `${name}_new`;
  if (existing.columns.some((one) => one.name === second)) return { reason: `${table} has a column ${second}` };
  const before = { facts: existing, column: name };
  const references = referencesTo(upgrade, before);
  const its = columnMembers(table, before, { facts: facts.after[table] ?? existing, column: name }, second, references);
  if ('reason' in its) return its;
  const referred = existing.constraints.flatMap(({ columns, references: to }) =>
    to && columns.includes(name) ? [to.table] : [],
  );
  const isExisting = upgrade.steps.find((step) => step.action === action)?.isExisting;
  const connected = [...references.map((one) => one.table), ...referred].some((other) => other !== table && isExisting?.(other));
  return { table, existing, column, after, to, back, second, members: its, connected, isUndo };
}

const NO_ZONE =
  "each value is taken as of the session's TimeZone, which differs between the migration and the running code: name the zone in both " +
  `functions, such as op.execute("SET LOCAL TimeZone = 'UTC'")`;

function hasZone(type: string): boolean {
  return / with time zone$/.test(columnType(type).name);
}

/** The time zone that a function sets. */
function zoneOf({ steps }: RevisionFunction): string | undefined {
  return steps.flatMap(({ action }) => (action.does === 'set' && action.name === 'timezone' ? (action.value ?? []) : []))[0];
}

/** The second column replaces the first one. */
function takeName({ table, column, after, second, members: its, connected }: TypeChange) {
  const [alter, own, other] = [`ALTER TABLE ${quotedTable(table)}`, quoted(column.name), quoted(second)];
  return [
    ...(connected ? ['# cdk-alembic: allow locks-several-tables: a foreign key moves from one column to the other'] : []),
    ...moveSequence(table, column, second),
    ...its.dropReferences,
    `# cdk-alembic: allow drop-column: ${second} has its values in the new type, and takes its name`,
    execute(`${alter} DROP COLUMN ${own}`),
    execute(`${alter} RENAME COLUMN ${other} TO ${own}`),
    ...its.takeNames,
    ...setDefault(table, own, after.default),
  ];
}

/** Restores the first column and gives the second one its own name again. */
function giveNameBack({ table, existing, column, after, back, second, members: its }: TypeChange) {
  const [alter, own, other] = [`ALTER TABLE ${quotedTable(table)}`, quoted(column.name), quoted(second)];
  const old = quoted(`${column.name}_old`);
  return [
    ...its.giveNamesBack,
    ...addColumn(table, second, back.type, column),
    execute(`UPDATE ${quotedTable(table)} SET ${other} = ${back.using ?? own}`),
    ...checkDeferred(existing),
    ...(after.default === undefined ? [] : [execute(`${alter} ALTER COLUMN ${own} DROP DEFAULT`)]),
    execute(`${alter} RENAME COLUMN ${own} TO ${old}`),
    execute(`${alter} RENAME COLUMN ${other} TO ${own}`),
    execute(`${alter} RENAME COLUMN ${old} TO ${other}`),
    ...moveSequence(table, column, column.name),
    ...its.rebuild,
    ...setDefault(table, own, column.default),
    ...(column.notNull ? [execute(`${alter} ALTER COLUMN ${own} SET NOT NULL`)] : []),
  ];
}

/** Checks what is deferred now: PostgreSQL alters no table that waits for a check. */
function checkDeferred({ constraints }: TableFacts): readonly string[] {
  const isDeferrable = constraints.some(({ definition }) => /(?<!NOT )\bDEFERRABLE\b/.test(definition));
  return isDeferrable ? [execute('SET CONSTRAINTS ALL IMMEDIATE')] : [];
}

function setDefault(table: string, column: string, text: string | undefined) {
  return text === undefined ? [] : [execute(`ALTER TABLE ${quotedTable(table)} ALTER COLUMN ${column} SET DEFAULT ${text}`)];
}
