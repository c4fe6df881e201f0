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
      const replaced = upgrade.steps.some(
        ({ action: other }) =>
          (other.does === 'add constraint' && other.table === table && other.constraint.kind === 'primary key') ||
          (other.does === 'set replica identity' && other.table === table && !other.nothing),
      );
      if (replaced) continue;
      yield {
        ...place,
        message:
          `without ${constraint}, ${table} has no primary key: two rows can have the same key, and if the table is replicated ` +
          '(a publication, a Blue/Green deployment), every UPDATE and DELETE on it fails, because it has no replica identity',
        instead: [
          '# first build a unique index on NOT NULL columns CONCURRENTLY; then, before this revision drops the key:',
          `op.execute("ALTER TABLE ${table} REPLICA IDENTITY USING INDEX <index>")`,
        ].join('\n'),
      };
    }
  },
};

function isPrimaryKey({ action }: Step, part: RevisionFunction): boolean {
  if (action.does !== 'drop constraint') return false;
  const known = part.findTable(action.table)?.constraints.find(({ name }) => name === action.constraint);
  // PostgreSQL's own name for it, and SQLAlchemy's convention.
  return known ? known.kind === 'primary key' : /_pkey$|^pk_/.test(action.constraint);
}
