import { autocommit, conventionalName, execute, list, literal, tableArguments } from '../../advice/python';
import type { Part, Step } from '../../revision/reviewed';
import type { ConstraintDefinition } from '../../sql/action';
import type { Found, Rule, RuleInfo } from '../rule';
import { provedNotNull } from './proofs';

/** A rule about the constraints that a revision adds to existing tables. */
function constraintRule(
  info: Omit<RuleInfo, 'group' | 'severity'>,
  check: (table: string, constraint: ConstraintDefinition) => Pick<Found, 'message' | 'instead'> | undefined,
): Rule {
  return {
    ...info,
    group: 'locking',
    severity: 'error',
    *check({ upgrade }) {
      for (const { action, isExisting, place } of upgrade.steps) {
        if (action.does !== 'add constraint' || !isExisting(action.table)) continue;
        const found = check(action.table, action.constraint);
        if (found) yield { ...place, ...found };
      }
    },
  };
}

/** https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-ADD-TABLE-CONSTRAINT */
export const foreignKeyNotValid = constraintRule(
  { id: 'foreign-key-not-valid', title: 'a foreign key of an existing table is added without NOT VALID' },
  (table, { kind, notValid, name, columns, references }) => {
    if (kind !== 'foreign key' || notValid) return undefined;
    const target = references?.table || 'the table that it refers to';
    const given = name ?? conventionalName('fk', table, columns, references?.table);
    const written = tableArguments(table);
    const source = written.schema.replace('schema', 'source_schema');
    const remote = references?.columns.length ? references.columns : ['id'];
    return {
      message:
        `adding the foreign key takes a SHARE ROW EXCLUSIVE lock on ${table}${target === table ? '' : ` and on ${target}`}: ` +
        `writes to ${target === table ? 'it' : 'both'} wait while every row of ${table} is checked, reads go on`,
      instead: [
        `op.create_foreign_key(${literal(given)}, ${written.table}, ${literal(references?.table ?? '...')}, ` +
          `${list(columns)}, ${list(remote)}${source}, postgresql_not_valid=True)`,
        '# and in the next revision, where writes go on while it is checked:',
        execute(`ALTER TABLE ${table} VALIDATE CONSTRAINT ${given}`),
      ].join('\n'),
    };
  },
);

export const checkNotValid = constraintRule(
  { id: 'check-not-valid', title: 'a CHECK of an existing table is added without NOT VALID' },
  (table, { kind, notValid, name, columns }) => {
    if (kind !== 'check' || notValid) return undefined;
    const given = name ?? conventionalName('ck', table, columns);
    const written = tableArguments(table);
    return {
      message:
        `adding the CHECK takes an ACCESS EXCLUSIVE lock on ${table}: ` +
        'reads and writes wait while every row is checked, and until the revision commits',
      instead: [
        `op.create_check_constraint(${literal(given)}, ${written.table}, "..."${written.schema}, postgresql_not_valid=True)`,
        '# and in the next revision, where reads and writes go on while it is checked:',
        execute(`ALTER TABLE ${table} VALIDATE CONSTRAINT ${given}`),
      ].join('\n'),
    };
  },
);

export const constraintBuildsIndex = constraintRule(
  { id: 'constraint-builds-index', title: 'a UNIQUE, PRIMARY KEY or EXCLUDE constraint builds its index under the lock' },
  (table, { kind, name, columns, usingIndex }) => {
    if ((kind !== 'unique' && kind !== 'primary key' && kind !== 'exclude') || usingIndex) return undefined;
    const given = name ?? conventionalName(kind === 'unique' ? 'uq' : 'pk', table, columns);
    const written = tableArguments(table);
    const message =
      `adding the constraint (${kind}) builds its index under an ACCESS EXCLUSIVE lock on ${table}: ` +
      'reads and writes wait until the index is built and the revision commits';
    if (kind === 'exclude') return { message };
    return {
      message,
      instead: [
        autocommit(
          `op.create_index(${literal(given)}, ${written.table}, ${list(columns)}${written.schema}, unique=True, postgresql_concurrently=True)`,
        ),
        '# and in the next revision:',
        execute(`ALTER TABLE ${table} ADD CONSTRAINT ${given} ${kind.toUpperCase()} USING INDEX ${given}`),
      ].join('\n'),
    };
  },
);

/** The lock of ADD CONSTRAINT is held while VALIDATE reads the table: the two steps are worth something in two transactions only. */
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
          `on ${action.table} is still held, so that ${foreign ? 'writes' : 'reads and writes'} wait while every row is checked`,
        instead: [
          '# in a revision of its own, which is a transaction of its own:',
          execute(`ALTER TABLE ${action.table} VALIDATE CONSTRAINT ${action.constraint}`),
        ].join('\n'),
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
  *check({ upgrade }) {
    for (const step of upgrade.steps) {
      const scanned = scannedBy(step, upgrade);
      if (scanned) yield { ...step.place, ...scanned };
    }
  },
};

function scannedBy(step: Step, part: Part): Pick<Found, 'message' | 'instead'> | undefined {
  const { action, isExisting } = step;
  const column =
    action.does === 'set not null'
      ? action.column
      : action.does === 'add constraint' && action.constraint.kind === 'not null' && !action.constraint.notValid
        ? action.constraint.columns[0]
        : undefined;
  if (column === undefined || !('table' in action) || !isExisting(action.table)) return undefined;
  const { table } = action;
  if (part.findTable(table)?.columns.some(({ name, notNull }) => name === column && notNull)) return undefined;
  if (provedNotNull(step, part, table, column)) return undefined;
  const check = conventionalName('ck', table, [column, 'not_null']);
  const written = tableArguments(table);
  return {
    message:
      `SET NOT NULL on ${table}.${column} reads every row under an ACCESS EXCLUSIVE lock: ` +
      'reads and writes of the table wait, and no validated CHECK spares it',
    instead: [
      `op.create_check_constraint(${literal(check)}, ${written.table}, "${column} IS NOT NULL"${written.schema}, postgresql_not_valid=True)`,
      '# and in the next revision:',
      execute(`ALTER TABLE ${table} VALIDATE CONSTRAINT ${check}`),
      `op.alter_column(${written.table}, ${literal(column)}, nullable=False${written.schema})`,
      `op.drop_constraint(${literal(check)}, ${written.table}, type_="check"${written.schema})`,
    ].join('\n'),
  };
}
