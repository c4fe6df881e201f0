import {
  type Call,
  type DirectionFacts,
  type FunctionFacts,
  type SourceStep,
  type Statement,
  UNKNOWN_VALUE,
} from '../../contract/facts';
import type { Action } from '../sql/action';
import { parseSql } from '../sql/parse';
import { hasUnknownSchema, impliedBy, type Operation, operationsOf } from './operations';
import { bare } from './tables';

/** One action of a revision's function, as run or as written. */
export interface PlainStep {
  readonly action: Action;
  readonly line: number;
  /** Number of the statement within the function; parts of one ALTER TABLE share it. */
  readonly index: number;
  /** Empty: known from an operation in the source. */
  readonly sql: string;
  /** Counted from 0; -1: autocommit. */
  readonly transaction: number;
  /** As executed. Absent: read from the source, or rendered offline. */
  readonly observed?: Statement;
  /** The operation in the source. Absent: not known, or it was executed as SQL. */
  readonly call?: Call;
}

/** An action in the source. */
export interface WrittenAction extends Pick<PlainStep, 'action' | 'line' | 'sql' | 'call'> {
  readonly inAutocommitBlock: boolean;
}

/** The actions of a function: those that ran, else those that were rendered, else those in the source. */
export function stepsOf(facts: DirectionFacts, source: FunctionFacts | null): readonly PlainStep[] {
  const statements = facts.outcome === 'failed' ? withFailed(facts) : facts.statements;
  const operations = source?.calls.flatMap(operationsOf) ?? [];
  const written = facts.outcome === 'done' ? [] : (source?.steps ?? []).flatMap(writtenActions);
  const left = [...written];
  const parsed = statements.flatMap((statement) => parseSql(statement.sql).map((part) => ({ statement, part })));
  const steps = parsed.flatMap(({ statement, part }, at) =>
    part.actions.map((action): PlainStep => {
      const place = { line: lineOf(statement, part.line, source), otherwise: source?.line ?? 1 };
      const own = hasRun(statement, facts)
        ? { ...ranAs(action, statement, operations, place), observed: statement }
        : renderedAs(action, left, place);
      return { ...own, index: at + 1, sql: part.text, transaction: statement.transaction };
    }),
  );
  // Another stage runs what the environment kept the replay from.
  if (facts.outcome === 'done') {
    const elsewhere = operations.filter(({ call }) => call.ifEnvironment).map(writtenOperation);
    return [...steps, ...writtenSteps(elsewhere, steps)];
  }
  const rendered = facts.outcome === 'not_run' ? statements.length > 0 : statements.some(({ line }) => !line);
  return rendered ? steps : [...steps, ...writtenSteps(written, steps)];
}

interface Place {
  /** 0: not known. */
  readonly line: number;
  readonly otherwise: number;
}

type Placed = Pick<PlainStep, 'action' | 'line' | 'call'>;

/** Nor is anything known of the locks of the statement that failed. */
function hasRun(statement: Statement, { outcome, statements }: DirectionFacts): boolean {
  return outcome === 'done' || (outcome === 'failed' && statement.line > 0 && statements.includes(statement));
}

function ranAs(action: Action, statement: Statement, operations: readonly Operation[], { line, otherwise }: Place): Placed {
  const operation = operations.find((one) => isSameCall(one, action) && one.call.line === statement.line);
  return { action, line: line || otherwise, ...(operation ? { call: operation.call } : {}) };
}

/** Alembic's offline mode does not say the line. */
function renderedAs(action: Action, left: WrittenAction[], place: Place): Placed {
  const found = taken(left, action);
  const line = found?.call?.line || place.line || found?.line || place.otherwise;
  if (!found?.call || !isSameCall(found, action)) return { action, line };
  // SQL does not say which table an index belongs to.
  return { action: found.action.does === 'drop index' ? found.action : action, line, call: found.call };
}

/** What a step in the source does. */
export function writtenActions({ call, sql = '', line, spread, inAutocommitBlock }: SourceStep): readonly WrittenAction[] {
  if (call) return [call, ...impliedBy(call)].flatMap(operationsOf).map(writtenOperation);
  return parsedWithUnknown(sql).flatMap((part) =>
    part.actions.map((action) => ({ action, line: line + (spread ? part.line : 0), sql: part.text, inAutocommitBlock })),
  );
}

function writtenOperation({ action, call }: Operation): WrittenAction {
  return { action, line: call.line, sql: '', call, inAutocommitBlock: call.inAutocommitBlock };
}

/** If what is not known stands where no identifier is allowed, it may be a number; else nothing is known of its statement. */
function parsedWithUnknown(sql: string): ReturnType<typeof parseSql> {
  if (!sql.includes(UNKNOWN_VALUE)) return parseSql(sql);
  const isParsed = ({ actions }: { actions: readonly Action[] }) => !actions.some(({ does }) => does === 'unparsed');
  const found = [UNKNOWN_VALUE, '1'].map((value) => parseSql(sql.replaceAll(UNKNOWN_VALUE, value)));
  return (found.find((parts) => parts.every(isParsed)) ?? found[0] ?? []).filter(isParsed);
}

