import type { Call, FunctionFacts } from '../../../contract/facts';
import { literal } from '../../advice/python';
import { argumentCode } from '../../revision/operations';
import type { Rule } from '../rule';

/** A revision is run again years later, on another application: https://alembic.sqlalchemy.org/en/latest/cookbook.html */
export const importsApplication: Rule = {
  id: 'imports-application',
  group: 'data migrations',
  severity: 'warning',
  habit: 'of the rule',
  title: "the revision imports the application's own code",
  *check({ facts }) {
    const [first, ...more] = facts.source.imports.filter(({ ownProject }) => ownProject);
    if (!first) return;
    const modules = [first, ...more].map(({ module }) => module);
    yield {
      line: first.line,
      seen: 'source',
      message: `imports ${[...new Set(modules)].join(', ')}: when that code changes, this revision fails or behaves differently on every database that has not run it yet`,
      instead: 'users = sa.table("users", sa.column("id"), sa.column("..."))  # the columns as they are at this revision',
    };
  },
};

const OUTSIDE_CALLS =
  /^(?:requests|httpx|aiohttp|urllib3?|http\.client|ftplib|xmlrpc|socket|smtplib|subprocess|paramiko|ldap3?|grpc|redis|pymongo|elasticsearch|opensearchpy|kafka|pika|celery|boto3|botocore|google\.cloud|googleapiclient|azure|minio|stripe|twilio|sendgrid|slack_sdk|openai|anthropic|cohere|mistralai|hvac|keycloak|qdrant_client|weaviate|pinecone|chromadb|pymilvus|meilisearch|typesense|algoliasearch|clickhouse_(?:connect|driver)|influxdb(?:_client)?|neo4j|cassandra|motor|supabase|firebase_admin|kubernetes|docker|consul|etcd3|nats|aio_pika|aiokafka|confluent_kafka|pysftp|zeep)\.|^(?:os\.)?(?:getenv|environ)\b|^os\.(?:system|popen)$|(?:^|\.)(?:open|read_text|read_bytes|urlopen|urlretrieve)$/;

export const readsOutside: Rule = {
  id: 'reads-outside',
  group: 'data migrations',
  severity: 'warning',
  habit: 'of the message',
  title: "the revision reads the network, the environment, the backend's settings or files",
  *check({ parts }) {
    for (const { source, direction } of parts) {
      for (const { name, line, isSettings } of distinctCalls(source ? outsideCalls(source) : [])) {
        yield {
          line,
          direction,
          seen: 'source',
          message: `${name} reads something that differs between machines: the revision behaves differently in each stage${isSettings ? '' : failureOf(name)}`,
          instead: '# write what it needs into the revision, or read it from a table',
        };
      }
    }
  },
};

