import type { DirectionFacts, FunctionFacts, IndexFacts, RevisionFacts, TableFacts } from '../../contract/facts';
import { findLosses, type UpgradeLosses } from '../../data-loss/find-losses';
import type { LostObject } from '../../data-loss/losses';
import type { Finding } from '../finding';
import { type CreatedObjects, withAction, withCatalogChanges, withTables } from './created-objects';
import { type EmptiedTables, emptiedAfter } from './emptied-tables';
import { type ExistsBefore, effectiveSteps, existsBefore, isMissing } from './exists-before';
import { type PlainStep, stepsOf } from './steps';
import { findIndex, findTable, isVersionTable, unqualifiedName } from './tables';

export type Direction = 'upgrade' | 'downgrade';

/** One action of a revision's function, with what is known at that point. */
export interface Step extends PlainStep {
  /** Whether a table existed before the change, so that production may have data in it. */
  readonly isExisting: (table: string) => boolean;
  /** Whether an existing table may have rows that count: not Alembic's, and not if the revision has emptied it or verifies that it is empty. */
  readonly holdsRows: (table: string) => boolean;
  /** Whether the transaction has created or emptied a table, and written no row since. */
  readonly isLeftEmpty: (table: string) => boolean;
  /** Whether a table is Alembic's own, and not one that the change creates. */
  readonly isVersionTable: (table: string) => boolean;
  /** Whether the change itself created a table. */
  readonly isNewTable: (table: string) => boolean;
  /** Whether the change added a column to an existing table. */
  readonly isNewColumn: (table: string, column: string) => boolean;
  /** Whether the change itself created a view, function, sequence or extension. */
  readonly isNewObject: (name: string) => boolean;
  /** Whether the change created a trigger on a table: it may fill columns. */
  readonly hasNewTrigger: (table: string) => boolean;
  /** The location in a finding about it. */
  readonly place: Pick<Finding, 'line' | 'direction' | 'seen' | 'statement'>;
}

/** The upgrade or the downgrade of a revision. */
export interface RevisionFunction {
  readonly direction: Direction;
  readonly facts: DirectionFacts;
  readonly source: FunctionFacts | null;
  /** Whether it ran to its end. */
  readonly replayed: boolean;
  readonly steps: readonly Step[];
  /** Those that changed nothing, such as DROP ... IF EXISTS of what was not there: in production it may be. */
  readonly idleSteps: readonly PlainStep[];
  /** Tables before the function runs, by name. */
  readonly tablesBefore: Readonly<Record<string, TableFacts>>;
  /** Tables after the function has run, by name. */
  readonly tablesAfter: Readonly<Record<string, TableFacts>>;
  readonly findTable: (name: string) => TableFacts | undefined;
  /** Whether an existing relation is a materialized view, which only REFRESH writes. */
  readonly isMaterializedView: (name: string) => boolean;
  /** The partitions of a partitioned table, empty where only its source is known; undefined of other tables. */
  readonly partitionsOf: (table: string) => readonly string[] | undefined;
  readonly findIndex: (name: string) => { table: string; index: IndexFacts } | undefined;
}

/** A revision with its parsed statements and the data that it destroys. */
export interface AnalyzedRevision {
  readonly facts: RevisionFacts;
  readonly upgrade: RevisionFunction;
  readonly downgrade: RevisionFunction;
  readonly parts: readonly RevisionFunction[];
  /** What the upgrade destroys, as the deploy's guard finds it in the source. */
  readonly losses: UpgradeLosses['losses'];
  /** Whether an object, such as `table users`, existed before the revision; undefined: unknown. */
  readonly existed: ExistsBefore;
  /** Whether no earlier revision creates an object. */
  readonly isMissing: (lost: LostObject) => boolean;
  /** Losses that the upgrade avoids: it copies the data before, or checks that there is none. */
  readonly avoidedLosses: UpgradeLosses['avoided'];
  /** Columns, such as `users.name`, that Python reads or computes other columns from. */
  readonly readByPython: UpgradeLosses['readByPython'];
  /** What an UPDATE may have kept elsewhere, and how. */
  readonly mayBeKept: UpgradeLosses['mayBeKept'];
}

const lossesByFacts = new WeakMap<RevisionFacts, UpgradeLosses>();

function lossesOf(facts: RevisionFacts): UpgradeLosses {
  const found = lossesByFacts.get(facts) ?? findLosses(facts.source.steps);
  lossesByFacts.set(facts, found);
  return found;
}

/** Parses a revision's statements, which takes most of the time of `analyzeRevision`. Call `loadParser()` first. */
export function parseAhead(facts: RevisionFacts): void {
  stepsOf(facts.upgrade, facts.source.upgrade);
  stepsOf(facts.downgrade, facts.source.downgrade);
  lossesOf(facts);
}

/**
 * Analyzes a revision. `before` holds the objects that the change created until then, and `created` those after it.
 *
 * @param versionTable Alembic's own table, if env.py names another one
 */
export function analyzeRevision(
  facts: RevisionFacts,
  before: CreatedObjects,
  versionTable?: string,
): { analyzed: AnalyzedRevision; created: CreatedObjects } {
  const up = analyzeFunction(facts, 'upgrade', before, versionTable);
  const down = analyzeFunction(facts, 'downgrade', up.created, versionTable);
  const { losses, avoided, readByPython, mayBeKept } = lossesOf(facts);
  const existed = existsBefore(facts);
  return {
    analyzed: {
      facts,
      upgrade: up.part,
      downgrade: down.part,
      parts: [up.part, down.part],
      losses: losses.filter(({ of }) => !(of?.column !== undefined && isVersionTable(of.name, versionTable))),
      avoidedLosses: avoided,
      readByPython,
      mayBeKept,
      existed,
      isMissing: (lost) => isMissing(lost, existed),
    },
    created: up.created,
  };
}