/** Takes the first one away that is an action, or may be it: their order is the same. */
function taken(written: WrittenAction[], action: Action): WrittenAction | undefined {
  const exact = written.findIndex((one) => (one.call ? isSameCall(one, action) : isSame(one.action, action)));
  const at = exact < 0 ? written.findIndex((one) => one.action.does === action.does && isUnknown(one.action)) : exact;
  return at < 0 ? undefined : exact < 0 ? written[at] : written.splice(at, 1)[0];
}

function isUnknown(action: Action): boolean {
  return objectOf(action, action).includes(UNKNOWN_VALUE);
}

/** What neither ran nor could be rendered. */
function writtenSteps(written: readonly WrittenAction[], steps: readonly PlainStep[]): readonly PlainStep[] {
  const left = [...written];
  for (const { action } of steps) taken(left, action);
  const seen = new Set(steps.map(({ line }) => line));
  const rest = left.filter(({ action, line }) => !(seen.has(line) && isUnknown(action)));
  const first = (steps.at(-1)?.index ?? 0) + 1;
  let committed = 0;
  let isBegun = false;
  return rest.map(({ inAutocommitBlock, ...step }, at) => {
    const transaction = inAutocommitBlock && !isBegun ? -1 : committed;
    isBegun = step.action.does === 'begin transaction' || (isBegun && step.action.does !== 'end transaction');
    // COMMIT as SQL begins another transaction.
    if (step.action.does === 'end transaction') committed += 1;
    return { ...step, transaction, index: first + at };
  });
}

/** The statement that failed is not always among those that were executed; Alembic may have rendered it, one part after another. */
function withFailed({ statements, failure }: DirectionFacts): readonly Statement[] {
  const sql = failure?.statement;
  if (!sql) return statements;
  const parts = new Set([squeezed(sql), ...parseSql(sql).map(({ text }) => squeezed(text))]);
  const isPart = (statement: Statement) => parts.has(squeezed(statement.sql));
  const first = statements.findIndex(isPart);
  if (statements[first]?.line) return statements;
  const { transaction = 0 } = statements[first] ?? statements.at(-1) ?? {};
  const { line = 0 } = failure;
  const failed = { sql, line, transaction, milliseconds: 0, rowCount: -1, locks: [], rewrites: [] };
  if (first < 0) return [...statements, failed];
  return statements.flatMap((statement, at) => (at === first ? [failed] : isPart(statement) ? [] : [statement]));
}

/** Whether an operation of the source and an action of a statement are one. */
export function isSame(operation: Action, action: Action): boolean {
  return operation.does === action.does && objectOf(operation, operation) === objectOf(action, operation);
}

function isSameCall({ action: one, call }: Pick<WrittenAction, 'action' | 'call'>, action: Action): boolean {
  return isSame(one, call && hasUnknownSchema(call) ? withoutSchema(action) : action);
}

function withoutSchema(action: Action): Action {
  if (action.does === 'drop') return { ...action, names: action.names.map(bare) };
  return 'table' in action ? { ...action, table: bare(action.table) } : action;
}

/** What an action is about. A naming convention names what the operation does not: that is told by its columns. */
function objectOf(action: Action, operation: Action): string {
  const table = 'table' in action ? action.table : '';
  if (action.does === 'create index' && operation.does === 'create index') {
    return [table, operation.index === undefined ? action.columns : action.index].join(' ');
  }
  if ('index' in action) return [table, action.index].join(' ');
  if (action.does === 'drop index') return action.indexes.map(bare).join(' ');
  if (action.does === 'drop') return action.names.join(' ');
  if (action.does === 'add column') return [table, action.column.name].join(' ');
  if (action.does === 'add constraint' && operation.does === 'add constraint') {
    const { kind, columns, name } = action.constraint;
    return [table, operation.constraint.name === undefined ? [kind, ...columns] : name].join(' ');
  }
  return 'column' in action ? [table, action.column].join(' ') : table;
}

/** Within a text of several statements, the line of the one that is meant; 0: not known. */
function lineOf(statement: Statement, offset: number, source: FunctionFacts | null): number {
  const start = statement.line;
  const written = source?.sql.find(({ text, line }) => line >= start && squeezed(text) === squeezed(statement.sql));
  if (!written) return start;
  const blank = leadingLines(written.text) - leadingLines(statement.sql);
  return written.text.includes('\n') ? written.line + blank + offset : written.line;
}

function leadingLines(text: string): number {
  return (/^\s*/.exec(text)?.[0].split('\n').length ?? 1) - 1;
}

function squeezed(sql: string): string {
  return sql
    .replaceAll('%%', '%')
    .replace(/\s+/g, ' ')
    .replace(/[\s;]+$/, '')
    .trim();
}
