import { addNullable } from '../../advice/columns';
import { notNullInSteps } from '../../advice/constraints';
import { execute } from '../../advice/python';
import { quoted, quotedTable } from '../../advice/sql';
import type { RevisionFunction, Step } from '../../revision/analyzed-revision';
import { isRequiredWhileEmpty } from '../../revision/not-null';
import { findTable } from '../../revision/tables';
import type { ActionOf } from '../../sql/action';
import type { Rule, RuleFinding } from '../rule';

export const notNullWithoutDefault: Rule = {
  id: 'not-null-without-default',
  group: 'compatibility',
  severity: 'error',
  title: 'a NOT NULL column without a server default is added to an existing table',
  *check({ upgrade }) {
    for (const step of upgrade.steps) {
      const { action, call, isExisting, holdsRows, place } = step;
      if (isRequiredWhileEmpty(step, upgrade)) {
        const { table, column } = step.action;
        yield {
          ...place,
          message: `${table}.${column} is new, and nothing has filled it: SET NOT NULL fails if ${table} has a row, and inserts of running code fail`,
          instead: `# before it, in separate revisions: fill the column in batches, while running code writes it\n${notNullInSteps(table, column)}`,
        };
      }
      if (action.does !== 'add column' || !action.column.notNull || action.column.default || !isExisting(action.table)) continue;
      const { name, generated } = action.column;
      if (generated) continue;
      const fails = holdsRows(action.table) ? `the upgrade fails if ${action.table} has a row, and ` : '';
      yield {
        ...place,
        message: `${action.table}.${name} is NOT NULL without a default: ${fails}inserts of running code fail`,
        instead: addNullable(action.table, action.column, call),
      };
    }
  },
};

/** Running code that does not know a column, or relies on its default, inserts no value for it. */
export const requiredColumn: Rule = {
  id: 'required-column',
  group: 'compatibility',
  severity: 'error',
  title: 'inserts of the running code fail or leave NULL: a column stays without a default',
  *check({ upgrade: part }) {
    const filled = new Set(part.steps.flatMap(({ action }) => (action.does === 'create trigger' ? [action.table] : [])));
    for (const { table, column, step: by } of newlyRequired(part)) {
      // A trigger may fill it.
      if (!by.isExisting(table) || filled.has(table) || by.hasNewTrigger(table) || !isRequiredAfter(part, table, column))
        continue;
      const found = isRequiredWhileEmpty(by, part) ? undefined : requirementFinding(table, column, by);
      if (found) yield { ...by.place, ...found };
    }
    yield* lostDefaults(part);
  },
};

/** Columns whose default or expression is dropped. */
function* lostDefaults(part: RevisionFunction): Iterable<RuleFinding> {
  for (const { action, isExisting, isNewColumn, place } of part.steps) {
    if (action.does !== 'set default' || action.has || !isExisting(action.table)) continue;
    if (isNewColumn(action.table, action.column)) continue;
    yield* part.replayed ? leavesNull(part, action, place) : unknownDefault(part, action, place);
  }
}

/** A nullable column that code leaves NULL which relies on its default, or on its expression. */
function* leavesNull(
  part: RevisionFunction,
  { table, column }: ActionOf<'set default'>,
  place: Step['place'],
): Iterable<RuleFinding> {
  const [before, after] = [part.tablesBefore, part.tablesAfter].map((tables) =>
    findTable(tables, table)?.columns.find(({ name }) => name === column),
  );
  if (!before || !(before.default || before.generated) || !after || after.notNull) return;
  const mayBeNull = part.steps.some(
    (step) => step.action.does === 'drop not null' && step.action.table === table && step.action.column === column,
  );
  if (mayBeNull || after.default || after.identity || after.generated) return;
  yield {
    ...place,
    atMost: 'warning',
    message: before.generated
      ? `${table}.${column} is no longer computed: rows that running code inserts hold NULL there, and an UPDATE leaves it as it is`
      : `${table}.${column} loses its default: rows that running code inserts without it hold NULL`,
    instead: [
      `# in a later release, when all running code${before.generated ? ', or a trigger,' : ''} sets ${column}:`,
      execute(
        `ALTER TABLE ${quotedTable(table)} ALTER COLUMN ${quoted(column)} DROP ${before.generated ? 'EXPRESSION' : 'DEFAULT'}`,
      ),
    ].join('\n'),
  };
}

