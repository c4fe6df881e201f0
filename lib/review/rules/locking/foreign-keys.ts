import type { ConstraintFacts } from '../../../contract/facts';
import { autocommit, conventionalName, list, literal, tableArguments } from '../../advice/python';
import type { AnalyzedRevision, RevisionFunction, Step } from '../../revision/analyzed-revision';
import type { ConstraintDefinition } from '../../sql/action';
import { sameKeyType } from '../../sql/column-types';
import { nameList } from '../name-list';
import type { Rule } from '../rule';

/** PostgreSQL does not index a foreign key's columns: a delete in the referenced table reads this whole table. */
export const foreignKeyWithoutIndex: Rule = {
  id: 'foreign-key-without-index',
  group: 'locking',
  severity: 'warning',
  title: 'the columns of a foreign key have no index',
  *check(revision, change) {
    const part = revision.upgrade;
    const later = change.after(revision);
    const unindexed = foreignKeys(part).filter(
      ({ table, constraint }) =>
        !hasIndex(revision, table, constraint.columns) && !later.some((next) => hasIndex(next, table, constraint.columns)),
    );
    const onNewTables = unindexed.filter(({ step, table }) => !step.isExisting(table));
    for (const keys of [
      ...unindexed.filter((key) => !onNewTables.includes(key)).map((key) => [key]),
      ...(onNewTables.length ? [onNewTables] : []),
    ]) {
      const [{ step, table, constraint }] = keys as [ForeignKey];
      const name = conventionalName('ix', table, constraint.columns);
      const written = tableArguments(table);
      const which = keys.map((key) => `${key.constraint.columns.join(', ')} of ${key.table}`);
      yield {
        ...step.place,
        message:
          `no index starts with ${nameList(which)}: every delete and key update in ` +
          `${keys.length > 1 ? 'the referenced tables' : (constraint.references?.table ?? 'the referenced table')} ` +
          `reads all of ${keys.length > 1 ? 'these tables' : table} while it holds its locks`,
        instead: step.isExisting(table)
          ? autocommit(
              `op.create_index(${literal(name)}, ${written.table}, ${list(constraint.columns)}${written.schema}, postgresql_concurrently=True)`,
            )
          : `op.create_index(${literal(name)}, ${written.table}, ${list(constraint.columns)}${written.schema})`,
      };
    }
  },
};

export const foreignKeyTypeMismatch: Rule = {
  id: 'foreign-key-type-mismatch',
  group: 'locking',
  severity: 'warning',
  title: 'a foreign key column and the column that it refers to have different types',
  *check({ upgrade: part, facts }) {
    const typeOf = (table: string, column: string, tables = facts.after) =>
      tables[table]?.columns.find(({ name }) => name === column)?.type;
    for (const { step, table, constraint } of foreignKeys(part)) {
      const target = constraint.references?.table ?? '';
      const isAlike = ({ kind, columns, references }: ConstraintFacts) =>
        kind === 'foreign key' && columns.join() === constraint.columns.join() && references?.table === target;
      const replaced = facts.before[table]?.constraints.find(isAlike);
      const keepTypes = (of: string, columns: readonly string[] = []) =>
        columns.every((column) => typeOf(of, column) === typeOf(of, column, facts.before));
      // One that it replaces, or joins, had the types already.
      if (replaced && keepTypes(table, replaced.columns) && keepTypes(target, replaced.references?.columns)) continue;
      const seen = facts.after[table]?.constraints.find(isAlike);
      const remote = seen?.references?.columns ?? constraint.references?.columns ?? [];
      for (const [at, column] of constraint.columns.entries()) {
        const [own, other] = [typeOf(table, column), typeOf(target, remote[at] ?? '')];
        if (own === undefined || other === undefined || sameKeyType(own, other)) continue;
        yield {
          ...step.place,
          message:
            `${table}.${column} is ${own} and refers to ${target}.${remote[at]}, which is ${other}: ` +
            'values that fit one may not fit the other, and each check converts them',
          instead: `# use the type of ${target}.${remote[at]}, ${other}, here and in the model`,
        };
      }
    }
  },
};

interface ForeignKey {
  readonly step: Step;
  readonly table: string;
  readonly constraint: ConstraintDefinition;
}

function foreignKeys({ steps }: RevisionFunction): readonly ForeignKey[] {
  return steps.flatMap((step) => {
    const { action } = step;
    const added =
      action.does === 'create table' ? action.constraints : action.does === 'add constraint' ? [action.constraint] : [];
    return added.flatMap((constraint) =>
      constraint.kind === 'foreign key' && 'table' in action ? [{ step, table: action.table, constraint }] : [],
    );
  });
}

/** Whether an index starts with the columns, in any order. */
function hasIndex({ facts, upgrade }: AnalyzedRevision, table: string, columns: readonly string[]): boolean {
  const startsWithColumns = (indexed: readonly (string | null)[]) =>
    columns.length > 0 && columns.every((column) => indexed.slice(0, columns.length).includes(column));
  const after = facts.after[table];
  // The key's table or column was dropped again.
  if (upgrade.replayed && facts.changes && !after && upgrade.tablesBefore[table]) return true;
  return (
    (after?.indexes.some((index) => startsWithColumns(index.columns) && !index.partial) ?? false) ||
    upgrade.steps.some(
      ({ action }) =>
        (action.does === 'create index' && action.table === table && startsWithColumns(action.columns)) ||
        (action.does === 'create table' &&
          action.table === table &&
          (action.constraints.some(
            ({ kind, columns: keys }) => (kind === 'unique' || kind === 'primary key') && startsWithColumns(keys),
          ) ||
            startsWithColumns(action.columns.filter(({ primaryKey }) => primaryKey).map(({ name }) => name)))) ||
        (action.does === 'add constraint' &&
          action.table === table &&
          (action.constraint.kind === 'unique' || action.constraint.kind === 'primary key') &&
          startsWithColumns(action.constraint.columns)),
    )
  );
}
