import {
  type Call,
  type DirectionFacts,
  type FunctionFacts,
  type SourceStep,
  type Statement,
  UNKNOWN_VALUE,
} from '../../contract/facts';
import type { Action } from '../sql/action';
import { isTooLong, parseSql, parseWithUnknown } from '../sql/parse';
import { hasUnknownSchema, impliedCalls, type Operation, operationsOf } from './operations';
import { unqualifiedName } from './tables';

/** In place of a transaction's number: the transaction is of a connection that the revision opens. */
export const ON_OTHER_CONNECTION = -2;

/** One action of a revision's function, as run or as written. */
export interface PlainStep {
  readonly action: Action;
  readonly line: number;
  /** Number of the statement within the function; parts of one ALTER TABLE share it. */
  readonly index: number;
  /** Empty if the step is an operation that was only read from the source. */
  readonly sql: string;
  /** Number of the transaction, from 0; -1 in autocommit; {@link ON_OTHER_CONNECTION}. */
  readonly transaction: number;
  /** The statement as it was executed. Absent if it was read from the source or rendered offline. */
  readonly observed?: Statement;
  /** The operation in the source. Absent if it is unknown, or if the source has SQL. */
  readonly call?: Call;
}

/** An action in the source. */
export interface SourceAction extends Pick<PlainStep, 'action' | 'line' | 'sql' | 'call'> {
  /** The first line of its text, if it has lines of its own there. */
  readonly textLine?: number;
  readonly inAutocommitBlock: boolean;
  readonly onOtherConnection?: boolean;
}

/** The actions of a function: as executed, or else as rendered offline, or else as written in the source. */
export function stepsOf(facts: DirectionFacts, source: FunctionFacts | null): readonly PlainStep[] {
  const statements = facts.outcome === 'failed' ? withFailedStatement(facts) : facts.statements;
  const operations = source?.calls.flatMap(operationsOf) ?? [];
  const implied = source?.calls.flatMap((call) => impliedCalls(call).flatMap(operationsOf)) ?? [];
  const possible = (source?.steps ?? []).filter(({ onFailure }) => !onFailure);
  const written = facts.outcome === 'done' ? [] : possible.flatMap(sourceActions);
  const left = [...written];
  const taken = new Set<Operation>();
  const parsed = statements.flatMap((statement) => parseSql(statement.sql).map((part) => ({ statement, part })));
  const steps = parsed.flatMap(({ statement, part }, at) =>
    part.actions
      .flatMap((action) => withLockedTables(action, statement, facts))
      .map((action): PlainStep => {
        const place = { line: lineOf(statement, part.line, source), fallback: source?.line ?? 1 };
        const own = hasRun(statement, facts)
          ? { ...executedAction(action, statement, { operations, implied, taken }, place), observed: statement }
          : renderedAction(action, left, place);
        return { ...own, index: at + 1, sql: part.text, transaction: statement.transaction };
      }),
  );
  if (facts.outcome === 'done') return inOrder(steps, sourceSteps(notReached(source, possible, operations), steps));
  const rendered = facts.outcome === 'not_run' ? statements.length > 0 : statements.some(({ line }) => !line);
  return rendered ? steps : [...steps, ...sourceSteps(written, steps)];
}

/** Puts what was not reached between the statements that ran before and after it, in the transaction of those before it. */
function inOrder(steps: readonly PlainStep[], more: readonly PlainStep[]): readonly PlainStep[] {
  const found = [...steps];
  for (const step of more) {
    const after = found.findIndex(({ line }) => line > step.line);
    const at = after < 0 ? found.length : after;
    const before = found.slice(0, at);
    const transaction = before.findLast((one) => one.transaction >= 0)?.transaction ?? 0;
    // Indexes are only compared.
    const index = (before.at(-1)?.index ?? 0) + 0.5;
    found.splice(at, 0, { ...step, index, transaction: Math.min(step.transaction, transaction) });
  }
  return found;
}

