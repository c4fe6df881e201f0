import type { Call } from '../../contract/facts';
import { literal } from '../advice/python';
import type { Rule } from './rule';

/** A revision is run again years later, on another application: https://alembic.sqlalchemy.org/en/latest/cookbook.html */
export const importsApplication: Rule = {
  id: 'imports-application',
  group: 'data migrations',
  severity: 'warning',
  title: "the revision imports the application's own code",
  *check({ facts }) {
    const [first, ...more] = facts.source.imports.filter(({ ownProject }) => ownProject);
    if (!first) return;
    const modules = [first, ...more].map(({ module }) => module);
    yield {
      line: first.line,
      seen: 'source',
      message: `imports ${[...new Set(modules)].join(', ')}: when that code changes, this revision does something else or fails on every database that still has to run it`,
      instead: 'users = sa.table("users", sa.column("id"), sa.column("..."))  # the columns as they are at this revision',
    };
  },
};

const OUTSIDE =
  /^(?:requests|httpx|aiohttp|urllib3?|boto3|botocore|socket|smtplib|subprocess|redis)\.|^(?:os\.)?(?:getenv|environ)\b|^os\.(?:system|popen)$|^open$|(?:^|\.)urlopen$/;

export const readsOutside: Rule = {
  id: 'reads-outside',
  group: 'data migrations',
  severity: 'warning',
  title: 'the revision reads the network, the environment or files',
  *check({ parts }) {
    for (const { source, direction } of parts) {
      for (const { name, line } of once(source?.calls.filter((call) => OUTSIDE.test(call.name)) ?? [])) {
        yield {
          line,
          direction,
          seen: 'source',
          message: `${name} reads what differs between machines: the revision does different things in different stages, and waits or fails with what it reads`,
          instead: '# put what it needs into the revision, or into a table that an earlier step fills',
        };
      }
    }
  },
};

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
    const limited =
      calls.some(({ name }) => /\.(?:limit|yield_per|partitions|fetchmany)$/.test(name)) ||
      (source?.sql ?? []).some(({ text }) => /\bLIMIT\b/i.test(text));
    const written = calls.find(
      ({ name, inLoop }) =>
        inLoop && /(?:^|\.)(?:execute|add|merge|update|bulk_insert)$/.test(name) && !/^set|\bset\.add$/.test(name),
    );
    if (!reads || limited || !written) return;
    yield {
      line: written.line,
      direction,
      seen: 'source',
      message: `${written.name} runs once for each row that was read: one round trip per row in one transaction, all rows in memory, and each row locked until the revision commits`,
      instead: [
        '# one statement for a batch of rows, in a revision of its own:',
        'with op.get_context().autocommit_block():',
        `    while op.get_bind().execute(sa.text(${literal('UPDATE ... WHERE id IN (SELECT id ... LIMIT 10000)')})).rowcount:`,
        '        pass',
      ].join('\n'),
    };
  },
};

export const earlyReturn: Rule = {
  id: 'early-return',
  group: 'data migrations',
  severity: 'warning',
  title: 'a return before the end: the revision is stamped without its work',
  *check({ upgrade: { source, direction } }) {
    const [line] = source?.earlyReturns ?? [];
    if (line === undefined) return;
    yield {
      line,
      direction,
      seen: 'source',
      message: 'a database that returns here is stamped as if the rest had been done, and no later run does it',
      instead: '# raise where the state is not what the revision expects, or write statements that may run anywhere (IF EXISTS)',
    };
  },
};

function once(calls: readonly Call[]): readonly Call[] {
  return calls.filter(({ name }, index) => calls.findIndex((other) => other.name === name) === index);
}
