import type { DirectionFacts, FunctionFacts, IndexFacts, RevisionFacts, TableFacts } from '../../contract/facts';
import { type Judged, judge } from '../../data-loss/judge';
import type { Finding } from '../finding';
import { type Created, createdAfter, withAdded, withTables } from './created';
import { type Emptied, emptiedAfter } from './emptied';
import { effective, existsBefore, isAboutNothing } from './exists-before';
import { type PlainStep, stepsOf } from './steps';
import { bare, findIndex, findTable } from './tables';

export type Direction = 'upgrade' | 'downgrade';

/** One action of a revision's function, with what is known at that point. */
export interface Step extends PlainStep {
  /** Whether a table existed before the change, with what production has put into it. */
  readonly isExisting: (table: string) => boolean;
  /** Whether an existing table may have rows: the revision has neither emptied it nor checked that it is empty. */
  readonly holdsRows: (table: string) => boolean;
  /** Whether the change itself made a table. */
  readonly isNewTable: (table: string) => boolean;
  /** Whether a column of an existing table was added by the change. */
  readonly isNewColumn: (table: string, column: string) => boolean;
  /** Whether the change itself made a view, function, sequence or extension. */
  readonly isNewObject: (name: string) => boolean;
  /** Whether the change has given a table a trigger, which may fill columns. */
  readonly hasNewTrigger: (table: string) => boolean;
  /** The location in a finding about it. */
  readonly place: Pick<Finding, 'line' | 'direction' | 'seen' | 'statement'>;
}

/** A function of a revision. */
export interface Part {
  readonly direction: Direction;
  readonly facts: DirectionFacts;
  readonly source: FunctionFacts | null;
  /** Whether it ran to its end. */
  readonly replayed: boolean;
  readonly steps: readonly Step[];
  /** Tables before it. */
  readonly tables: Readonly<Record<string, TableFacts>>;
  /** Tables after it. */
  readonly outcome: Readonly<Record<string, TableFacts>>;
  readonly findTable: (name: string) => TableFacts | undefined;
  /** Whether an existing relation is a materialized view, which only REFRESH writes. */
  readonly isMaterializedView: (name: string) => boolean;
  readonly findIndex: (name: string) => { table: string; index: IndexFacts } | undefined;
}

/** A revision with its statements understood. */
export interface Reviewed {
  readonly facts: RevisionFacts;
  readonly upgrade: Part;
  readonly downgrade: Part;
  readonly parts: readonly Part[];
  /** What the guard of a deploy finds in the upgrade. */
  readonly destroys: Judged['destroys'];
  /** Whether a loss of the guard is about an object that this history has not made. */
  readonly isAboutNothing: (what: string) => boolean;
  /** What the guard lets pass, because the upgrade keeps it. */
  readonly keeps: Judged['keeps'];
  /** Columns from which Python computes what the upgrade puts into others. */
  readonly derived: Judged['derived'];
}

const judgedBefore = new WeakMap<RevisionFacts, Judged>();

function judged(facts: RevisionFacts): Judged {
  const found = judgedBefore.get(facts) ?? judge(facts.source.steps);
  judgedBefore.set(facts, found);
  return found;
}

/** Does what takes the most time of `understand` beforehand. Load the parser first. */
export function parseAhead(facts: RevisionFacts): void {
  stepsOf(facts.upgrade, facts.source.upgrade);
  stepsOf(facts.downgrade, facts.source.downgrade);
  judged(facts);
}

/** Understands a revision; `before` is what the change has made until then, `made` what it has made after it. */
export function understand(facts: RevisionFacts, before: Created): { reviewed: Reviewed; made: Created } {
  const up = understandPart(facts, 'upgrade', before);
  const down = understandPart(facts, 'downgrade', up.made);
  return {
    reviewed: {
      facts,
      upgrade: up.part,
      downgrade: down.part,
      parts: [up.part, down.part],
      ...judged(facts),
      isAboutNothing: (what) => isAboutNothing(what, existsBefore(facts)),
    },
    made: up.made,
  };
}