/** Names the tables of an action that a block has built, if it was executed: those that its statement locked as such an action does. */
function withLockedTables(action: Action, statement: Statement, facts: DirectionFacts): readonly Action[] {
  if (!('table' in action) || action.table !== UNKNOWN_VALUE || !hasRun(statement, facts)) return [action];
  const isWrite = action.does === 'insert' || action.does === 'update' || action.does === 'delete';
  const locked = statement.locks.filter(
    ({ relation, table, mode }) => relation === table && (isWrite ? mode === 'RowExclusiveLock' : LOCKS_OF_CHANGES.has(mode)),
  );
  return [...new Set(locked.map(({ table }) => table))].map((table) => ({ ...action, table }));
}

const LOCKS_OF_CHANGES: ReadonlySet<string> = new Set([
  'ShareUpdateExclusiveLock',
  'ShareLock',
  'ShareRowExclusiveLock',
  'AccessExclusiveLock',
]);

/** What a replay on empty tables skips: statements under a condition on the environment, and those for rows that a query finds. */
function notReached(
  source: FunctionFacts | null,
  possible: readonly SourceStep[],
  operations: readonly Operation[],
): readonly SourceAction[] {
  const lines = new Set(
    [...(source?.calls ?? []), ...(source?.sql ?? [])].flatMap((one) => (one.ifEnvironment ? [one.line] : [])),
  );
  const texts = possible.filter(({ sql, line }) => sql !== undefined && lines.has(line)).flatMap(sourceActions);
  const elsewhere = [...operations.filter(({ call }) => call.ifEnvironment).map(sourceOperation), ...texts];
  if (!source || READS_CATALOG.test(JSON.stringify([source.calls, source.sql]))) return elsewhere;
  const inBranches = possible.filter(({ inBranch, line }) => inBranch && !lines.has(line)).flatMap(sourceActions);
  const writes = inBranches.filter(({ action }) => action.does === 'update' || action.does === 'delete');
  return [...elsewhere, ...(readsRows(source) ? inBranches : writes)];
}

/** Whether Python reads rows, and may write others for them. */
export function readsRows({ calls, sql }: FunctionFacts): boolean {
  return calls.some(({ name }) => ROW_READERS.test(name)) || sql.some(({ text }) => /^\s*SELECT\b.*\bFROM\b/is.test(text));
}

const ROW_READERS = /(?:^|\.)(?:select|query|fetchall|fetchone|first|one|all|scalars?|mappings)$/;

