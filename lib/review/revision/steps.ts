import {
  type Call,
  type DirectionFacts,
  type FunctionFacts,
  type Statement,
  UNKNOWN_VALUE,
  type UpgradeStep,
} from '../../contract/facts';
import type { Action } from '../sql/action';
import { parseSql } from '../sql/parse';
import { hasUnknownSchema, type Operation, operationsOf } from './operations';
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

/** The actions of a function: those that ran, else those that were rendered, else those in the source. `read`: as SQL, of an upgrade. */
export function stepsOf(
  facts: DirectionFacts,
  source: FunctionFacts | null,
  read: readonly UpgradeStep[] = [],
): readonly PlainStep[] {
  const statements = facts.outcome === 'failed' ? withFailed(facts) : facts.statements;
  const operations = source?.calls.flatMap(operationsOf) ?? [];
  const placed = facts.outcome === 'done' ? [] : placedIn(read);
  const parsed = statements.flatMap((statement) => parseSql(statement.sql).map((part) => ({ statement, part })));
  const steps = parsed.flatMap(({ statement, part }, at) =>
    part.actions.map((action): PlainStep => {
      // Alembic's offline mode does not say the line.
      // Nor is anything known of the locks of the statement that failed.
      const ran =
        facts.outcome === 'done' || (facts.outcome === 'failed' && statement.line > 0 && facts.statements.includes(statement));
      const operation = operations.find(
        (one) =>
          isSame(one.action, hasUnknownSchema(one.call) ? withoutSchema(action) : action) &&
          (!ran || one.call.line === statement.line),
      );
      return {
        // SQL does not say which table an index belongs to.
        action: !ran && operation?.action.does === 'drop index' ? operation.action : action,
        line:
          (!ran && (operation ?? operations.find((one) => makesIndex(one, action)))?.call.line) ||
          lineOf(statement, part.line, source) ||
          (!ran && placed.find((one) => isSame(one.action, action))?.line) ||
          (!ran && operations.find((one) => mayLoopOver(one, action))?.call.line) ||
          (source?.line ?? 1),
        index: at + 1,
        sql: part.text,
        transaction: statement.transaction,
        ...(ran ? { observed: statement } : {}),
        ...(operation ? { call: operation.call } : {}),
      };
    }),
  );
  // Another stage runs what the environment kept the replay from.
  if (facts.outcome === 'done' && source) {
    const elsewhere = operations.filter(({ call }) => call.ifEnvironment);
    return [...steps, ...writtenSteps({ ...source, sql: [] }, elsewhere, steps)];
  }
  const rendered = facts.outcome === 'not_run' ? statements.length > 0 : statements.some(({ line }) => !line);
  if (facts.outcome === 'done' || rendered || !source) return steps;
  return [...steps, ...writtenSteps(source, operations, steps, read)];
}

/** The actions of what was read, which has the lines of loops and functions, without a value that is not known. */
function placedIn(read: readonly UpgradeStep[]): readonly { readonly action: Action; readonly line: number }[] {
  return read.flatMap(({ sql = '', line, spread, isEarlier, isHistory }) =>
    isEarlier || isHistory || sql.includes(UNKNOWN_VALUE)
      ? []
      : parseSql(sql).flatMap((part) => part.actions.map((action) => ({ action, line: line + (spread ? part.line : 0) }))),
  );
}

/** What neither ran nor could be rendered. */
function writtenSteps(
  source: FunctionFacts,
  operations: readonly Operation[],
  steps: readonly PlainStep[],
  read: readonly UpgradeStep[] = [],
): readonly PlainStep[] {
  const seen = new Set(steps.map(({ line }) => line));
  const operated = operations.map(({ action, call }) => {
    return { action, line: call.line, sql: '', transaction: call.inAutocommitBlock ? -1 : 0, call };
  });
  const texts = source.sql
    .filter(({ text }) => STATEMENT.test(text))
    .flatMap(({ text, line, inAutocommitBlock }) =>
      parseSql(text).flatMap((parsed) =>
        parsed.actions.map((action) => {
          return { action, line: line + parsed.line, sql: parsed.text, transaction: inAutocommitBlock ? -1 : 0 };
        }),
      ),
    );
  const written = [...operated, ...texts].map((step) => ({ ...step, follows: step.line }));
  const updates = updatesIn(read).filter(({ line }) => !written.some((step) => step.line === line));
  const rest = [...written, ...updates].filter(({ line }) => !seen.has(line)).sort((one, other) => one.follows - other.follows);
  const first = (steps.at(-1)?.index ?? 0) + 1;
  let committed = 0;
  return rest.map(({ follows, ...step }, at) => {
    const transaction = step.transaction < 0 ? -1 : committed;
    // COMMIT as SQL begins another transaction.
    if (step.action.does === 'end transaction') committed += 1;
    return { ...step, transaction, index: first + at };
  });
}

/** `users.update().values(active=is_active())`, which is neither an operation nor SQL, and writes every row. */
function updatesIn(read: readonly UpgradeStep[]) {
  // A function that stands above `upgrade` runs when it is called.
  let follows = 0;
  return read.flatMap(({ sql = '', line, spread, isEarlier, isHistory }) => {
    if (isEarlier || isHistory) return [];
    if (spread || !UPDATE.test(sql)) {
      follows = line;
      return [];
    }
    return parseSql(sql.replaceAll(UNKNOWN_VALUE, '$1')).flatMap(({ actions, text }) =>
      actions.flatMap((action) =>
        action.does === 'update' && action.rows === 'all' ? [{ action, line, follows, sql: text, transaction: 0 }] : [],
      ),
    );
  });
}

const UPDATE = /^UPDATE\b/;

const STATEMENT = /^\s*(?:ALTER|CREATE|DROP|UPDATE|DELETE|INSERT|TRUNCATE|COMMIT|WITH|LOCK|REINDEX|VACUUM|CLUSTER|REFRESH|DO)\b/i;

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

/** Whether an index comes with a column: `op.add_column("users", sa.Column("email", ..., index=True))`. */
function makesIndex({ action: added, call }: Operation, action: Action): boolean {
  return (
    added.does === 'add column' &&
    action.does === 'create index' &&
    bare(added.table) === bare(action.table) &&
    action.columns.join() === added.column.name &&
    /\bindex=True/.test(JSON.stringify(call))
  );
}

/** Whether a loop, whose values are not known, may run an operation on this object. */
function mayLoopOver({ action: one, call }: Operation, action: Action): boolean {
  return call.inLoop && one.does === action.does && 'table' in one && 'table' in action && bare(one.table) === bare(action.table);
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
