import { keptUntil } from '../../contract/set-aside';
import { updateInBatches } from '../advice/batches';
import { addSteps, nullableCall, numberedColumnSteps } from '../advice/columns';
import { checkSteps, foreignKeySteps, keySteps } from '../advice/constraints';
import { buildSteps, dropConcurrently, INVALID_INDEX } from '../advice/indexes';
import { execute, finalName, literal, sqlLiteral, tableArguments } from '../advice/python';
import { quoted, quotedTable, literal as sqlName } from '../advice/sql';
import type { AnalyzedRevision, RevisionFunction, Step } from '../revision/analyzed-revision';
import { originalName } from '../revision/created-objects';
import { unqualifiedName } from '../revision/tables';
import { tablesWithTypesAt } from '../revision/types-at';
import type { Action, ActionOf, ConstraintDefinition } from '../sql/action';
import { parseSql } from '../sql/parse';
import { droppedMembers } from './column-members';
import { addValues } from './enums';
import type { FormPart, NoSafeForm, SafeForm } from './form';
import { nextRelease } from './next-release';
import { setNotNull } from './not-null';
import { renameColumn, renameColumnOfRenamedTable, renameTable } from './renames';
import { changeType } from './types';

export type Writer = (step: Step, revision: AnalyzedRevision) => SafeForm | NoSafeForm | undefined;

/** The safe form of each rule's statement; undefined if the rule is not about the step. */
export const FORMS: Readonly<Record<string, Writer>> = {
  'index-not-concurrent': (step, revision) => {
    const { action } = step;
    if (action.does === 'create index') return createIndex(action, step, revision);
    return action.does === 'drop index' ? dropIndex(action, step, revision) : undefined;
  },
  'invalid-index-accepted': (step, revision) => {
    const { action } = step;
    if (action.does !== 'create index') return undefined;
    const form = createIndex(action, step, revision);
    const { index } = action;
    if (index === undefined || 'reason' in form) return form;
    const drops = ({ action: undo }: Step) => undo.does === 'drop index' && !undo.concurrently && dropsIndexNamed(undo, index);
    const isUndoneSafely = !revision.downgrade.steps.some(drops);
    return isUndoneSafely ? { ...form, before: [INVALID_INDEX, dropConcurrently(index, action.table)] } : form;
  },
  'foreign-key-not-valid': (step, revision) => addConstraint(step, revision, 'foreign key', 'foreignkey', foreignKeySteps),
  'check-not-valid': (step, revision) => addConstraint(step, revision, 'check', 'check', checkSteps),
  'constraint-builds-index': ({ action, index }, revision) =>
    action.does === 'add constraint' ? buildKey(action, index, revision) : undefined,
  'set-not-null-scan': ({ action }, { upgrade }) => {
    if (action.does !== 'set not null') return undefined;
    const { table, column } = action;
    const isFilled = upgrade.steps.some(
      ({ action: other }) => other.does === 'update' && other.table === table && other.columns.includes(column),
    );
    return setNotNull(table, column, !isFilled);
  },
  'table-rewrite': ({ action }, revision) => {
    if (action.does === 'change type') {
      return addValues(action, revision) ?? changeType(action, revision);
    }
    return action.does === 'add column' ? addComputed(action, revision.upgrade) : undefined;
  },
  'update-all': batchedUpdate,
  'work-under-lock': batchedUpdate,
  'validate-in-same-transaction': ({ action, sql }) =>
    action.does === 'validate' ? { parts: [{ phase: 'validate', up: [execute(sql)] }], undoneBy: () => false } : undefined,
  rename: (step, { upgrade }) => {
    const { action } = step;
    if (action.does !== 'rename') return undefined;
    if (keptUntil(action.to) !== undefined) return { reason: 'only the code can stop using it' };
    if (action.what === 'table') return renameTable(action, step, upgrade);
    if (action.what === 'column') {
      const actions = upgrade.steps.map((other) => other.action);
      return originalName(action.table, actions) === undefined ? renameColumn(action, upgrade) : renameColumnOfRenamedTable(step);
    }
    return { reason: `there is no second name for a ${action.what} that the running code could use meanwhile` };
  },
};

/** The forms for revisions that nobody has written: in those of a developer, the statements of several tables may belong together. */
export const FORMS_OF_NEW: Readonly<Record<string, Writer>> = {
  ...FORMS,
  'locks-several-tables': () => ({ parts: [], undoneBy: () => false, splits: true }),
  'not-null-without-default': requireLater,
};