/** The catalog, unlike the statistics views, is the same in production as in the replay, so conditions on it are, too. */
const READS_CATALOG = /\binspect\b|\binformation_schema\b|\bpg_(?!stat_|terminate_|cancel_)\w+|\bto_reg\w+|\bhas_\w+\b|exists?\(/;

interface StepLines {
  /** 0 if unknown. */
  readonly line: number;
  readonly fallback: number;
}

/** The operations in the source, those that added columns imply, and those to which statements belong already. */
interface SourceOperations {
  readonly operations: readonly Operation[];
  readonly implied: readonly Operation[];
  readonly taken: Set<Operation>;
}

type LocatedAction = Pick<PlainStep, 'action' | 'line' | 'call'>;

/** Whether a statement was executed, so that its locks are known. Those of the statement that failed are not. */
function hasRun(statement: Statement, { outcome, statements }: DirectionFacts): boolean {
  return outcome === 'done' || (outcome === 'failed' && statement.line > 0 && statements.includes(statement));
}

function executedAction(
  action: Action,
  statement: Statement,
  { operations, implied, taken }: SourceOperations,
  { line, fallback: otherwise }: StepLines,
): LocatedAction {
  const take = (found: readonly Operation[]) => {
    // A batch runs its operations in their order; a loop runs them again.
    const operation = found.find((one) => !taken.has(one)) ?? found[0];
    if (operation) taken.add(operation);
    return operation?.call;
  };
  const call = take(
    operations.filter((one) => matchesCall(one, action) && (one.call.runsAt ?? one.call.line) === statement.line),
  );
  if (call) return { action, line: call.runsAt === undefined ? line || otherwise : call.line, call };
  const batch = ({ call: { runsAt } }: Operation) => runsAt === statement.line;
  const maker =
    take(implied.filter((one) => batch(one) && matchesCall(one, action))) ??
    take(operations.filter((one) => batch(one) && !taken.has(one) && isSameKind(one.action, action)));
  return { action, line: maker?.line ?? (line || otherwise) };
}

/** Whether an operation and an action differ in nothing but names: a naming convention chooses those of constraints. */
function isSameKind(operation: Action, action: Action): boolean {
  if (operation.does === 'add constraint' && action.does === 'add constraint') {
    return operation.table === action.table && operation.constraint.kind === action.constraint.kind;
  }
  return operation.does === 'drop constraint' && action.does === operation.does && operation.table === action.table;
}

/** Matches a rendered statement with the source, because Alembic's offline mode gives no line. */
function renderedAction(action: Action, left: SourceAction[], place: StepLines): LocatedAction {
  const found = takeMatching(left, action);
  const line = found?.call?.line || (isInText(found, place) && found?.line) || place.line || found?.line || place.fallback;
  if (!found?.call || !matchesCall(found, action)) return { action, line };
  // DROP INDEX does not name the table.
  return { action: found.action.does === 'drop index' ? found.action : action, line, call: found.call };
}

/** Whether a source action is in the text of the call that wrote the statement: the text starts on its line, or on the next one. */
function isInText(found: SourceAction | undefined, { line }: StepLines): boolean {
  return found?.textLine !== undefined && found.textLine - line >= 0 && found.textLine - line <= 1;
}

/** The actions of one step in the source. */
export function sourceActions({ call, sql = '', line, spread, ...how }: SourceStep): readonly SourceAction[] {
  if (call) return [call, ...impliedCalls(call)].flatMap(operationsOf).map(sourceOperation);
  const { inAutocommitBlock, onOtherConnection } = how;
  return parseWithUnknown(sql).flatMap((part) =>
    part.actions.map((action) => ({
      action,
      line: line + (spread ? part.line : 0),
      ...(spread ? { textLine: line } : {}),
      sql: part.text,
      inAutocommitBlock,
      ...(onOtherConnection ? { onOtherConnection } : {}),
    })),
  );
}

function sourceOperation({ action, call }: Operation): SourceAction {
  return { action, line: call.line, sql: '', call, inAutocommitBlock: call.inAutocommitBlock };
}

/** Removes and returns the first source action that matches; one with an unknown name may match, and stays in the list. */
function takeMatching(written: SourceAction[], action: Action): SourceAction | undefined {
  const exact = written.findIndex((one) => (one.call ? matchesCall(one, action) : isSameAction(one.action, action)));
  const at = exact < 0 ? written.findIndex((one) => one.action.does === action.does && isUnknown(one.action)) : exact;
  return at < 0 ? undefined : exact < 0 ? written[at] : written.splice(at, 1)[0];
}

function isUnknown(action: Action): boolean {
  return objectKey(action, action).includes(UNKNOWN_VALUE);
}

/** Steps for the source actions that were neither executed nor rendered. */
function sourceSteps(written: readonly SourceAction[], steps: readonly PlainStep[]): readonly PlainStep[] {
  const left = [...written];
  for (const { action } of steps) takeMatching(left, action);
  const seen = new Set(steps.map(({ line }) => line));
  const rest = left.filter(({ action, line }) => !(seen.has(line) && isUnknown(action)));
  const first = (steps.at(-1)?.index ?? 0) + 1;
  let committed = 0;
  let isBegun = false;
  return rest.map(({ inAutocommitBlock, onOtherConnection, textLine: _, ...step }, at) => {
    const transaction = onOtherConnection ? ON_OTHER_CONNECTION : inAutocommitBlock && !isBegun ? -1 : committed;
    isBegun = step.action.does === 'begin transaction' || (isBegun && step.action.does !== 'end transaction');
    // After COMMIT as SQL, another transaction begins.
    if (step.action.does === 'end transaction') committed += 1;
    return { ...step, transaction, index: first + at };
  });
}

/** The statements with the one that failed: it may be missing, or be rendered by Alembic in several parts. */
function withFailedStatement({ statements, failure }: DirectionFacts): readonly Statement[] {
  const sql = failure?.statement;
  if (!sql) return statements;
  const parts = [sql, ...parseSql(sql).map(({ text }) => text)].map(withAnyValues);
  const isPart = (statement: Statement) => parts.some((part) => part.test(normalized(statement.sql)));
  const first = statements.findIndex(isPart);
  if (statements[first]?.line) return statements;
  const { transaction = 0 } = statements[first] ?? statements.at(-1) ?? {};
  const { line = 0 } = failure;
  const failed = { sql, line, transaction, milliseconds: 0, rowCount: -1, locks: [], rewrites: [] };
  if (first < 0) return [...statements, failed];
  return statements.flatMap((statement, at) => (at === first ? [failed] : isPart(statement) ? [] : [statement]));
}

/** Matches a statement that was sent with parameters, and the same one as Alembic renders it, with their values. */
function withAnyValues(sql: string): RegExp {
  const [first = '', ...rest] = normalized(sql).split(/%\(\w+\)s|%s|\$\d+/);
  const escaped = [first, ...rest.map((part) => part.replace(/^::\w+/, ''))].map((part) =>
    part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'),
  );
  return new RegExp(`^${escaped.join('.+?')}$`);
}

/** Whether an operation in the source and an action of a statement are the same. */
export function isSameAction(operation: Action, action: Action): boolean {
  return operation.does === action.does && objectKey(operation, operation) === objectKey(action, operation);
}

function matchesCall({ action: one, call }: Pick<SourceAction, 'action' | 'call'>, action: Action): boolean {
  return isSameAction(one, call && hasUnknownSchema(call) ? withoutSchema(action) : action);
}

function withoutSchema(action: Action): Action {
  if (action.does === 'drop') return { ...action, names: action.names.map(unqualifiedName) };
  return 'table' in action ? { ...action, table: unqualifiedName(action.table) } : action;
}

/** Identifies the object of an action. Where Alembic chooses or shortens the name, its columns identify it. */
function objectKey(action: Action, operation: Action): string {
  const table = 'table' in action ? action.table : '';
  if (action.does === 'create index' && operation.does === 'create index') {
    return [table, hasFinalName(operation.index) ? action.index : action.columns].join(' ');
  }
  if ('index' in action) return [table, action.index].join(' ');
  if (action.does === 'drop index') return action.indexes.map(unqualifiedName).join(' ');
  if (action.does === 'drop') return action.names.join(' ');
  if (action.does === 'add column') return [table, action.column.name].join(' ');
  if (action.does === 'add constraint' && operation.does === 'add constraint') {
    const { kind, columns, name } = action.constraint;
    return [table, hasFinalName(operation.constraint.name) ? name : [kind, ...columns]].join(' ');
  }
  return 'column' in action ? [table, action.column].join(' ') : table;
}

/** The line of a statement, also within a text of several statements; 0 if unknown. */
function lineOf(statement: Statement, offset: number, source: FunctionFacts | null): number {
  const start = statement.line;
  const written = source?.sql.find(({ text, line }) => line >= start && normalized(text) === normalized(statement.sql));
  if (!written) return start;
  const blank = leadingLines(written.text) - leadingLines(statement.sql);
  return written.text.includes('\n') ? written.line + blank + offset : written.line;
}

function leadingLines(text: string): number {
  return (/^\s*/.exec(text)?.[0].split('\n').length ?? 1) - 1;
}

function normalized(sql: string): string {
  return sql
    .replaceAll('%%', '%')
    .replace(/\s+/g, ' ')
    .replace(/[\s;]+$/, '')
    .trim();
}

/** Whether an operation has a name that Alembic keeps: it shortens one that PostgreSQL would truncate. */
function hasFinalName(name: string | undefined): boolean {
  return name !== undefined && !isTooLong(name);
}
