import type { RevisionFunction, Step } from '../../revision/analyzed-revision';
import type { Rule } from '../rule';
import { exclusivelyLocked } from './locks';

/** Off by default, because the runner sets lock_timeout. Projects that run plain `alembic upgrade` turn the rule on. */
export const lockTimeoutMissing: Rule = {
  id: 'lock-timeout-missing',
  group: 'locking',
  severity: 'warning',
  optional: true,
  title: 'a table is locked without a lock_timeout',
  *check({ upgrade: part }) {
    const at = part.steps.findIndex((step) => exclusivelyLocked(step, part).length > 0);
    const step = part.steps[at];
    if (!step || setsLockTimeout(part, at)) return;
    const [table] = exclusivelyLocked(step, part);
    yield {
      ...step.place,
      message:
        `without a lock_timeout this waits for every running query of ${table}, however long, ` +
        'and all later reads and writes of it wait behind it',
      instead: 'op.execute("SET LOCAL lock_timeout = \'2s\'")  # or in env.py for all revisions',
    };
  },
};

function setsLockTimeout({ steps }: RevisionFunction, before: number): boolean {
  // 0 turns it off.
  const isSet = ({ action }: Step) => action.does === 'set' && action.name === 'lock_timeout' && action.value !== '0';
  return steps.slice(0, before).some(isSet);
}
