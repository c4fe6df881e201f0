import type { Call } from '../../contract/facts';
import { createConcurrently } from '../advice/indexes';
import { autocommit, execute, literal } from '../advice/python';
import { inAutocommitBlock, type RevisionFunction, type Step } from '../revision/analyzed-revision';
import { argumentCode } from '../revision/operations';
import { ON_OTHER_CONNECTION, sourceActions } from '../revision/steps';
import { unqualifiedName } from '../revision/tables';
import type { ActionOf } from '../sql/action';
import { isConcurrent, refusedStatement } from '../sql/concurrently';
import { parseSql } from '../sql/parse';
import { nameList } from './name-list';
import type { Rule, RuleFinding } from './rule';

/** "CREATE INDEX CONCURRENTLY cannot run inside a transaction block" (25001), which Alembic opens. */
export const concurrentlyInTransaction: Rule = {
  id: 'concurrently-in-transaction',
  group: 'transactions',
  severity: 'error',
  title: 'CONCURRENTLY, VACUUM or CREATE DATABASE outside of an autocommit block, up or down',
  *check({ parts }) {
    for (const part of parts) {
      if (!part.replayed) yield* concurrentlyFindings(part);
    }
  },
};

function* concurrentlyFindings(part: RevisionFunction): Iterable<RuleFinding> {
  const reported = new Set<number>();
  for (const found of [
    ...severalInOneText(part),
    ...failedConcurrently(part),
    ...concurrentSteps(part),
    ...concurrentCalls(part),
  ]) {
    if (!reported.has(found.line)) yield { ...found, ...afterAutocommit(found, part) };
    reported.add(found.line);
  }
}

/** `op.get_bind().execution_options(isolation_level="AUTOCOMMIT")`: what happens depends on SQLAlchemy's version. */
function afterAutocommit({ line, seen }: RuleFinding, { source, direction }: RevisionFunction): Partial<RuleFinding> {
  const isAsked = (source?.calls ?? []).some(
    (call) => /(?:^|\.)execution_options$/.test(call.name) && call.keywords.isolation_level === 'AUTOCOMMIT' && call.line < line,
  );
  if (!isAsked || seen === 'replay') return {};
  const message = `AUTOCOMMIT is asked for inside Alembic's transaction: SQLAlchemy 2 refuses it, and the ${direction} fails; 1.4 first rolls back what ran before`;
  return { atMost: 'warning', message };
}

function concurrentlyMessage(what: string, { direction }: RevisionFunction): string {
  return `${what} can't run inside a transaction, and Alembic opens one: the ${direction} fails with "cannot run inside a transaction block"`;
}

/** https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT: also in an autocommit block */
function* severalInOneText({ source, direction, facts }: RevisionFunction): Iterable<RuleFinding> {
  for (const { text, line, inAutocommitBlock } of source?.sql ?? []) {
    const name = inAutocommitBlock ? refusedStatement(text) : undefined;
    const statements = name === undefined ? [] : parseSql(text).filter(({ actions }) => actions[0]?.does !== 'unparsed');
    if (name === undefined || statements.length < 2) continue;
    yield {
      line,
      direction,
      seen: facts.failure?.line === line ? 'replay' : 'source',
      message: `PostgreSQL runs the ${statements.length} statements of one text in a transaction, and rejects ${name} there: the ${direction} fails`,
      instead: autocommit(...statements.map((statement) => execute(statement.text))),
    };
  }
}

function* failedConcurrently(part: RevisionFunction): Iterable<RuleFinding> {
  const { facts, source, direction } = part;
  const { failure } = facts;
  const name = failure?.sqlState === '25001' && failure.statement ? refusedStatement(failure.statement) : undefined;
  if (!failure?.statement || name === undefined) return;
  yield {
    line: failure.line ?? source?.line ?? 1,
    direction,
    seen: 'replay',
    statement: failure.statement,
    message: concurrentlyMessage(name, part),
    instead: autocommit(`op.execute(${literal(failure.statement.replace(/\s+/g, ' ').trim())})`),
  };
}

function* concurrentSteps(part: RevisionFunction): Iterable<RuleFinding> {
  for (const step of part.steps) {
    const { sql, place, observed } = step;
    const name = sql ? refusedStatement(sql) : undefined;
    if (observed || isOutsideTransaction(step, part) || name === undefined) continue;
    yield { ...place, message: concurrentlyMessage(name, part), instead: autocommit(execute(sql)) };
  }
}

