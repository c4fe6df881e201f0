import type { EnvironmentFacts } from '../../contract/facts';
import type { Rule, RuleFinding } from './rule';

/** If the connection is in a transaction at `configure()`, Alembic leaves the commit to the code that started it. */
export const envKeepsNothing: Rule = {
  id: 'env-keeps-nothing',
  group: 'env.py',
  severity: 'error',
  title: 'with this env.py, "alembic upgrade" succeeds and nothing is committed',
  *checkProject({ input: { environment, graph } }) {
    if (!environment || environment.keeps || environment.failure || environment.refused) return;
    yield {
      file: environment.file,
      line: 1,
      seen: 'replay',
      message:
        `"${graph.command ?? 'alembic'} upgrade" exits with 0 and the database has none of its changes: ` +
        (environment.outerTransaction
          ? 'the connection is already in a transaction when context.configure() is called (a SET is enough), so Alembic leaves the commit to env.py, which does not commit'
          : 'env.py does not commit what the migrations did'),
      instead: [
        'with connectable.connect() as connection:',
        '    # commit the statements before configure():',
        '    connection.commit()',
        '    context.configure(connection=connection, target_metadata=target_metadata)',
        '    with context.begin_transaction():',
        '        context.run_migrations()',
      ].join('\n'),
    };
  },
};

export const envOuterTransaction: Rule = {
  id: 'env-outer-transaction',
  group: 'env.py',
  severity: 'error',
  title: 'env.py opens a transaction around the migrations',
  *checkProject({ input: { environment }, revisions }) {
    if (!environment?.keeps || !environment.transaction) return;
    // The replay runs a revision without that transaction.
    const fails = revisions.find(({ facts }) =>
      [facts.upgrade, facts.downgrade].some((run) => run.statements.some(({ transaction }) => transaction === -1)),
    );
    yield {
      file: environment.file,
      line: environment.transaction.line,
      seen: 'replay',
      ...(fails ? {} : { atMost: 'warning' as const }),
      message:
        `${environment.outerTransaction ? 'the connection is already in a transaction when context.configure() is called' : 'env.py runs the migrations in a transaction that Alembic did not begin'}: ${fails ? `${fails.facts.revision} fails, because ` : ''}` +
        'autocommit_block() does not work inside it, so no index can be built concurrently, and all pending revisions hold their ' +
        'locks until the last one is done',
      instead: environment.transaction.instead,
    };
  },
};

/** Whether the steps of a safe form can't be committed. */
export function isInOneTransaction(environment: EnvironmentFacts | undefined): boolean {
  return environment?.transaction !== undefined;
}

/** The runner gives each revision its own transaction. Projects that run plain `alembic upgrade` turn the rule on. */
export const envOneTransaction: Rule = {
  id: 'env-one-transaction',
  group: 'env.py',
  severity: 'warning',
  optional: true,
  title: '"alembic upgrade" runs all pending revisions in one transaction',
  *checkProject({ input: { environment, graph } }) {
    if (environment?.transactionPerMigration !== false || environment.outerTransaction) return;
    yield {
      file: environment.file,
      line: 1,
      seen: 'replay',
      message:
        `"${graph.command ?? 'alembic'} upgrade" runs all pending revisions in one transaction: each lock is held until the last revision is done, ` +
        'so VALIDATE or a new enum value in a later revision does not help',
      instead: 'context.configure(connection=connection, target_metadata=target_metadata, transaction_per_migration=True)',
    };
  },
};

/** https://www.postgresql.org/docs/current/errcodes-appendix.html: invalid_schema_name */
const MISSING_SCHEMA = '3F000';

export const envRefused: Rule = {
  id: 'env-refused',
  group: 'env.py',
  severity: 'error',
  title: 'the deploy and "safe-alembic apply" refuse this env.py',
  *checkProject({ input: { environment } }) {
    if (environment?.refused?.sqlState !== MISSING_SCHEMA) yield* refusal(environment, 'the deploy');
  },
};

/** A database that has it already is migrated. */
export const versionTableSchemaMissing: Rule = {
  id: 'version-table-schema-missing',
  group: 'env.py',
  severity: 'warning',
  title: 'nothing creates the schema of the version table',
  *checkProject({ input: { environment } }) {
    if (environment?.refused?.sqlState === MISSING_SCHEMA) yield* refusal(environment, 'on a new database, the deploy');
  },
};

/** The runner's own error. With a `failure`, no revision ran, and the review says so. */
function* refusal(environment: EnvironmentFacts | undefined, where: string): Iterable<RuleFinding & { readonly file: string }> {
  if (!environment?.refused || environment.failure) return;
  const { file, refused } = environment;
  yield {
    file,
    line: 1,
    seen: 'replay',
    message: `${where} and "safe-alembic apply" fail with ${refused.code}: ${refused.message}`,
    instead: `# ${refused.next}`,
  };
}
