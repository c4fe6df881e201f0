import type { Lock } from '../../../contract/facts';
import {
  checkInSteps,
  domainCheckInSteps,
  foreignKeyInSteps,
  foreignKeyOnPartitions,
  keyInSteps,
  notNullInSteps,
  validate,
} from '../../advice/constraints';
import type { AnalyzedRevision, RevisionFunction, Step } from '../../revision/analyzed-revision';
import { isNotNullBefore, isNotNullMeanwhile, isRequiredWhileEmpty } from '../../revision/not-null';
import { readsRows } from '../../revision/steps';
import type { ActionOf } from '../../sql/action';
import { nameList } from '../name-list';
import type { Rule, RuleFinding, RuleInfo } from '../rule';
import { andCommits, lockEnd, readsMeanwhile } from './locks';
import { provedNotNull } from './proofs';

type AddConstraint = Step & { readonly action: ActionOf<'add constraint'> };

/** A rule about the constraints that a revision adds to existing tables. `postgres` is the server's major version. */
function constraintRule(
  info: Omit<RuleInfo, 'group' | 'severity'>,
  check: (
    step: AddConstraint,
    part: RevisionFunction,
    postgres: number,
  ) => Pick<RuleFinding, 'message' | 'instead' | 'cost'> | undefined,
): Rule {
  return {
    ...info,
    group: 'locking',
    severity: 'error',
    *check({ upgrade }, { input }) {
      for (const step of upgrade.steps) {
        const { action, holdsRows, place } = step;
        if (action.does !== 'add constraint' || !holdsRows(action.table)) continue;
        const found = check({ ...step, action }, upgrade, Number.parseInt(input.postgres ?? '18', 10));
        if (found) yield { ...place, ...found };
      }
    },
  };
}

/** https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-ADD-TABLE-CONSTRAINT */
export const foreignKeyNotValid = constraintRule(
  { id: 'foreign-key-not-valid', title: 'a foreign key on an existing table is added without NOT VALID' },
  (step, part, postgres) => {
    const { action, call, isNewColumn, isNewTable } = step;
    const { table, constraint } = action;
    const { kind, notValid, references, columns } = constraint;
    // PostgreSQL reads the whole table even if the change just added the column and it is empty.
    if (kind !== 'foreign key' || notValid) return undefined;
    const target = references?.table || 'the referenced table';
    const partitions = postgres < 18 ? part.findTable(table)?.partitions : undefined;
    const isAlone = target === table || isNewTable(target);
    const isEmpty = columns.length > 0 && columns.every((column) => isNewColumn(table, column));
    return {
      message:
        `adding the foreign key takes a SHARE ROW EXCLUSIVE lock on ${table}${isAlone ? '' : ` and on ${target}`}: ` +
        `writes to ${isAlone ? 'it' : 'both'} wait while every row of ${table} is ${isEmpty ? 'read' : 'checked'}; ` +
        readsMeanwhile(step, part, [table, target]) +
        (isEmpty || target === table ? '' : failsOnValues(step, part, target)),
      cost: { work: 'look up', tables: [table], ...(references ? { references: references.table } : {}) },
      instead: partitions ? foreignKeyOnPartitions(table, constraint, partitions) : foreignKeyInSteps(table, constraint, call),
    };
  },
);

/** What a foreign key to a table without rows means for existing ones. Python may have written rows from those that it has read. */
function failsOnValues({ action, isLeftEmpty }: AddConstraint, { source }: RevisionFunction, target: string): string {
  if (!isLeftEmpty(target) || !source || readsRows(source)) return '';
  const { table, constraint } = action;
  return `; ${target} has no rows then, so the revision fails if a row of ${table} has a value in ${nameList(constraint.columns)}`;
}

const checkOfTable = constraintRule(
  { id: 'check-not-valid', title: 'a CHECK on an existing table or domain is added without NOT VALID' },
  ({ action: { table, constraint }, call, transaction }) => {
    if (constraint.kind !== 'check' || constraint.notValid) return undefined;
    return {
      message:
        `adding the CHECK takes an ACCESS EXCLUSIVE lock on ${table}: ` +
        `reads and writes wait while every row is checked${transaction < 0 ? '' : ', and until the revision commits'}`,
      cost: { work: 'scan', tables: [table] },
      instead: checkInSteps(table, constraint, call),
    };
  },
);

/** https://www.postgresql.org/docs/current/sql-alterdomain.html#SQL-ALTERDOMAIN-NOTES */
export const checkNotValid: Rule = {
  ...checkOfTable,
  *check(revision, change) {
    yield* checkOfTable.check?.(revision, change) ?? [];
    for (const step of revision.upgrade.steps) {
      const { action, observed, isExisting, place } = step;
      if (action.does !== 'add domain constraint' || action.constraint?.notValid) continue;
      const tables = observed ? tablesWithShareLock(observed.locks).filter(isExisting) : ['each table'];
      const isNew = revision.upgrade.steps.some(
        ({ action: other }) => other.does === 'create type' && other.type === action.domain,
      );
      if (!tables.length || isNew) continue;
      yield {
        ...place,
        message:
          `PostgreSQL checks every row of ${nameList(tables)}, where the domain ${action.domain} is used, under a SHARE lock: ` +
          `writes wait until ${lockEnd(step)}`,
        ...(observed ? { cost: { work: 'scan', tables } } : {}),
        instead: domainCheckInSteps(action.domain, action.constraint),
      };
    }
  },
};