/** Whether no transaction is open. After COMMIT as SQL, only some drivers begin another one: raw-commit reports it. */
function isOutsideTransaction({ transaction, index, observed }: Step, { steps }: RevisionFunction): boolean {
  // A connection begins a transaction with its first statement.
  if (transaction === ON_OTHER_CONNECTION) return observed !== undefined;
  const ended = steps.filter((step) => step.index < index && /^(?:begin|end) transaction$/.test(step.action.does)).at(-1);
  return transaction < 0 || ended?.action.does === 'end transaction';
}

function* concurrentCalls(part: RevisionFunction): Iterable<RuleFinding> {
  const { facts, source, direction } = part;
  const outside = new Set(part.steps.filter((step) => isOutsideTransaction(step, part)).map(({ line }) => line));
  const ran = new Set(facts.outcome === 'failed' ? facts.statements.map(({ line }) => line) : []);
  for (const call of source?.calls ?? []) {
    const { line } = call;
    if (!isConcurrentCall(call) || call.inAutocommitBlock || ran.has(line) || outside.has(line)) continue;
    const operation = operationOf(call);
    yield {
      line,
      direction,
      seen: 'source',
      message: concurrentlyMessage(`${operation}(... CONCURRENTLY)`, part),
      instead: autocommit(
        operation === 'execute' ? 'op.execute("... CONCURRENTLY ...")' : `op.${operation}(..., postgresql_concurrently=True)`,
      ),
    };
  }
}

function operationOf({ name }: Call): string {
  return name.split('.').at(-1) ?? '';
}

function isConcurrentCall(call: Call): boolean {
  const { args, keywords } = call;
  const operation = operationOf(call);
  if (/_index$/.test(operation)) return keywords.postgresql_concurrently === true;
  // A text is a step of its own.
  return /execute$/.test(operation) && typeof args[0] !== 'string' && isConcurrent(argumentCode(args[0]));
}

/** `autocommit_block()` commits what came before it: https://alembic.sqlalchemy.org/en/latest/api/runtime.html */
export const ddlBeforeAutocommit: Rule = {
  id: 'ddl-before-autocommit',
  group: 'transactions',
  severity: 'warning',
  title: 'an autocommit block commits the work before it in the same revision',
  *check({ parts }) {
    for (const part of parts) {
      const { steps, direction } = part;
      // After its own COMMIT, which raw-commit reports, there is no transaction either.
      const at = ownCommits(part).length ? -1 : steps.findIndex(({ transaction }) => transaction === -1);
      const first = steps.slice(0, at < 0 ? 0 : at).find(isWork);
      if (!first) continue;
      yield {
        ...first.place,
        message:
          `the autocommit block at line ${steps[at]?.line} commits this when it starts: if the block fails, the ${direction} is half done and ` +
          'not stamped, and the next run fails on what already exists',
        instead: '# move the autocommit block alone into the next revision',
      };
    }
  },
};

const CHANGES_NOTHING = new Set([
  'other',
  'set',
  'reset',
  'lock session',
  'unlock session',
  'end sessions',
  'need superuser',
  'need autocommit',
  'unparsed',
  'begin transaction',
  'end transaction',
  'lock',
  'lock rows',
  'sleep',
  'validate',
]);

/** Whether a step changes something within a transaction. */
export function isWork({ action, transaction }: Step): boolean {
  return transaction >= 0 && !CHANGES_NOTHING.has(action.does);
}

/** psycopg 3 continues in autocommit without telling SQLAlchemy, and the version stamp is not in the transaction of the work. */
export const rawCommit: Rule = {
  id: 'raw-commit',
  group: 'transactions',
  severity: 'error',
  title: 'COMMIT or ROLLBACK as SQL',
  *check({ parts }) {
    const reported = new Set<number>();
    for (const part of parts) {
      const { direction, steps, replayed } = part;
      const ran = steps.flatMap(({ action, line, observed, sql }) =>
        // Alembic renders a trigger's body for MySQL like statements.
        action.does === 'end transaction' && (observed || !/^END\b/i.test(sql)) ? [{ line, how: action.how }] : [],
      );
      const all = [...ran, ...ownCommits(part)].filter(({ line }) => !reported.has(line) && !inAutocommitBlock(part, line));
      for (const { line } of all) reported.add(line);
      const [first] = all;
      if (first) {
        yield {
          line: first.line,
          direction,
          seen: replayed ? 'replay' : 'source',
          message: `Alembic does not notice that ${first.how} ends its transaction${alsoAt(all)}: later statements are not rolled back if they fail, and with psycopg 3 the version is not stamped or the run fails`,
          instead: autocommit('...'),
        };
      }
    }
  },
};

