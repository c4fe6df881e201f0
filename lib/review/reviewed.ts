import type { DirectionFacts, FunctionFacts, IndexFacts, RevisionFacts, Statement, TableFacts } from '../contract/facts';
import { type DestroyedData, judge } from '../data-loss/judge';
import type { Action } from './actions';
import type { Found } from './rules/rule';
import { sourceActions } from './source-actions';
import { parseSql } from './sql';

export type Direction = 'upgrade' | 'downgrade';

/** One action of a revision's function, with what is known where it stands. */
export interface Step {
  readonly action: Action;
  readonly line: number;
  /** Number of the statement within the function; parts of one ALTER TABLE share it. */
  readonly index: number;
  readonly sql: string;
  /** Counted from 0; -1: autocommit. */
  readonly transaction: number;
  /** As executed. Absent: told from the source, or rendered offline. */
  readonly observed?: Statement;
  /** Whether a table stood before the change, with what production has put into it. */
  readonly isExisting: (table: string) => boolean;
  /** Whether a column of an existing table was added by the change. */
  readonly isNewColumn: (table: string, column: string) => boolean;
  /** What a finding about it says of its place. */
  readonly place: Pick<Found, 'line' | 'direction' | 'seen' | 'statement'>;
}

/** A function of a revision. */
export interface Part {
  readonly direction: Direction;
  readonly facts: DirectionFacts;
  readonly source: FunctionFacts | null;
  /** Whether it ran to its end. */
  readonly replayed: boolean;
  readonly steps: readonly Step[];
  /** Tables as they are when it begins. */
  readonly tables: Readonly<Record<string, TableFacts>>;
  /** Tables as they are when it has ended. */
  readonly outcome: Readonly<Record<string, TableFacts>>;
  readonly findTable: (name: string) => TableFacts | undefined;
  readonly findIndex: (name: string) => { table: string; index: IndexFacts } | undefined;
}

/** A revision with its statements understood. */
export interface Reviewed {
  readonly facts: RevisionFacts;
  readonly upgrade: Part;
  readonly downgrade: Part;
  readonly parts: readonly Part[];
  /** What the guard of a deploy finds in the upgrade. */
  readonly destroys: readonly DestroyedData[];
}

/** What the change has made so far: production does not have it. */
export interface Made {
  readonly tables: ReadonlySet<string>;
  /** As `table.column`. */
  readonly columns: ReadonlySet<string>;
}

/** Understands a revision that follows on what the change has made; `made` is what it has made after it. */
export function understand(facts: RevisionFacts, before: Made): { reviewed: Reviewed; made: Made } {
  const up = part(facts, 'upgrade', before);
  const down = part(facts, 'downgrade', up.made);
  return {
    reviewed: {
      facts,
      upgrade: up.part,
      downgrade: down.part,
      parts: [up.part, down.part],
      destroys: judge(facts.source.steps),
    },
    made: up.made,
  };
}

function part(facts: RevisionFacts, direction: Direction, before: Made): { part: Part; made: Made } {
  const own = facts[direction];
  const source = facts.source[direction];
  const [tables, outcome] = direction === 'upgrade' ? [facts.before, facts.after] : [facts.after, facts.before];
  const replayed = own.outcome === 'done';
  const raw = rawSteps(own, source);
  const findTable = (name: string) => lookUp(tables, name);
  const findIndex = (name: string) => indexOf(tables, name);
  // What the function drops in the end is gone with all that waits for it: no other lock on it matters.
  const doomed = new Set(raw.flatMap(({ action }) => (action.does === 'drop' && action.what === 'table' ? action.names : [])));

  const made = { tables: new Set(before.tables), columns: new Set(before.columns) };
  if (replayed) {
    const renamed = new Set(
      raw.flatMap(({ action }) => (action.does === 'rename' && action.what === 'table' ? [action.to] : [])),
    );
    // Made where no statement tells, such as within a function.
    for (const name of Object.keys(outcome)) if (!(name in tables) && !renamed.has(bare(name))) made.tables.add(name);
  }
  const locked = new Set(own.statements.flatMap(({ locks }) => locks.map(({ table }) => table)));
  let newTables = new Set(made.tables);
  let newColumns = new Set(made.columns);
  const steps = raw.map((step): Step => {
    remember(step.action, made);
    if (CHANGES_WHAT_IS_NEW.has(step.action.does)) {
      newTables = new Set(made.tables);
      newColumns = new Set(made.columns);
    }
    const [tablesNow, columnsNow] = [newTables, newColumns];
    const dropsHere = (name: string) => step.action.does === 'drop' && step.action.names.includes(name);
    return {
      ...step,
      isExisting: (name) => {
        if (tablesNow.has(name) || (doomed.has(name) && !dropsHere(name))) return false;
        if (!own.statements.length || own.outcome === 'not_run') return true;
        return locked.has(name) || !!findTable(name) || wasRenamed(raw, name) || !replayed;
      },
      isNewColumn: (table, column) => columnsNow.has(`${table}.${column}`),
      place: {
        line: step.line,
        direction,
        seen: replayed ? 'replay' : 'source',
        ...(step.sql ? { statement: step.sql } : {}),
      },
    };
  });
  return { part: { direction, facts: own, source, replayed, steps, tables, outcome, findTable, findIndex }, made };
}

type RawStep = Pick<Step, 'action' | 'line' | 'index' | 'sql' | 'transaction' | 'observed'>;

