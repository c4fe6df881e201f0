import { autocommit, literal } from '../advice/python';
import type { Part, Step } from '../revision/reviewed';
import { isConcurrent } from './concurrently';
import type { Found, Rule } from './rule';

/** "CREATE INDEX CONCURRENTLY cannot run inside a transaction block" (25001), which Alembic opens. */
export const concurrentlyInTransaction: Rule = {
  id: 'concurrently-in-transaction',
  group: 'transactions',
  severity: 'error',
  title: 'CONCURRENTLY outside of an autocommit block, up or down',
  *check({ parts }) {
    for (const part of parts) yield* part.replayed ? [] : inTransaction(part);
  },
};

function* inTransaction({ facts, source, direction }: Part): Iterable<Found> {
  const told = new Set<number>();
  const message = (what: string) =>
    `${what} can't run inside a transaction, and Alembic opens one: the ${direction} fails with "cannot run inside a transaction block"`;
  const { failure } = facts;
  if (failure?.sqlState === '25001' && failure.statement && isConcurrent(failure.statement)) {
    told.add(failure.line ?? 0);
    yield {
      line: failure.line ?? source?.line ?? 1,
      direction,
      seen: 'replay',
      statement: failure.statement,
      message: message(words(failure.statement)),
      instead: autocommit(`op.execute(${literal(failure.statement.replace(/\s+/g, ' ').trim())})`),
    };
  }
  const ran = new Set(facts.outcome === 'failed' ? facts.statements.map(({ line }) => line) : []);
  for (const { name, args, keywords, line, inAutocommitBlock } of source?.calls ?? []) {
    const sql = typeof args[0] === 'string' ? args[0] : code(args[0]);
    const operation = name.split('.').at(-1) ?? '';
    const concurrent =
      (keywords.postgresql_concurrently === true && /_index$/.test(operation)) ||
      (/execute$/.test(operation) && isConcurrent(sql));
    if (!concurrent || inAutocommitBlock || told.has(line) || ran.has(line)) continue;
    told.add(line);
    yield {
      line,
      direction,
      seen: 'source',
      message: message(`${operation}(... CONCURRENTLY)`),
      instead: autocommit(
        operation === 'execute' ? 'op.execute("... CONCURRENTLY ...")' : `op.${operation}(..., postgresql_concurrently=True)`,
      ),
    };
  }
}

function words(sql: string): string {
  return (
    /\b(?:CREATE(?:\s+UNIQUE)?|DROP)\s+INDEX\s+CONCURRENTLY|REINDEX\s+\w+\s+CONCURRENTLY/i.exec(sql)?.[0].replace(/\s+/g, ' ') ??
    'CONCURRENTLY'
  );
}

/** `autocommit_block()` commits what came before it: https://alembic.sqlalchemy.org/en/latest/api/runtime.html */
export const ddlBeforeAutocommit: Rule = {
  id: 'ddl-before-autocommit',
  group: 'transactions',
  severity: 'warning',
  title: 'work is committed by an autocommit block that follows it in the same revision',
  *check({ parts }) {
    for (const { steps, direction } of parts) {
      const at = steps.findIndex(({ transaction }) => transaction === -1);
      const first = steps.slice(0, at < 0 ? 0 : at).find(isWork);
      if (!first) continue;
      yield {
        ...first.place,
        message:
          `this is committed when the autocommit block at line ${steps[at]?.line} begins: if that fails, the ${direction} is half done and ` +
          'not stamped, and running it again fails on what is there already',
        instead: '# the autocommit block alone in a revision of its own, after this one',
      };
    }
  },
};

const HARMLESS = new Set(['other', 'unparsed', 'end transaction', 'lock', 'validate']);

function isWork({ action, transaction }: Step): boolean {
  return transaction >= 0 && !HARMLESS.has(action.does);
}

/** psycopg 3 goes on in autocommit without telling SQLAlchemy; the version stamp is not in the transaction of the work. */
export const rawCommit: Rule = {
  id: 'raw-commit',
  group: 'transactions',
  severity: 'error',
  title: 'COMMIT or ROLLBACK as SQL',
  *check({ parts }) {
    for (const { direction, source, steps, replayed } of parts) {
      const told = new Set<number>();
      const written = (source?.sql ?? [])
        .filter(({ text }) => /^\s*(?:COMMIT|END|ROLLBACK|ABORT)(?:\s+(?:WORK|TRANSACTION))?\s*;?\s*$/i.test(text))
        .map(({ line, text }) => ({ line, how: text.replace(';', '').trim().toUpperCase() }));
      const ran = steps.flatMap(({ action, line }) => (action.does === 'end transaction' ? [{ line, how: action.how }] : []));
      for (const { line, how } of [...ran, ...written]) {
        if (told.has(line)) continue;
        told.add(line);
        yield {
          line,
          direction,
          seen: replayed ? 'replay' : 'source',
          message: `${how} ends Alembic's transaction behind its back: what follows is not rolled back when it fails, and with psycopg 3 the version is not stamped or the run fails`,
          instead: autocommit('...'),
        };
      }
    }
  },
};

export const bindCommit: Rule = {
  id: 'bind-commit',
  group: 'transactions',
  severity: 'error',
  title: "the revision commits Alembic's connection",
  *check({ parts }) {
    for (const { direction, source, facts, replayed } of parts) {
      const sessions = (source?.calls ?? []).some(({ name }) => /(?:^|\.)(?:Session|sessionmaker)$/.test(name));
      for (const { name, line, inAutocommitBlock } of source?.calls ?? []) {
        if (!/\bcommit$/.test(name) || inAutocommitBlock) continue;
        // A session on a connection that is in a transaction does not end that one.
        if (replayed ? !facts.leftTransaction : sessions && !/bind|conn/i.test(name)) continue;
        yield {
          line,
          direction,
          seen: replayed ? 'replay' : 'source',
          message: `${name}() commits before Alembic stamps the version: as the last pending revision its work stays and the stamp is lost with exit code 0, and the next run does it again`,
          instead: autocommit('op.execute(...)  # each statement is committed on its own'),
        };
      }
    }
  },
};

/** A build that fails leaves its index INVALID; IF NOT EXISTS finds the name and is content. */
export const invalidIndexAccepted: Rule = {
  id: 'invalid-index-accepted',
  group: 'transactions',
  severity: 'warning',
  title: 'CREATE INDEX CONCURRENTLY IF NOT EXISTS accepts what a failed build left behind',
  *check({ parts }) {
    for (const { steps } of parts) {
      const dropped = new Set<string>();
      for (const { action, place, isExisting } of steps) {
        if (action.does === 'drop index') for (const name of action.indexes) dropped.add(name);
        if (action.does !== 'create index' || !action.concurrently || !action.ifNotExists || !isExisting(action.table)) continue;
        if (!action.index || dropped.has(action.index)) continue;
        yield {
          ...place,
          message: `if a build of ${action.index} failed before, its INVALID index stays, IF NOT EXISTS accepts it, and the revision is stamped with an index of ${action.table} that no query uses`,
          instead: autocommit(
            `op.drop_index(${literal(action.index)}, ${literal(action.table)}, if_exists=True, postgresql_concurrently=True)`,
            `op.create_index(${literal(action.index)}, ${literal(action.table)}, ..., postgresql_concurrently=True)`,
          ),
        };
      }
    }
  },
};

function code(value: unknown): string {
  return value && typeof value === 'object' && 'code' in value ? String(value.code) : '';
}