/** The lines of all places but the first. */
function alsoAt([first, ...more]: readonly { readonly line: number }[]): string {
  const lines = [...new Set(more.map(({ line }) => line))]
    .filter((line) => line !== first?.line)
    .sort((one, other) => one - other);
  return lines.length ? `, also at line ${nameList(lines.map(String))}` : '';
}

/** The statements in the source that end the transaction, also as one of several: `INSERT INTO users ...; COMMIT`. */
function ownCommits(part: RevisionFunction): readonly { readonly line: number; readonly how: string }[] {
  return (part.source?.steps ?? [])
    .filter(({ sql = '' }) => /\b(?:COMMIT|END|ROLLBACK|ABORT)\b/i.test(sql))
    .flatMap(sourceActions)
    .flatMap(({ action, line, sql }) =>
      // A block or a function has its own.
      action.does === 'end transaction' && /^(?:COMMIT|END|ROLLBACK|ABORT)\b/i.test(sql) && !inAutocommitBlock(part, line)
        ? [{ line, how: action.how }]
        : [],
    );
}

export const bindCommit: Rule = {
  id: 'bind-commit',
  group: 'transactions',
  severity: 'error',
  title: "the revision commits Alembic's connection",
  *check({ parts }) {
    const reported = new Set<number>();
    for (const part of parts) {
      const { direction, source, facts } = part;
      const all = (source?.calls ?? []).filter((call) => !reported.has(call.line) && commitsEarly(call, part));
      for (const { line } of all) reported.add(line);
      const [first] = all;
      if (first) {
        yield {
          line: first.line,
          direction,
          seen: facts.leftTransaction ? 'replay' : 'source',
          message: `${first.name}() commits before Alembic stamps the version${alsoAt(all)}: if this is the last pending revision, its work stays, the stamp is lost, the exit code is 0, and the next run repeats it`,
          instead: autocommit('op.execute(...)  # each statement commits separately'),
        };
      }
    }
  },
};

function commitsEarly(call: Call, part: RevisionFunction): boolean {
  const { name, inAutocommitBlock, inLoop, inBranch } = call;
  const { source, facts, replayed } = part;
  if (!/\.commit$/.test(name) || inAutocommitBlock) return false;
  if (facts.leftTransaction || name === ON_DRIVER) return true;
  // The replay of empty tables does not enter every loop and branch.
  if (replayed && !inLoop && !inBranch) return false;
  // A session's commit does not end the transaction that its connection was already in.
  return !(isSession(call) || (source?.calls ?? []).some(makesSession)) || /bind|conn/i.test(name);
}

/** A commit on the driver's connection, by whatever name: SQLAlchemy, and so the replay, does not see it. */
const ON_DRIVER = 'op.get_bind().connection.commit';

const makesSession = ({ name }: Call) => /(?:^|\.)(?:Session|sessionmaker)$/.test(name);
const isSession = ({ name }: Pick<Call, 'name'>) => /(?:^|[._])(?:\w*session|sess|db)\.commit$/i.test(name);

/** A session on Alembic's connection works in its transaction, and so does a savepoint. */
export const otherConnection: Rule = {
  id: 'other-connection',
  group: 'transactions',
  severity: 'warning',
  title: 'the revision works on its own connection',
  *check({ parts }) {
    for (const { direction, source, facts, steps } of parts) {
      if (!source || facts.leftTransaction) continue;
      const { calls, importedCalls } = source;
      const ownSession = !calls.some((call) => makesSession(call) && isOnBind(call));
      const found = [...calls, ...importedCalls].find((call) => usesEngine(call) || (ownSession && isSession(call)));
      const ran = steps.find(({ transaction }) => transaction === ON_OTHER_CONNECTION);
      if (!found && !ran) continue;
      yield {
        line: found?.line ?? ran?.line ?? 1,
        direction,
        seen: found ? 'source' : 'replay',
        message:
          `${found ? `${found.name} is not of` : 'this statement is not on'} Alembic's connection: what it commits stays if the revision fails, and the next run repeats it; it does not see what ` +
          'the revision has changed, and waits forever for a table that the revision has locked',
        instead:
          'from sqlalchemy.orm import Session\n\nsession = Session(bind=op.get_bind())  # in the transaction of the revision',
      };
    }
  },
};

/** `create_engine(...)`, a connection of the application's engine (`db.engine.begin`, `get_engine().connect`), or another run of Alembic. */
const usesEngine = ({ name }: Pick<Call, 'name'>) =>
  /(?:^|\.)(?:create_(?:async_)?engine|engine_from_config)$|^(?:alembic\.)?command\.(?:upgrade|downgrade|stamp)$|(?:\.(?:\w+_)?engine|get_(?:\w+_)?engine\(.*\))\.(?:begin|connect|raw_connection|execute)$/s.test(
    name,
  );

