import type { RevisionFunction, Step } from '../../revision/analyzed-revision';
import type { Rule } from '../rule';
import { exclusivelyLocked } from './locks';

/** Once for the project, which sets it in env.py for all revisions. The runner sets it by itself. */
export const lockTimeoutMissing: Rule = {
  id: 'lock-timeout-missing',
  group: 'locking',
  severity: 'warning',
  title: '"alembic upgrade" locks a table without a lock_timeout',
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
        '# for psycopg and psycopg2; for asyncpg: connect_args={"server_settings": {"lock_timeout": "2s"}}',
        'connectable = engine_from_config(',
        '    config.get_section(config.config_ini_section),',
        '    prefix="sqlalchemy.",',
        '    connect_args={"options": "-c lock_timeout=2s"},',
        ')',
      ].join('\n'),
    };
  },
};

/** The existing tables that a function locks against reads before it sets a lock_timeout. */
function lockedWithoutTimeout(part: RevisionFunction): readonly string[] {
  // 0 turns it off.
  const isSet = ({ action }: Step) => action.does === 'set' && action.name === 'lock_timeout' && action.value !== '0';
  const set = part.steps.findIndex(isSet);
  return part.steps.slice(0, set < 0 ? undefined : set).flatMap((step) => exclusivelyLocked(step, part));
}
