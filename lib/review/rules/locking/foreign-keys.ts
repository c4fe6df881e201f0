import { autocommit, conventionalName, list, literal, tableArguments } from '../../advice/python';
import type { Part, Reviewed, Step } from '../../revision/reviewed';
import type { ConstraintDefinition } from '../../sql/action';
import { sameKeyType } from '../../sql/column-types';
import type { Rule } from '../rule';
import { some } from '../words';

/** PostgreSQL does not index a foreign key's columns: a delete in the referenced table reads this whole table. */
export const foreignKeyWithoutIndex: Rule = {
  id: 'foreign-key-without-index',
  group: 'locking',
  severity: 'warning',
  title: 'the columns of a foreign key have no index',
  *check(revision, change) {
    const part = revision.upgrade;
    const later = change.after(revision);
    const bare = foreignKeys(part).filter(
      ({ table, constraint }) =>
        !hasIndex(revision, table, constraint.columns) && !later.some((next) => hasIndex(next, table, constraint.columns)),
    );
    const fresh = bare.filter(({ step, table }) => !step.isExisting(table));
    for (const keys of [...bare.filter((key) => !fresh.includes(key)).map((key) => [key]), ...(fresh.length ? [fresh] : [])]) {
      const [{ step, table, constraint }] = keys as [ForeignKey];
      const name = conventionalName('ix', table, constraint.columns);
      const written = tableArguments(table);
      const which = keys.map((key) => `${key.constraint.columns.join(', ')} of ${key.table}`);
      yield {
        ...step.place,
        message:
          `no index starts with ${some(which)}: every delete and key update in ` +
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
    const typeOf = (table: string, column: string) => facts.after[table]?.columns.find(({ name }) => name === column)?.type;
    for (const { step, table, constraint } of foreignKeys(part)) {
      const target = constraint.references?.table ?? '';
      const seen = facts.after[table]?.constraints.find(
        ({ kind, columns, references }) =>
          kind === 'foreign key' && columns.join() === constraint.columns.join() && references?.table === target,
      );
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

function foreignKeys({ steps }: Part): readonly ForeignKey[] {
  return steps.flatMap((step) => {
    const { action } = step;
    const added =
      action.does === 'create table' ? action.constraints : action.does === 'add constraint' ? [action.constraint] : [];
    return added.flatMap((constraint) =>
      constraint.kind === 'foreign key' && 'table' in action ? [{ step, table: action.table, constraint }] : [],
    );
  });
}

/** The first columns of an index, in any order. */
function hasIndex({ facts, upgrade }: Reviewed, table: string, columns: readonly string[]): boolean {
  const begins = (indexed: readonly (string | null)[]) =>
    columns.length > 0 && columns.every((column) => indexed.slice(0, columns.length).includes(column));
  const after = facts.after[table];
  // The key's table or column was dropped again.
  if (upgrade.replayed && facts.changes && !after && upgrade.tables[table]) return true;
  return (
    (after?.indexes.some((index) => begins(index.columns) && !index.partial) ?? false) ||
    upgrade.steps.some(
      ({ action }) =>
        (action.does === 'create index' && action.table === table && begins(action.columns)) ||
        (action.does === 'create table' &&
          action.table === table &&
          (action.constraints.some(({ kind, columns: keys }) => (kind === 'unique' || kind === 'primary key') && begins(keys)) ||
            begins(action.columns.filter(({ primaryKey }) => primaryKey).map(({ name }) => name)))) ||
        (action.does === 'add constraint' &&
          action.table === table &&
          (action.constraint.kind === 'unique' || action.constraint.kind === 'primary key') &&
          begins(action.constraint.columns)),
    )
  );
}
