import type { RevisionFunction, Step } from '../../revision/analyzed-revision';
import type { Rule } from '../rule';

/** https://www.postgresql.org/docs/current/ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE-MAINTENANCE */
export const attachPartitionScan: Rule = {
  id: 'attach-partition-scan',
  group: 'locking',
  severity: 'error',
  title: 'ATTACH PARTITION reads the partition because no validated CHECK proves its bounds',
  *check({ upgrade }) {
    for (const step of upgrade.steps) {
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
  if (part.findTable(partition)?.constraints.some(({ kind, validated }) => kind === 'check' && validated)) return true;
  return part.steps.some(
    ({ action: earlier, index: at }) =>
      at < index &&
      earlier.does === 'add constraint' &&
      earlier.table === partition &&
      earlier.constraint.kind === 'check' &&
      !earlier.constraint.notValid,
  );
}