function analyzeFunction(
  facts: RevisionFacts,
  direction: Direction,
  before: CreatedObjects,
  versionTable: string | undefined,
): { part: RevisionFunction; created: CreatedObjects } {
  const [tables, outcome] = direction === 'upgrade' ? [facts.before, facts.after] : [facts.after, facts.before];
  const own = facts[direction];
  const source = facts.source[direction];
  const all = stepsOf(own, source);
  const plainSteps = direction === 'upgrade' ? effectiveSteps(all, existsBefore(facts)) : all;
  const idleSteps = all.filter((step) => !plainSteps.includes(step));
  const replayed = own.outcome === 'done';
  const { verifiedEmpty: empty } = lossesOf(facts);
  const isInProduction = existenceCheck({ facts: own, tablesBefore: tables, plain: plainSteps, replayed });
  let created = replayed ? withTables(before, createdWithoutStatement(plainSteps, tables, outcome)) : before;
  if (replayed && direction === 'upgrade' && facts.changes) created = withCatalogChanges(created, facts.changes);
  let emptied: EmptiedTables = new Map();
  const steps = plainSteps.map((step): Step => {
    created = withAction(created, step.action);
    const now = created;
    const emptiedBefore = emptied;
    emptied = emptiedAfter(emptied, step);
    const isNewTable = (name: string) => now.tables.has(name) || (!replayed && hasUnqualified(now.tables, name));
    const isExisting = (name: string) => !isNewTable(name) && isInProduction(name, step);
    return {
      ...step,
      isExisting,
      holdsRows: (name) =>
        isExisting(name) &&
        !isVersionTable(name, versionTable) &&
        !(direction === 'upgrade' && empty.has(name)) &&
        emptiedBefore.get(name) !== step.transaction,
      isLeftEmpty: (name) => emptiedBefore.get(name) === step.transaction,
      isVersionTable: (name) => isVersionTable(name, versionTable) && !isNewTable(name),
      isNewTable,
      isNewObject: (name) => now.objects.has(name),
      hasNewTrigger: (table) => now.tablesWithTrigger.has(table),
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
    isMaterializedView: (name: string) => facts.source.history.materializedViews.includes(unqualifiedName(name)),
    partitionsOf: (name: string) => {
      const isPartitioned = facts.source.history.partitionedTables.includes(unqualifiedName(name));
      const table = findTable(tables, name);
      return table ? table.partitions : isPartitioned ? [] : undefined;
    },
    findIndex: (name: string) => findIndex(tables, name),
  };
  return {
    part: { direction, facts: own, source, replayed, steps, idleSteps, tablesBefore: tables, tablesAfter: outcome, ...find },
    created,
  };
}

/** Whether a table is among others if schemas are ignored: the source may take the schema from a variable. */
function hasUnqualified(tables: Iterable<string>, name: string): boolean {
  return [...tables].some((table) => unqualifiedName(table) === unqualifiedName(name));
}

/** Tables that no statement creates, such as tables created within a function. */
function createdWithoutStatement(
  steps: readonly PlainStep[],
  before: RevisionFunction['tablesBefore'],
  after: RevisionFunction['tablesBefore'],
): readonly string[] {
  const renamed = new Set(
    steps.flatMap(({ action }) => (action.does === 'rename' && action.what === 'table' ? [action.to] : [])),
  );
  return Object.keys(after).filter((name) => !(name in before) && !renamed.has(unqualifiedName(name)));
}

/** Returns a check whether production has a table at a step, as far as the replay shows. Tables that the function drops do not count, except for the drop itself. */
function existenceCheck({
  facts,
  tablesBefore: tables,
  plain,
  replayed,
}: Pick<RevisionFunction, 'facts' | 'tablesBefore' | 'replayed'> & { plain: readonly PlainStep[] }): (
  name: string,
  step: PlainStep,
) => boolean {
  const locked = new Set(facts.statements.flatMap(({ locks }) => locks.map(({ table }) => table)));
  const actions = plain.map(({ action }) => action);
  const renamed = new Set(actions.flatMap((action) => (action.does === 'rename' && action.what === 'table' ? [action.to] : [])));
  // Nobody waits for a table that the function drops: no other lock on it matters.
  const dropped = new Set(actions.flatMap((action) => (action.does === 'drop' && action.what === 'table' ? action.names : [])));
  const nothingSeen = !facts.statements.length || facts.outcome === 'not_run';
  return (name, { action, observed }) => {
    const dropsIt = action.does === 'drop' && action.names.includes(name);
    if (dropped.has(name) && !dropsIt) return false;
    return (
      nothingSeen || !replayed || !observed || locked.has(name) || !!findTable(tables, name) || renamed.has(unqualifiedName(name))
    );
  };
}

/** Whether the SQL of a line is in autocommit blocks only: BEGIN and COMMIT are a transaction of their own there. */
export function inAutocommitBlock({ source }: RevisionFunction, line: number): boolean {
  const here = (source?.sql ?? []).filter((text) => text.line === line);
  return here.length > 0 && here.every((text) => text.inAutocommitBlock);
}