/** `Session(bind=op.get_bind())`; not `Session()`, nor `Session(engine)`. */
function isOnBind({ args, keywords }: Call): boolean {
  const given = [args[0], keywords.bind].map(argumentCode).filter(Boolean);
  return given.some((code) => !/engine/i.test(code));
}

/** https://www.postgresql.org/docs/current/sql-altertype.html: "it can't be used until after the transaction has been committed" */
export const enumValueInTransaction: Rule = {
  id: 'enum-value-in-transaction',
  group: 'transactions',
  severity: 'error',
  title: 'a new enum value is used in the transaction that adds it',
  *check({ upgrade: part }) {
    // A replay that finished proves that the value can be used.
    if (part.replayed) return;
    const uses = [...usesOfNewValues(part)];
    for (const { used, added } of uses) {
      yield {
        ...used.place,
        message: `'${added.action.value}' was added to ${added.action.type} at line ${added.line} and is not committed yet: this fails with "unsafe use of new value"`,
        instead: ['# add the value in an earlier revision, or first in this one:', autocommit(execute(added.sql))].join('\n'),
      };
    }
    const { failure } = part.facts;
    if (failure?.sqlState !== '55P04' || uses.length) return;
    yield {
      line: failure.line ?? part.source?.line ?? 1,
      direction: 'upgrade',
      seen: 'replay',
      statement: failure.statement,
      message: `the upgrade fails: ${failure.message}, which this transaction adds`,
    };
  },
};

type AddValue = Step & { readonly action: ActionOf<'add enum value'> };

function* usesOfNewValues({ steps }: RevisionFunction): Iterable<{ used: Step; added: AddValue }> {
  const createdTypes = new Set(steps.flatMap(({ action }) => (action.does === 'create type' ? [action.type] : [])));
  for (const step of steps) {
    const { action, transaction, index } = step;
    if (action.does !== 'add enum value' || transaction < 0 || createdTypes.has(action.type)) continue;
    const used = steps.find(
      (other) => other.index > index && other.transaction === transaction && asValue(other.sql).includes(`'${action.value}'`),
    );
    if (used) yield { used, added: { ...step, action } };
  }
}

/** A statement without the labels that it adds to types or looks for in the catalog. */
function asValue(sql: string): string {
  return sql.replace(
    /\benumlabel\s*(?:=\s*'[^']*'|IN\s*\([^)]*\))|\bADD\s+VALUE\s+(?:IF\s+NOT\s+EXISTS\s+)?'[^']*'(?:\s+(?:BEFORE|AFTER)\s+'[^']*')?|\bAS\s+ENUM\s*\([^)]*\)/gi,
    '',
  );
}

/** A build that fails leaves its index INVALID; IF NOT EXISTS finds the name and accepts it. */
export const invalidIndexAccepted: Rule = {
  id: 'invalid-index-accepted',
  group: 'transactions',
  severity: 'error',
  title: 'CREATE INDEX CONCURRENTLY IF NOT EXISTS accepts what a failed build left behind',
  *check({ parts }) {
    for (const { steps, direction, source } of parts) {
      const dropped = droppedIn(source);
      for (const step of steps) {
        const { action } = step;
        if (action.does === 'drop index') for (const name of action.indexes) dropped.add(unqualifiedName(name));
        if (action.does !== 'create index' || !mayBeInvalid(step, action) || dropped.has(action.index ?? '')) continue;
        yield {
          ...step.place,
          // Downgrades of production are rare and watched.
          ...(direction === 'downgrade' ? { atMost: 'warning' as const } : {}),
          message: `if an earlier build of ${action.index} failed, IF NOT EXISTS accepts its INVALID index, and the revision is stamped with an index of ${action.table} that no query uses`,
          instead: createConcurrently(action, step.call),
        };
      }
    }
  },
};

function mayBeInvalid({ isExisting }: Step, { index, table, concurrently, ifNotExists }: ActionOf<'create index'>): boolean {
  return index !== undefined && concurrently && ifNotExists && isExisting(table);
}

/** The indexes that the source drops. Some only if they are INVALID, so the replay does not show it. */
function droppedIn(source: RevisionFunction['source']): Set<string> {
  const actions = (source?.steps ?? []).flatMap(sourceActions).map(({ action }) => action);
  return new Set(actions.flatMap((action) => (action.does === 'drop index' ? action.indexes.map(unqualifiedName) : [])));
}
