import type { RevisionFunction, Step } from '../../revision/analyzed-revision';
import type { Rule, RuleFinding } from '../rule';

/** https://www.postgresql.org/docs/current/ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE-MAINTENANCE */
export const attachPartitionScan: Rule = {
  id: 'attach-partition-scan',
  group: 'locking',
  severity: 'error',
  title: 'ATTACH PARTITION reads the partition, or a new one the default partition, because no validated CHECK proves its bounds',
  *check({ upgrade }) {
    for (const step of upgrade.steps) {
      yield* defaultPartitionRead(step, upgrade);
      const { action, place } = step;
      if (action.does !== 'attach partition' || !holdsRows(step, upgrade) || hasCheck(step, upgrade)) continue;
      yield {
        ...place,
        message:
          `ATTACH PARTITION reads every row of ${action.partition} under an ACCESS EXCLUSIVE lock to prove its bounds: ` +
          `reads and writes of ${action.partition}, and of the default partition of ${action.table}, wait`,
        cost: { work: 'scan', tables: [action.partition] },
        instead: [
          `# in earlier revisions, add a CHECK on ${action.partition} with the same bounds NOT VALID, then validate it;`,
          '# ATTACH PARTITION then reads nothing, and the CHECK can be dropped',
        ].join('\n'),
      };
    }
  },
};

/** CREATE TABLE ... PARTITION OF reads the default partition, which may have rows of the new one. Only the replay knows it. */
function* defaultPartitionRead({ action, observed, isExisting, place }: Step, part: RevisionFunction): Iterable<RuleFinding> {
  if (action.does !== 'create table' || action.partitionOf === undefined) return;
  const others = part.findTable(action.partitionOf)?.partitions ?? [];
  const locked = (observed?.locks ?? []).filter(
    ({ relation, table, mode }) => relation === table && mode === 'AccessExclusiveLock',
  );
  const read = locked.map(({ table }) => table).find((table) => others.includes(table) && isExisting(table));
  if (!read || hasValidCheck(read, part)) return;
  yield {
    ...place,
    message:
      `CREATE TABLE ... PARTITION OF reads every row of the default partition ${read} under an ACCESS EXCLUSIVE lock, to prove that none belongs ` +
      `into ${action.table}: reads and writes of ${action.partitionOf} wait`,
    cost: { work: 'scan', tables: [read] },
    instead: [
      `# in earlier revisions, add a CHECK on ${read} that excludes the new bounds NOT VALID, then validate it;`,
      '# PostgreSQL then reads nothing, and the CHECK can be dropped',
    ].join('\n'),
  };
}

function hasValidCheck(table: string, part: RevisionFunction): boolean {
  return !!part.findTable(table)?.constraints.some(({ kind, validated }) => kind === 'check' && validated);
}

/** Whether the partition may have rows: reading one that the change created and left empty takes no time. */
function holdsRows({ action, isExisting, index }: Step, part: RevisionFunction): boolean {
  if (action.does !== 'attach partition') return false;
  if (isExisting(action.partition)) return true;
  return part.steps.some(
    (other) => other.index < index && other.action.does === 'insert' && other.action.table === action.partition,
  );
}

function hasCheck({ action, index }: Step, part: RevisionFunction): boolean {
  if (action.does !== 'attach partition') return false;
  const { partition } = action;
  if (hasValidCheck(partition, part)) return true;
  return part.steps.some(
    ({ action: earlier, index: at }) =>
      at < index &&
      earlier.does === 'add constraint' &&
      earlier.table === partition &&
      earlier.constraint.kind === 'check' &&
      !earlier.constraint.notValid,
  );
}