/** `requests.get(...).json` is named by its first part. */
function outsideCalls({ calls, importedCalls }: FunctionFacts): readonly Pick<Call, 'name' | 'line' | 'isSettings'>[] {
  const own = calls.filter((call) => call.isSettings || OUTSIDE_CALLS.test(call.name));
  const imported = importedCalls.filter(({ name }) => OUTSIDE_CALLS.test(name));
  return [...own, ...imported].map(({ name, ...call }) => ({ ...call, name: name.replace(/\(.*/s, '') || lastPart(name) }));
}

/** How a read of something outside of the database can fail, after the name of its call. */
function failureOf(name: string): string {
  if (/\b(?:getenv|environ)\b/.test(name)) return '';
  const isFile = /(?:^|\.)(?:open|read_text|read_bytes)$/.test(name);
  return isFile ? ', and fails where the file is missing' : ', and fails if the other side does not answer';
}

/** `(folder / "schema.sql").read_text` */
function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

/** Whether a function works in batches: by LIMIT, or by a range of keys. */
export function isBatched({ calls, sql }: FunctionFacts): boolean {
  return (
    calls.some(({ name, args }) => BATCHING_CALLS.test(name) || (name === 'range' && args.length === 3)) ||
    sql.some(({ text }) => /\bLIMIT\b/i.test(text))
  );
}

const BATCHING_CALLS = /(?:^|\.)(?:limit|yield_per|partitions|fetchmany)$/;

export const unbatchedLoop: Rule = {
  id: 'unbatched-loop',
  group: 'data migrations',
  severity: 'warning',
  title: 'rows are read into Python and written one by one',
  *check({ upgrade: { source, direction } }) {
    const calls = source?.calls ?? [];
    const reads =
      calls.some(({ name }) => /\.(?:fetchall|all|scalars|mappings|query|yield_per)$/.test(name)) ||
      (source?.sql ?? []).some(
        ({ text }) => /^\s*SELECT\b/i.test(text) && !/\b(?:pg_catalog|information_schema|pg_\w+)\b/i.test(text),
      ) ||
      calls.some(({ name }) => /(?:^|\.)select$/.test(name));
    const written = firstWritePerRow(calls);
    const streams = calls.some(({ name }) => /\.yield_per$/.test(name)) && !written?.inBranch;
    if (!reads || !source || !written || (isBatched(source) && !streams)) return;
    yield {
      line: written.line,
      direction,
      seen: 'source',
      message: `${written.name === 'setattr' ? 'an UPDATE' : written.name} runs once for each row that was read: one round trip per row in one transaction,${streams ? '' : ' all rows in memory,'} and each row locked until the revision commits`,
      instead: [
        '# one statement per batch of rows, in a separate revision:',
        'with op.get_context().autocommit_block():',
        `    while op.get_bind().execute(sa.text(${literal('UPDATE ... WHERE id IN (SELECT id ... LIMIT 10000)')})).rowcount:`,
        '        pass',
      ].join('\n'),
    };
  },
};

/** The first call that writes a row in a loop over rows, or that writes a list collected in such a loop. */
function firstWritePerRow(calls: readonly Call[]): Call | undefined {
  const perRow = calls.filter(({ inLoop, overConstants }) => inLoop && !overConstants);
  const collected = perRow.flatMap(({ name }) => /^(\w+)\.append$/.exec(name)?.[1] ?? []);
  return calls.find((call) =>
    perRow.includes(call)
      ? WRITING_CALLS.test(call.name) && !/^set(?!attr$)/.test(call.name) && !changesSchema(call)
      : writesManyRows(call, collected),
  );
}

/** `op.execute(f"CREATE INDEX ... ON {schema}.users (email)")` in a loop over the schemas. */
function changesSchema({ args: [statement] }: Call): boolean {
  const text = typeof statement === 'string' ? statement : argumentCode(statement);
  return /^\W*(?:[\w.]*text\(\W*)?f?\W*(?:CREATE|ALTER|DROP|GRANT|REVOKE|COMMENT|SET|REINDEX|VACUUM|ANALYZE)\b/i.test(text);
}

/** `add` only of a session: sets have one, too. */
const WRITING_CALLS = /(?:^|\.)(?:execute|merge|update|delete|bulk_insert|setattr)$|(?:sess|session|^s|^db)\.add$/i;

/** `execute(statement, [{"id": user.id} for user in users])`: the driver sends one statement per row. */
function writesManyRows({ name, args }: Call, collected: readonly string[]): boolean {
  if (!/(?:^|\.)(?:execute|executemany|bulk_update_mappings)$/.test(name)) return false;
  const given = argumentCode(args[1]);
  return /^\[.*\bfor\b/s.test(given) || collected.includes(given);
}

/** https://www.postgresql.org/docs/current/queries-limit.html: without ORDER BY, each page is an unpredictable subset of the rows */
export const offsetBatches: Rule = {
  id: 'offset-batches',
  group: 'data migrations',
  severity: 'warning',
  title: 'batches by OFFSET skip rows, because the loop changes which rows they count',
  *check({ upgrade: { source, direction } }) {
    const { calls = [], sql = [] } = source ?? {};
    if (!firstWritePerRow(calls)) return;

    const pages = [
      ...sql.flatMap(({ text, line }) => (/\bSELECT\b.*\bOFFSET\s+(?!0\b)/is.test(text) ? [{ text, line }] : [])),
      ...calls.flatMap(({ name, line, inLoop }) => (inLoop && /\.offset$/.test(name) ? [{ text: name, line }] : [])),
    ];
    const columns = changedColumns(calls, sql);
    const isSorted = calls.some(({ name }) => /\.order_by$/.test(name));
    for (const { text, line } of pages) {
      const isOrdered = /\bORDER\s+BY\b/i.test(text) || (!/\bSELECT\b/i.test(text) && isSorted);
      const [, condition = ''] = /(?:\bWHERE\b|\.(?:filter|where|filter_by)\()(.*)/is.exec(text) ?? [];
      const changed = columns.find((column) => new RegExp(`\\b${column}\\b`).test(condition));
      if (isOrdered && changed === undefined) continue;
      const why =
        changed === undefined
          ? 'without ORDER BY, rows that are written move, and the next page misses some and has others again'
          : `a row whose ${changed} is written no longer counts, so the next OFFSET skips as many rows that are still to be written`;
      yield {
        line,
        direction,
        seen: 'source',
        message: `${why}: rows are left out, and nothing reports it`,
        instead: '# page by key: WHERE id > :last ORDER BY id LIMIT 1000; or without OFFSET while the condition still finds rows',
      };
    }
  },
};

/** The columns that statements and loops set. */
function changedColumns(calls: readonly Call[], sql: FunctionFacts['sql']): readonly string[] {
  return [
    ...calls.flatMap(({ name, args }) => (name === 'setattr' && typeof args[1] === 'string' ? [args[1]] : [])),
    ...calls.flatMap(({ name, keywords }) => (/\.values$/.test(name) ? Object.keys(keywords) : [])),
    ...sql.flatMap(({ text }) => [...text.matchAll(/\bSET\s+"?(\w+)"?\s*=/gi)].map(([, column = '']) => column)),
  ].filter((column) => /^\w+$/.test(column));
}

export const earlyReturn: Rule = {
  id: 'early-return',
  group: 'data migrations',
  severity: 'warning',
  title: 'an early return: the revision is stamped without its work',
  *check({ upgrade: { source, direction } }) {
    const [line] = source?.earlyReturns ?? [];
    if (line === undefined) return;
    yield {
      line,
      direction,
      seen: 'source',
      message: 'a database that returns here is stamped without the rest of the revision, and no later run does it',
      instead: '# raise if the state is not what the revision expects, or write statements that may run in any state (IF EXISTS)',
    };
  },
};

function distinctCalls<C extends Pick<Call, 'name'>>(calls: readonly C[]): readonly C[] {
  return calls.filter(({ name }, index) => calls.findIndex((other) => other.name === name) === index);
}