function understandPart(facts: RevisionFacts, direction: Direction, before: Created): { part: Part; made: Created } {
  const [tables, outcome] = direction === 'upgrade' ? [facts.before, facts.after] : [facts.after, facts.before];
  const own = facts[direction];
  const source = facts.source[direction];
  const plain = direction === 'upgrade' ? effective(stepsOf(own, source), existsBefore(facts)) : stepsOf(own, source);
  const replayed = own.outcome === 'done';
  const { empty } = judged(facts);
  const isThere = standing({ facts: own, tables, plain, replayed });
  let made = replayed ? withTables(before, madeUnseen(plain, tables, outcome)) : before;
  if (replayed && direction === 'upgrade' && facts.changes) made = withAdded(made, facts.changes);
  let emptied: Emptied = new Map();
  const steps = plain.map((step): Step => {
    made = createdAfter(made, step.action);
    const now = made;
    const emptiedBefore = emptied;
    emptied = emptiedAfter(emptied, step);
    const isNewTable = (name: string) => now.tables.has(name) || (!replayed && hasBare(now.tables, name));
    const isExisting = (name: string) => !isNewTable(name) && isThere(name, step);
    return {
      ...step,
      isExisting,
      holdsRows: (name) =>
        isExisting(name) && !(direction === 'upgrade' && empty.has(name)) && emptiedBefore.get(name) !== step.transaction,
      isNewTable,
      isNewObject: (name) => now.objects.has(name),
      hasNewTrigger: (table) => now.triggered.has(table),
      isNewColumn: (table, column) => now.columns.has(`${table}.${column}`),
      place: {
        line: step.line,
        direction,
        seen: replayed && step.observed ? 'replay' : 'source',
        ...(step.sql ? { statement: step.sql } : {}),
      },
    };
  });
  const find = {
    findTable: (name: string) => findTable(tables, name),
    isMaterializedView: (name: string) => facts.source.history.materializedViews.includes(bare(name)),
    findIndex: (name: string) => findIndex(tables, name),
  };
  return { part: { direction, facts: own, source, replayed, steps, tables, outcome, ...find }, made };
}

/** Whether a table is among others by its name without the schema, which the source may keep in a variable. */
function hasBare(tables: Iterable<string>, name: string): boolean {
  return [...tables].some((table) => bare(table) === bare(name));
}

/** Tables that were made where no statement shows it, such as within a function. */
function madeUnseen(steps: readonly PlainStep[], before: Part['tables'], after: Part['tables']): readonly string[] {
  const renamed = new Set(
    steps.flatMap(({ action }) => (action.does === 'rename' && action.what === 'table' ? [action.to] : [])),
  );
  return Object.keys(after).filter((name) => !(name in before) && !renamed.has(bare(name)));
}

/** Whether a table is one that production has and keeps, as far as the replay knows. */
function standing({
  facts,
  tables,
  plain,
  replayed,
}: Pick<Part, 'facts' | 'tables' | 'replayed'> & { plain: readonly PlainStep[] }): (name: string, step: PlainStep) => boolean {
  const locked = new Set(facts.statements.flatMap(({ locks }) => locks.map(({ table }) => table)));
  const actions = plain.map(({ action }) => action);
  const renamed = new Set(actions.flatMap((action) => (action.does === 'rename' && action.what === 'table' ? [action.to] : [])));
  // What the function drops in the end is gone with everything that waits for it: no other lock on it matters.
  const dropped = new Set(actions.flatMap((action) => (action.does === 'drop' && action.what === 'table' ? action.names : [])));
  const nothingSeen = !facts.statements.length || facts.outcome === 'not_run';
  return (name, { action, observed }) => {
    const dropsIt = action.does === 'drop' && action.names.includes(name);
    if (dropped.has(name) && !dropsIt) return false;
    return nothingSeen || !replayed || !observed || locked.has(name) || !!findTable(tables, name) || renamed.has(bare(name));
  };
}

/** Whether the SQL of a line is only written in autocommit blocks, where BEGIN and COMMIT are a transaction of its own. */
export function inAutocommitBlock({ source }: Part, line: number): boolean {
  const here = (source?.sql ?? []).filter((text) => text.line === line);
  return here.length > 0 && here.every((text) => text.inAutocommitBlock);
}