/** A dropped default of a column that was not replayed: it may be NOT NULL or not. */
function* unknownDefault(
  { steps }: RevisionFunction,
  dropped: ActionOf<'set default'>,
  place: Step['place'],
): Iterable<RuleFinding> {
  const { table, column } = dropped;
  const own = steps.map(({ action }) => action).filter((one) => 'column' in one && 'table' in one && one.table === table);
  const later = own.slice(own.indexOf(dropped) + 1);
  const isReplaced = later.some(
    (one) =>
      (one.does === 'set default' && one.has && one.column === column) || (one.does === 'drop column' && one.column === column),
  );
  if (isReplaced) return;
  yield {
    ...place,
    atMost: 'warning',
    message: `${table}.${column} loses its default: running code's inserts without it fail, or hold NULL`,
    instead: [
      `# in a later release, when all running code sets ${column}:`,
      execute(`ALTER TABLE ${quotedTable(table)} ALTER COLUMN ${quoted(column)} DROP DEFAULT`),
    ].join('\n'),
  };
}

interface RequiredColumn {
  readonly table: string;
  readonly column: string;
  /** The statement that makes the column required. */
  readonly step: Step;
}

/** Columns that become required in the upgrade. */
function newlyRequired(part: RevisionFunction): Iterable<RequiredColumn> {
  const states = new Map<string, ColumnState>();
  const required = new Map<string, RequiredColumn>();
  for (const step of part.steps) {
    for (const { table, column, ...given } of stateChanges(step)) {
      const key = `${table}.${column}`;
      const state = { ...stateBefore(part, table, column), ...states.get(key), ...given };
      states.set(key, state);
      if (!state.notNull || state.fillsItself) required.delete(key);
      else if (!required.has(key)) required.set(key, { table, column, step: step });
    }
    const { action } = step;
    if (action.does === 'drop column') required.delete(`${action.table}.${action.column}`);
    if (action.does === 'rename' && action.what === 'column') renameRequired(required, action, part);
  }
  return required.values();
}

interface ColumnState {
  readonly notNull: boolean;
  readonly fillsItself: boolean;
}

function stateBefore(part: RevisionFunction, table: string, column: string): ColumnState {
  const facts = part.findTable(table)?.columns.find(({ name }) => name === column);
  return { notNull: !!facts?.notNull, fillsItself: !!facts && (!!facts.default || facts.identity || facts.generated) };
}

function renameRequired(
  required: Map<string, RequiredColumn>,
  { table, from, to }: ActionOf<'rename'>,
  part: RevisionFunction,
): void {
  const own = required.get(`${table}.${from}`);
  required.delete(`${table}.${from}`);
  if (own && !wasRequired(part, table, to)) required.set(`${table}.${to}`, { ...own, column: to });
}

function stateChanges({ action }: Step): readonly { table: string; column: string; notNull?: boolean; fillsItself?: boolean }[] {
  switch (action.does) {
    case 'add column': {
      const { name: column, notNull, default: value, generated } = action.column;
      return [{ table: action.table, column, notNull, fillsItself: !!value || !!generated }];
    }
    case 'set not null':
    case 'drop not null':
      return [{ table: action.table, column: action.column, notNull: action.does === 'set not null' }];
    case 'set default':
      return [{ table: action.table, column: action.column, fillsItself: action.has }];
    case 'add constraint': {
      const { kind, columns } = action.constraint;
      const requires = kind === 'primary key' || kind === 'not null';
      return requires ? columns.map((column) => ({ table: action.table, column, notNull: true })) : [];
    }
    default:
      return [];
  }
}

/** Whether running code must give a value to the column that had this name. */
function wasRequired(part: RevisionFunction, table: string, name: string): boolean {
  const facts = part.findTable(table)?.columns.find((column) => column.name === name);
  return !!facts && facts.notNull && !facts.default && !facts.identity && !facts.generated;
}

/** Whether a column is required after the upgrade. The replay decides: statements in functions are not read. */
function isRequiredAfter({ replayed, tablesAfter: outcome }: RevisionFunction, table: string, column: string): boolean {
  if (!replayed) return true;
  const facts = findTable(outcome, table)?.columns.find(({ name }) => name === column);
  return !!facts && facts.notNull && !facts.default && !facts.identity && !facts.generated;
}

function requirementFinding(
  table: string,
  column: string,
  { action, isNewColumn }: Step,
): Omit<RuleFinding, 'line' | 'seen'> | undefined {
  const until = `# in a later release, when all running code sets ${column}:`;
  const drop = execute(`ALTER TABLE ${quotedTable(table)} ALTER COLUMN ${quoted(column)} DROP DEFAULT`);
  if (isNewColumn(table, column)) {
    // not-null-without-default reports it.
    if (action.does === 'add column') return undefined;
    return {
      message: `${table}.${column} is new and stays NOT NULL without a default: inserts of running code that give it no value fail until the deploy is done`,
      instead: [until, action.does === 'set default' ? drop : notNullInSteps(table, column)].join('\n'),
    };
  }
  // Running code of a later release writes an older column.
  if (action.does !== 'set default') return undefined;
  return {
    atMost: 'warning',
    message: `${table}.${column} is NOT NULL and loses its default: inserts of running code that do not set it fail`,
    instead: [until, drop].join('\n'),
  };
}