function rawSteps(facts: DirectionFacts, source: FunctionFacts | null): readonly RawStep[] {
  const statements = facts.outcome === 'failed' ? withFailed(facts) : facts.statements;
  const told = (source?.calls ?? []).flatMap((call) => (source ? sourceActions(call, source) : []));
  let index = 0;
  const steps = statements.flatMap((statement) =>
    parseSql(statement.sql).flatMap(({ text, line, actions }) => {
      index += 1;
      // What Alembic renders offline does not tell its line.
      const ran = facts.outcome === 'done' || (facts.outcome === 'failed' && statement.line > 0);
      return actions.map((action): RawStep => {
        const operation = ran ? undefined : sameOperation(action, told);
        return {
          action: operation?.action.does === 'drop index' ? operation.action : action,
          line: (!statement.line && operation?.line) || lineOf(statement, line, source),
          index,
          sql: text,
          transaction: statement.transaction,
          ...(ran ? { observed: statement } : {}),
        };
      });
    }),
  );
  const rendered = facts.outcome === 'not_run' ? statements.length > 0 : statements.some(({ line }) => !line);
  if (facts.outcome === 'done' || rendered || !source) return steps;
  // What did not run and could not be rendered is told from the source.
  const lines = new Set(steps.map(({ line }) => line));
  const written = source.sql
    .filter(({ text }) => STATEMENT.test(text))
    .flatMap(({ text, line }) =>
      parseSql(text).flatMap((parsed) =>
        parsed.actions.map((action) => ({ action, line: line + parsed.line, sql: parsed.text, transaction: 0 })),
      ),
    );
  const rest = [...told, ...written].filter(({ line }) => !lines.has(line)).sort((one, other) => one.line - other.line);
  return [...steps, ...rest.map((step, at) => ({ ...step, index: index + at + 1 }))];
}

const STATEMENT = /^\s*(?:ALTER|CREATE|DROP|UPDATE|DELETE|INSERT|TRUNCATE|COMMIT|WITH|LOCK|REINDEX|VACUUM|CLUSTER|REFRESH|DO)\b/i;

/** The statement that failed is not always among those that were executed. */
function withFailed({ statements, failure }: DirectionFacts): readonly Statement[] {
  const failed = failure?.statement;
  if (!failed || statements.some(({ sql }) => squeezed(sql) === squeezed(failed))) return statements;
  const transaction = statements.at(-1)?.transaction ?? 0;
  const { line = 0 } = failure;
  return [...statements, { sql: failed, line, transaction, milliseconds: 0, rowCount: -1, locks: [], rewrites: [] }];
}

/** The operation of the source that a rendered statement comes from. */
function sameOperation<Told extends { action: Action }>(action: Action, told: readonly Told[]): Told | undefined {
  const name = nameIn(action);
  return told.find((one) => one.action.does === action.does && nameIn(one.action) === name);
}

function nameIn(action: Action): string {
  const { table = '', index, column, constraint, names, indexes } = action as Record<string, unknown> & { table?: string };
  const part = [index, column, constraint].map((value) =>
    value && typeof value === 'object' && 'name' in value ? value.name : value,
  );
  return [table, ...part, names, indexes].filter((value) => value !== undefined).join(' ');
}

/** Within a text of several statements, the line of the one that is meant. */
function lineOf(statement: Statement, offset: number, source: FunctionFacts | null): number {
  const start = statement.line || source?.line || 1;
  const written = source?.sql.find(({ text, line }) => line >= start && squeezed(text) === squeezed(statement.sql));
  if (!written) return start;
  const blank = (/^\s*/.exec(written.text)?.[0].split('\n').length ?? 1) - 1;
  const sent = (/^\s*/.exec(statement.sql)?.[0].split('\n').length ?? 1) - 1;
  return written.text.includes('\n') ? written.line + blank - sent + offset : written.line;
}

function squeezed(sql: string): string {
  return sql.replaceAll('%%', '%').replace(/\s+/g, ' ').trim();
}

const CHANGES_WHAT_IS_NEW = new Set(['create table', 'add column', 'rename']);

function remember(action: Action, made: { tables: Set<string>; columns: Set<string> }): void {
  if (action.does === 'create table') made.tables.add(action.table);
  if (action.does === 'add column') made.columns.add(`${action.table}.${action.column.name}`);
  if (action.does !== 'rename') return;
  if (action.what === 'table') {
    const target = action.table.includes('.') ? `${action.table.split('.')[0]}.${action.to}` : action.to;
    // A table that was made first and then takes the place of another holds what was copied into it: no production table's lock.
    if (made.tables.has(action.table)) made.tables.add(target);
    made.tables.delete(action.table);
  }
  if (action.what === 'column' && made.columns.has(`${action.table}.${action.from}`)) {
    made.columns.add(`${action.table}.${action.to}`);
  }
}

function wasRenamed(steps: readonly RawStep[], name: string): boolean {
  return steps.some(({ action }) => action.does === 'rename' && action.what === 'table' && action.to === bare(name));
}

function lookUp(tables: Readonly<Record<string, TableFacts>>, name: string): TableFacts | undefined {
  if (tables[name]) return tables[name];
  // A search_path leads a bare name elsewhere than to `public`.
  const found = name.includes('.') ? [] : Object.keys(tables).filter((table) => bare(table) === name);
  return found.length === 1 ? tables[found[0] ?? ''] : undefined;
}

function indexOf(tables: Readonly<Record<string, TableFacts>>, name: string): { table: string; index: IndexFacts } | undefined {
  for (const [table, { indexes }] of Object.entries(tables)) {
    const index = indexes.find((candidate) => bare(candidate.name) === bare(name));
    if (index) return { table, index };
  }
  return undefined;
}

function bare(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}