/** Adds a required column as nullable: existing rows and running code have no value. The next release requires it. */
function requireLater({ action, call }: Step): SafeForm | NoSafeForm | undefined {
  if (action.does !== 'add column') return undefined;
  const add = nullableCall(action.column.name, call);
  if (add === undefined) return { reason: 'it is not written as Alembic writes it' };
  const alter = `ALTER TABLE ${quotedTable(action.table)} ALTER COLUMN ${quoted(action.column.name)}`;
  const later = { up: [execute(`${alter} SET NOT NULL`)], down: [execute(`${alter} DROP NOT NULL`)] };
  return {
    parts: [
      { phase: 'add', up: [add, ...nextRelease(later)] },
      { phase: 'contract', ...later },
    ],
    undoneBy: () => false,
  };
}

function createIndex(
  action: ActionOf<'create index'>,
  step: Step,
  { upgrade: part, downgrade }: AnalyzedRevision,
): SafeForm | NoSafeForm {
  if (part.findTable(action.table)?.partitions) return { reason: `${action.table} is partitioned` };
  const replaced = replacedIndexStep(action, step, part);
  if (replaced) return replaceIndex(action, replaced, part);
  const { name, build, drop } = buildSteps(action, step.call?.inLoop ? undefined : step.call);
  const undoneBy: SafeForm['undoneBy'] = ({ action: undo }) =>
    undo.does === 'drop index' && undo.indexes.map(unqualifiedName).includes(name);
  // A downgrade that leaves it may leave one that was there before.
  const isLeft = action.ifNotExists && downgrade.replayed && !downgrade.steps.some(undoneBy);
  return { parts: [{ phase: 'build', autocommit: true, up: build, ...(isLeft ? {} : { down: [drop] }) }], undoneBy };
}

/** The step that drops the index whose name a new index gets. */
function replacedIndexStep(
  { table, index, written }: ActionOf<'create index'>,
  { index: at }: Step,
  part: RevisionFunction,
): Step | undefined {
  if (index === undefined || !written || part.findIndex(index)?.table !== table) return undefined;
  const isOnly = ({ action }: Step) =>
    action.does === 'drop index' && action.indexes.length === 1 && dropsIndexNamed(action, index);
  return part.steps.find((step) => step.index < at && isOnly(step));
}

function dropsIndexNamed({ indexes }: ActionOf<'drop index'>, name: string): boolean {
  return indexes.map(unqualifiedName).includes(unqualifiedName(name));
}