function tablesWithShareLock(locks: readonly Lock[]): readonly string[] {
  return [...new Set(locks.filter(({ mode }) => mode === 'ShareLock').map(({ table }) => table))];
}

export const constraintBuildsIndex = constraintRule(
  { id: 'constraint-builds-index', title: 'a UNIQUE, PRIMARY KEY or EXCLUDE constraint builds its index under the lock' },
  (step) => {
    const { table, constraint } = step.action;
    const { kind, usingIndex } = constraint;
    if ((kind !== 'unique' && kind !== 'primary key' && kind !== 'exclude') || usingIndex) return undefined;
    return {
      message:
        `adding the constraint (${kind}) builds its index under an ACCESS EXCLUSIVE lock on ${table}: ` +
        `reads and writes wait until the index is built${andCommits(step)}`,
      cost: { work: 'index', tables: [table], columns: constraint.columns },
      instead: kind === 'exclude' ? undefined : keyInSteps(table, constraint),
    };
  },
);

/** The lock of ADD CONSTRAINT is held while VALIDATE reads the table: the two steps only help in two transactions. */
export const validateInSameTransaction: Rule = {
  id: 'validate-in-same-transaction',
  group: 'locking',
  severity: 'error',
  title: 'a constraint is validated in the transaction that added it NOT VALID',
  *check({ upgrade }) {
    const added = new Map<string, Step>();
    for (const step of upgrade.steps) {
      const { action, isExisting, place, transaction } = step;
      if (action.does === 'add constraint' && action.constraint.notValid && action.constraint.name && transaction >= 0) {
        added.set(`${action.table} ${action.constraint.name}`, step);
      }
      if (action.does !== 'validate' || !isExisting(action.table)) continue;
      const first = added.get(`${action.table} ${action.constraint}`);
      if (!first || first.transaction !== transaction || first.action.does !== 'add constraint') continue;
      const foreign = first.action.constraint.kind === 'foreign key';
      yield {
        ...place,
        message:
          `${action.constraint} is validated in the transaction that added it: the ${foreign ? 'SHARE ROW' : 'ACCESS'} EXCLUSIVE lock ` +
          `on ${action.table} is still held, so ${foreign ? 'writes' : 'reads and writes'} wait while every row is checked`,
        cost: { work: foreign ? 'look up' : 'scan', tables: [action.table] },
        instead: ['# in the next revision, and so in another transaction:', validate(action.table, action.constraint)].join('\n'),
      };
    }
  },
};

/** "if a valid CHECK constraint is found which proves no NULL can exist, then the table scan is skipped" (ALTER TABLE, since 12). */
export const setNotNullScan: Rule = {
  id: 'set-not-null-scan',
  group: 'locking',
  severity: 'error',
  title: 'SET NOT NULL reads the whole table because no validated CHECK proves it',
  *check(revision, change) {
    const before = change.before(revision).flatMap(({ upgrade }) => upgrade.steps);
    for (const step of revision.upgrade.steps) {
      const scanned = scanFinding(step, revision, before);
      if (scanned) yield { ...step.place, ...scanned };
    }
  },
};

function scanFinding(
  step: Step,
  revision: AnalyzedRevision,
  before: readonly Step[],
): Pick<RuleFinding, 'message' | 'instead' | 'cost'> | undefined {
  const { action, holdsRows } = step;
  const { upgrade: part } = revision;
  const column =
    action.does === 'set not null'
      ? action.column
      : action.does === 'add constraint' && action.constraint.kind === 'not null' && !action.constraint.notValid
        ? action.constraint.columns[0]
        : undefined;
  if (column === undefined || !('table' in action) || !holdsRows(action.table) || isRequiredWhileEmpty(step, part))
    return undefined;
  const { table } = action;
  const found = part.findTable(table)?.columns.find(({ name }) => name === column);
  if (isNotNullMeanwhile(step, part, table, column)) return undefined;
  if (found ? found.notNull : wasNotNull(step, revision, table, column)) return undefined;
  if (provedNotNull(step, part, before, table, column)) return undefined;
  return {
    message:
      `SET NOT NULL on ${table}.${column} reads every row under an ACCESS EXCLUSIVE lock: ` +
      'reads and writes of the table wait, because no validated CHECK lets PostgreSQL skip the scan',
    cost: { work: 'scan', tables: [table] },
    instead: notNullInSteps(table, column),
  };
}

/** Whether the source shows that a column is NOT NULL before the step. */
function wasNotNull({ call }: Step, { facts, upgrade, downgrade }: AnalyzedRevision, table: string, column: string): boolean {
  return (
    call?.keywords.existing_nullable === false ||
    isNotNullBefore(facts.source.history, table, column) ||
    staysNotNull(downgrade, table, [column, ...newNames(upgrade, table, column)])
  );
}

/** The new names of a column: `alter_column(..., new_column_name=..., nullable=False)`. */
function newNames({ steps }: RevisionFunction, table: string, column: string): readonly string[] {
  return steps.flatMap(({ action }) =>
    action.does === 'rename' && action.what === 'column' && action.table === table && action.from === column ? [action.to] : [],
  );
}

/** Whether a downgrade leaves a column NOT NULL, so that it was so before: `alter_column(..., type_=..., nullable=False)` in both directions. */
function staysNotNull({ steps }: RevisionFunction, table: string, names: readonly string[]): boolean {
  const does = steps.flatMap(({ action }) => {
    return 'column' in action && action.table === table && typeof action.column === 'string' && names.includes(action.column)
      ? [action.does]
      : [];
  });
  return does.includes('set not null') && !does.includes('drop not null');
}
