import { execute } from '../advice/python';
import { quotedTable } from '../advice/sql';
import type { RevisionFunction, Step } from '../revision/analyzed-revision';
import { nameList } from './name-list';
import type { Rule, RuleFinding } from './rule';

/** https://www.postgresql.org/docs/current/sql-set.html: a SET lasts until the end of the session, SET LOCAL until the end of the transaction */
export const sessionStateLeft: Rule = {
  id: 'session-state-left',
  group: 'transactions',
  severity: 'warning',
  title: 'a setting, a role or a lock stays on the session after the revision',
  *check({ parts }) {
    for (const part of parts) {
      yield* settingsLeft(part);
      yield* locksLeft(part);
    }
  },
};

/** Settings that change what later statements do. session_replication_role is reported by trigger-disabled. */
const LASTING_SETTINGS =
  /^(?:search_path|role|session_authorization|timezone|synchronous_commit|(?:lock|statement|idle_in_transaction_session)_timeout|(?:default_)?transaction_(?:read_only|isolation|deferrable))$/;

function* settingsLeft({ steps }: RevisionFunction): Iterable<RuleFinding> {
  const left = steps.filter(({ action, index }) => {
    if (action.does !== 'set' || action.isLocal || !LASTING_SETTINGS.test(action.name)) return false;
    const { name } = action;
    return !steps.some(
      ({ action: later, index: at }) => at > index && later.does === 'reset' && (later.name === name || later.name === 'all'),
    );
  });
  const [first] = left;
  if (first?.action.does !== 'set') return;
  const names = [...new Set(left.flatMap(({ action }) => (action.does === 'set' ? [action.name] : [])))];
  const isOne = names.length === 1;
  yield {
    ...first.place,
    message:
      `${nameList(names)} ${isOne ? 'stays' : 'stay'} set after the revision: ${isOne ? 'it changes' : 'they change'} what later revisions of the run ` +
      'do, which depends on which ones are pending; behind a pooler, other clients get the session too',
    instead:
      first.transaction < 0
        ? `# after the statements that need it:\n${execute(`RESET ${first.action.name}`)}`
        : `# until the end of this transaction only: SET LOCAL ${first.action.name} = ...`,
  };
}

function* locksLeft({ steps }: RevisionFunction): Iterable<RuleFinding> {
  const lock = steps.find(({ action }) => action.does === 'lock session');
  if (!lock || steps.some(({ action }) => action.does === 'unlock session')) return;
  yield {
    ...lock.place,
    message:
      'the session holds this advisory lock after the revision, also if it fails: whoever takes it waits until the session ends, which a ' +
      'pooler may keep open',
    instead: '# released when the transaction ends: pg_advisory_xact_lock(...)',
  };
}

/** https://www.postgresql.org/docs/current/sql-createtable.html#RELOPTION-AUTOVACUUM-ENABLED */
export const autovacuumLeftOff: Rule = {
  id: 'autovacuum-left-off',
  group: 'data migrations',
  severity: 'warning',
  title: 'autovacuum stays off for a table',
  *check({ upgrade: { steps } }) {
    const last = new Map<string, Step>();
    for (const step of steps) if (step.action.does === 'set autovacuum') last.set(step.action.table, step);
    for (const [table, { action, place }] of last) {
      if (action.does !== 'set autovacuum' || action.isOn) continue;
      yield {
        ...place,
        message:
          `autovacuum stays off for ${table}: updated and deleted rows keep their space, the planner's statistics get old and its plans slow, ` +
          'until the server must vacuum the whole table to prevent wraparound',
        instead: `# when the bulk work is done, in the same revision:\n${execute(`ALTER TABLE ${quotedTable(table)} RESET (autovacuum_enabled)`)}`,
      };
    }
  },
};

/** https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-SIGNAL */
export const endsSessions: Rule = {
  id: 'ends-sessions',
  group: 'compatibility',
  severity: 'warning',
  title: 'the revision ends sessions or queries of others',
  *check({ parts }) {
    for (const { action, place } of parts.flatMap(({ steps }) => steps)) {
      if (action.does !== 'end sessions') continue;
      yield {
        ...place,
        message:
          `${action.how} stops queries and transactions of running code in the middle: their requests fail, and pools reconnect all at once; ` +
          'the role of the migrations may lack the right on other servers',
        instead: '# wait with a lock_timeout and run the revision again: SET LOCAL lock_timeout = ...',
      };
    }
  },
};

/** RDS has no superuser: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.PostgreSQL.CommonDBATasks.Roles.html */
export const superuserOnly: Rule = {
  id: 'superuser-only',
  group: 'transactions',
  severity: 'warning',
  title: 'only a superuser may run the statement',
  *check({ parts }) {
    for (const { action, place } of parts.flatMap(({ steps }) => steps)) {
      if (action.does !== 'need superuser') continue;
      yield {
        ...place,
        message:
          `${action.how} needs a superuser or a role with access to the server's files, which RDS and Aurora do not have: it works on your ` +
          'machine and fails there',
        instead: '# read the file in Python and insert its rows, or set the server up where its settings are',
      };
    }
  },
};

/** Alembic writes the table itself, after the revision: https://alembic.sqlalchemy.org/en/latest/tutorial.html */
export const versionTableWritten: Rule = {
  id: 'version-table-written',
  group: 'transactions',
  severity: 'error',
  title: "the revision writes Alembic's version table",
  *check({ parts }) {
    for (const { steps, source } of parts) {
      // Alembic's own statement, if it fails, has no line in the function.
      const own = steps.filter(({ line }) => line !== source?.line);
      for (const step of own) if (writesVersionTable(step)) yield { ...step.place, message: VERSION_TABLE, instead: STAMP };
    }
  },
};

function writesVersionTable({ action, isVersionTable }: Step): boolean {
  switch (action.does) {
    case 'truncate':
      return action.tables.some(isVersionTable);
    case 'drop':
      return action.names.some(isVersionTable);
    case 'insert':
    case 'update':
    case 'delete':
      return isVersionTable(action.table);
    default:
      return false;
  }
}

const VERSION_TABLE =
  'Alembic changes the row of this revision after it: if the row is not the one that it expects, the run fails, or the database claims ' +
  'revisions that it does not have, and their work is never done';
const STAMP = '# go to another revision from the command line: alembic stamp <revision>';