/** Builds an index under another name first, so that queries can use the old one until then. It may be run again after any failure. */
function replaceIndex(action: ActionOf<'create index'>, replaced: Step, part: RevisionFunction): SafeForm {
  const { table, index: name = '' } = action;
  const own = `${name.slice(0, 59)}_new`;
  const found = part.findIndex(name);
  const old =
    found?.index.definition.replace(/^(CREATE (?:UNIQUE )?INDEX )(?:"[^"]+"|\S+)/, `$1CONCURRENTLY ${quoted(own)}`) ?? '';
  const schema = table.includes('.') ? `${table.split('.')[0]}.` : '';
  const exchanged = (build: readonly string[]) => [
    ...build,
    dropConcurrently(name, table),
    execute(`ALTER INDEX ${quotedTable(schema + own)} RENAME TO ${quoted(name)}`),
  ];
  const { build } = buildSteps({ ...action, index: own }, undefined);
  return {
    parts: [
      {
        phase: 'build',
        autocommit: true,
        up: exchanged(build),
        down: exchanged([dropConcurrently(own, table), execute(old)]),
      },
    ],
    undoneBy: ({ action: undo }) =>
      undo.does === 'create index' ? undo.index === name : undo.does === 'drop index' && dropsIndexNamed(undo, name),
    replaces: (step) => step === replaced || step.action === action,
  };
}

function dropIndex({ indexes }: ActionOf<'drop index'>, { index: at }: Step, revision: AnalyzedRevision): SafeForm | NoSafeForm {
  const { upgrade: part } = revision;
  const [name = ''] = indexes;
  const found = part.findIndex(name);
  const next = part.steps.find(
    ({ action, index }) => index > at && action.does === 'create index' && action.index === unqualifiedName(name),
  );
  if (next?.action.does === 'create index' && replacedIndexStep(next.action, next, part))
    return createIndex(next.action, next, revision);
  if (indexes.length > 1) return { reason: 'it drops several indexes in one statement' };
  if (!found) return { reason: `there is no index ${name} before the revision` };
  const again = found.index.definition.replace(/^CREATE (UNIQUE )?INDEX /, 'CREATE $1INDEX CONCURRENTLY ');
  const drop = dropConcurrently(name, found.table);
  // An index that replaces it is built first.
  const isReplaced = part.steps.some(
    ({ index, action }) => index < at && action.does === 'create index' && action.table === found.table,
  );
  return {
    parts: [{ phase: isReplaced ? 'build' : 'first', autocommit: true, up: [drop], down: [drop, execute(again)] }],
    undoneBy: ({ action: undo }) => undo.does === 'create index' && undo.index === unqualifiedName(name),
  };
}

function addConstraint(
  { action, call }: Step,
  revision: AnalyzedRevision,
  kind: ConstraintDefinition['kind'],
  type: string,
  steps: typeof foreignKeySteps,
): SafeForm | NoSafeForm | undefined {
  if (action.does !== 'add constraint' || action.constraint.kind !== kind) return undefined;
  const { table } = action;
  if (revision.upgrade.findTable(table)?.partitions) return { reason: `${table} is partitioned` };
  const constraint = withActualName(action.constraint, table, revision);
  const { name, add, validate } = steps(table, constraint, call);
  const drop = dropConstraint(table, name, type);
  return {
    parts: [
      { phase: 'add', up: [add], down: [drop, ...restored(table, name, revision)] },
      { phase: 'validate', up: [validate] },
    ],
    undoneBy: dropsConstraint(table, name),
    inCondition: [
      { phase: 'add', up: [add] },
      { phase: 'validate', up: [...ifNotValid(table, name), `    ${validate}`] },
    ],
  };
}

function ifNotValid(table: string, name: string): readonly string[] {
  const where = `conrelid = to_regclass(${sqlName(quotedTable(table))}) AND conname = ${sqlName(name)} AND NOT convalidated`;
  return [
    '# where the condition was false, there may be no such constraint',
    `not_valid = ${sqlLiteral(`SELECT 1 FROM pg_constraint WHERE ${where}`)}`,
    'if op.get_bind().scalar(sa.text(not_valid)):',
  ];
}

/** A constraint that replaces another under its name gets its index before, under a temporary name: the table always has one. */
function buildKey(
  { table, constraint: given }: ActionOf<'add constraint'>,
  at: number,
  revision: AnalyzedRevision,
): SafeForm | NoSafeForm | undefined {
  const { kind, columns } = given;
  if (kind === 'exclude') return { reason: 'PostgreSQL builds the index of an EXCLUDE constraint only under its lock' };
  if (kind !== 'unique' && kind !== 'primary key') return undefined;
  const facts = revision.upgrade.findTable(table);
  if (facts?.partitions) return { reason: `${table} is partitioned` };
  const isRequiredHere = (column: string) =>
    revision.upgrade.steps.some(
      ({ action }) =>
        action.does === 'add column' &&
        action.table === table &&
        action.column.name === column &&
        (action.column.notNull || action.column.numbered),
    );
  const isRequired = (column: string) => facts?.columns.some(({ name, notNull }) => name === column && notNull);
  const optional = kind === 'unique' ? [] : columns.filter((column) => !isRequired(column) && !isRequiredHere(column));
  const constraint = withActualName(given, table, revision);
  const { name } = keySteps(table, constraint);
  const dropsIt = dropsConstraint(table, name);
  const replaced = revision.upgrade.steps.find((step) => step.index <= at && dropsIt(step));
  const own = replaced ? `${name.slice(0, 59)}_new` : name;
  const { build, attach } = keySteps(table, constraint, own);
  const type = kind === 'unique' ? 'unique' : 'primary';
  const [dropIndex, drop] = [dropConcurrently(own, table), dropConstraint(table, name, type)];
  // A column that is dropped takes the old constraint with it.
  const dropOld = execute(`ALTER TABLE ${quotedTable(table)} DROP CONSTRAINT IF EXISTS ${quoted(name)}`);
  const attachSteps = replaced ? [dropOld, attach] : [attach];
  const up = [INVALID_INDEX, dropIndex, build];
  const again = build.replace('INDEX CONCURRENTLY ', 'INDEX ');
  const isNext = kind === 'unique' || columns.every(isRequired);
  const old = restored(table, name, revision);
  return {
    parts: [
      ...optional.flatMap((column) => setNotNull(table, column, true).parts),
      { phase: 'build', autocommit: true, up, ...(isNext ? {} : { down: [dropIndex] }) },
      isNext
        ? { phase: 'build', up: attachSteps, down: [drop, ...old] }
        : { phase: 'require', up: attachSteps, down: [drop, again, ...old] },
    ],
    undoneBy: dropsIt,
    ...(replaced ? { replaces: (step) => step === replaced } : {}),
  };
}

function addComputed({ table, column }: ActionOf<'add column'>, part: RevisionFunction): SafeForm | NoSafeForm {
  if (column.generated) return { reason: 'PostgreSQL can add a stored generated column only by writing every row' };
  const facts = part.findTable(table);
  const steps = column.numbered ? numberedColumnSteps(table, column, facts) : addSteps(table, column, facts);
  if (!steps) return { reason: 'its default cannot be read' };
  const { table: own, schema } = tableArguments(table);
  const drop = `op.drop_column(${own}, ${literal(column.name)}${schema})`;
  const parts: FormPart[] = [
    { phase: 'add', up: steps.add, down: [drop] },
    { phase: 'fill', up: steps.fill.split('\n') },
  ];
  return {
    parts: [
      ...parts,
      ...(column.notNull || column.numbered ? setNotNull(table, column.name).parts : []),
      ...(steps.finish ? [{ phase: 'require' as const, up: steps.finish, down: steps.undo }] : []),
    ],
    undoneBy: ({ action }) => action.does === 'drop column' && action.table === table && action.column === column.name,
  };
}

function batchedUpdate(step: Step, { upgrade: part }: AnalyzedRevision): SafeForm | NoSafeForm {
  const { action: seen, observed } = step;
  const action = updateWithValues(seen, observed?.withValues) ?? seen;
  if (action.does !== 'update')
    return { reason: `there is no automatic fix for this ${action.does}: write it by hand, as shown` };
  const { table, written } = action;
  const batched = updateInBatches(table, written, part.findTable(table), tablesWithTypesAt(step, part));
  if (typeof batched !== 'string') return batched;
  return { parts: [{ phase: 'fill', up: batched.split('\n') }], undoneBy: () => false, hasValues: action !== seen };
}

/** An UPDATE with the values of its parameters; undefined if it has none, or they are unknown. */
function updateWithValues({ does }: Action, sql: string | undefined): Action | undefined {
  if (does !== 'update' || sql === undefined) return undefined;
  const [action, ...more] = parseSql(sql).flatMap(({ actions }) => actions);
  return action?.does === 'update' && !more.length ? action : undefined;
}

/** The constraint with the name that PostgreSQL or a convention gave it, which may be the name of one that the revision drops. */
function withActualName(
  constraint: ConstraintDefinition,
  table: string,
  { facts, upgrade }: AnalyzedRevision,
): ConstraintDefinition {
  if (constraint.name !== undefined) return constraint;
  const dropped = droppedMembers(upgrade);
  const before = new Set(facts.before[table]?.constraints.map(({ name }) => name).filter((name) => !dropped.has(name)));
  const found = facts.after[table]?.constraints.find(
    ({ name, kind, columns }) =>
      !before.has(name) &&
      kind === constraint.kind &&
      (!constraint.columns.length || columns.join() === constraint.columns.join()),
  );
  return found ? { ...constraint, name: found.name } : constraint;
}

/** Adds the constraint again that had the name before, if the downgrade does not: an earlier one may drop it. */
function restored(table: string, name: string, { upgrade, downgrade }: AnalyzedRevision): readonly string[] {
  const old = upgrade.findTable(table)?.constraints.find((one) => one.name === name);
  const isAdded = downgrade.steps.some(
    ({ action }) => action.does === 'add constraint' && action.table === table && (action.constraint.name ?? name) === name,
  );
  if (!old || isAdded) return [];
  return [execute(`ALTER TABLE ${quotedTable(table)} ADD CONSTRAINT ${quoted(name)} ${old.definition}`)];
}

function dropConstraint(table: string, name: string, type: string): string {
  const { table: own, schema } = tableArguments(table);
  return `op.drop_constraint(${finalName(name)}, ${own}, type_=${literal(type)}${schema})`;
}

function dropsConstraint(table: string, name: string): SafeForm['undoneBy'] {
  return ({ action }) => action.does === 'drop constraint' && action.table === table && action.constraint === name;
}
