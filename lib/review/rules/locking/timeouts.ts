import type { RevisionFunction, Step } from '../../revision/analyzed-revision';
import type { Rule, RuleFinding } from '../rule';
import { exclusivelyLocked } from './locks';

/** Once for the project, which sets it in env.py for all revisions. The runner sets it by itself. */
export const lockTimeoutMissing: Rule = {
  id: 'lock-timeout-missing',
  group: 'locking',
  severity: 'warning',
  title: '"alembic upgrade" locks a table without a lock_timeout, or the revision sets a long one',
  *check({ upgrade }) {
    for (const step of upgrade.steps) yield* longTimeout(step, upgrade);
  },
  *checkProject({ input: { environment, plainAlembic, graph }, revisions }) {
    if (!plainAlembic || !environment || environment.lockTimeout) return;
    const [locked] = revisions.flatMap(({ facts, upgrade }) =>
      lockedWithoutTimeout(upgrade).map((table) => ({ table, revision: facts.revision })),
    );
    if (!locked) return;
    const { table, revision } = locked;
    yield {
      file: environment.file,
      line: 1,
      seen: 'source',
      message:
        `neither env.py nor ${revision} sets a lock_timeout: in "${graph.command ?? 'alembic'} upgrade", ${revision} waits for every running ` +
        `query of ${table}, however long, and all later reads and writes of ${table} wait behind it`,
      instead: [
        '# an argument of the call in env.py that creates the engine, such as engine_from_config or create_async_engine;',
        '# for asyncpg: connect_args={"server_settings": {"lock_timeout": "2s"}}',
        'connect_args={"options": "-c lock_timeout=2s"}',
      ].join('\n'),
    };
  },
};

/** Whoever waits for a lock makes all later statements on the table wait as well. */
const LONG_WAIT = 30_000;

/** A lock_timeout of minutes, or none, before a lock. It takes the place of the one in env.py, or of the runner's. */
function* longTimeout({ action, index, place }: Step, part: RevisionFunction): Iterable<RuleFinding> {
  if (action.does !== 'set' || action.name !== 'lock_timeout') return;
  const wait = milliseconds(action.value);
  if (wait === undefined || (wait > 0 && wait <= LONG_WAIT)) return;
  const later = part.steps.filter((step) => step.index > index);
  const next = later.findIndex(({ action: one }) => 'name' in one && one.name === 'lock_timeout');
  const [table] = later.slice(0, next < 0 ? undefined : next).flatMap((step) => exclusivelyLocked(step, part));
  if (table === undefined) return;
  yield {
    ...place,
    message:
      `the lock on ${table} is waited for ${wait ? `up to ${action.value}` : 'without a limit'}: all later reads and writes of ${table} wait ` +
      'behind it, as long as one query runs',
    instead: '# short, and run the revision again if it ends the wait:\nop.execute("SET LOCAL lock_timeout = \'2s\'")',
  };
}

const UNITS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 };

/** https://www.postgresql.org/docs/current/config-setting.html#CONFIG-SETTING-NAMES-VALUES */
function milliseconds(value = ''): number | undefined {
  const [, amount, unit = 'ms'] = /^\s*(\d+(?:\.\d+)?)\s*(us|ms|s|min|h|d)?\s*$/.exec(value) ?? [];
  return amount === undefined ? undefined : Number(amount) * (UNITS[unit] ?? 1);
}

/** The existing tables that a function locks against reads before it sets a lock_timeout. */
function lockedWithoutTimeout(part: RevisionFunction): readonly string[] {
  // 0 turns it off.
  const isSet = ({ action }: Step) => action.does === 'set' && action.name === 'lock_timeout' && action.value !== '0';
  const set = part.steps.findIndex(isSet);
  return part.steps.slice(0, set < 0 ? undefined : set).flatMap((step) => exclusivelyLocked(step, part));
}
