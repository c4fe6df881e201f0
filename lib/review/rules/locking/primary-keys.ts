import type { RevisionFunction, Step } from '../../revision/analyzed-revision';
import type { Rule } from '../rule';

/** https://www.postgresql.org/docs/current/logical-replication-publication.html#LOGICAL-REPLICATION-PUBLICATION-REPLICA-IDENTITY */
export const dropPrimaryKey: Rule = {
  id: 'drop-primary-key',
  group: 'locking',
  severity: 'error',
  title: 'a primary key is dropped and not replaced, or a table loses its replica identity',
  *check({ upgrade }) {
    for (const step of upgrade.steps) {
      const { action, isExisting, place } = step;
      if (action.does === 'set replica identity' && action.nothing && isExisting(action.table)) {
        yield {
          ...place,
          message:
            `with REPLICA IDENTITY NOTHING, every UPDATE and DELETE on ${action.table} fails as soon as it is replicated ` +
            '(a publication, a Blue/Green deployment)',
          instead: `op.execute("ALTER TABLE ${action.table} REPLICA IDENTITY DEFAULT")  # the primary key`,
        };
      }
      if (action.does !== 'drop constraint' || !isExisting(action.table) || !isPrimaryKey(step, upgrade)) continue;
      const { table, constraint } = action;
      const names = namesOfTable(step, upgrade);
      const replaced = upgrade.steps.some(
        ({ action: other }) =>
          (other.does === 'add constraint' && names.has(other.table) && other.constraint.kind === 'primary key') ||
          // Alembic's add_column(primary_key=True) makes no key.
          (other.does === 'add column' && names.has(other.table) && other.column.primaryKey && other.column.written) ||
          (other.does === 'set replica identity' && names.has(other.table) && !other.nothing),
      );
      if (replaced) continue;
      const isUnique = isUniqueAgain(step, upgrade);
      yield {
        ...place,
        ...(isUnique ? { atMost: 'warning' as const } : {}),
        message:
          `without ${constraint}, ${table} has no primary key: ${isUnique ? '' : 'two rows can have the same key, and '}if the table is replicated ` +
          '(a publication, a Blue/Green deployment), every UPDATE and DELETE on it fails, because it has no replica identity',
        instead: [
          '# first build a unique index on NOT NULL columns CONCURRENTLY; then, before this revision drops the key:',
          `op.execute("ALTER TABLE ${table} REPLICA IDENTITY USING INDEX <index>")`,
        ].join('\n'),
      };
    }
  },
};

/** The table's name at a step, and those that the upgrade gives it later. */
function namesOfTable({ action, index }: Step, { steps }: RevisionFunction): ReadonlySet<string> {
  const names = new Set('table' in action ? [action.table] : []);
  for (const { action: other, index: at } of steps)
    if (at > index && other.does === 'rename' && other.what === 'table' && names.has(other.from)) names.add(other.to);
  return names;
}

/** Whether a constraint or an index of the same columns takes the place of a dropped primary key. */
function isUniqueAgain(step: Step, part: RevisionFunction): boolean {
  const { action } = step;
  if (action.does !== 'drop constraint') return false;
  const names = namesOfTable(step, part);
  const key = part.findTable(action.table)?.constraints.find(({ name }) => name === action.constraint)?.columns;
  const isKey = (columns: readonly (string | null)[]) =>
    !key || (columns.length === key.length && columns.every((one) => one !== null && key.includes(one)));
  return part.steps.some(
    ({ action: other }) =>
      (other.does === 'add constraint' &&
        names.has(other.table) &&
        other.constraint.kind === 'unique' &&
        isKey(other.constraint.columns)) ||
      (other.does === 'create index' && names.has(other.table) && other.unique && isKey(other.columns)),
  );
}

function isPrimaryKey({ action }: Step, part: RevisionFunction): boolean {
  if (action.does !== 'drop constraint') return false;
  const known = part.findTable(action.table)?.constraints.find(({ name }) => name === action.constraint);
  // PostgreSQL's own name for it, and SQLAlchemy's convention.
  return known ? known.kind === 'primary key' : /_pkey$|^pk_/.test(action.constraint);
}
