/** Lines of an env.py, after its imports. */
export const env = (...lines: readonly string[]): string => `from alembic import context
from sqlalchemy import create_engine, text

${lines.join('\n')}
`;

export const CONNECT = 'with create_engine("postgresql+psycopg://nobody@nowhere.invalid/none").connect() as connection:';
export const RUN = [
  '    context.configure(connection=connection)',
  '    with context.begin_transaction():',
  '        context.run_migrations()',
];

const configured = (more: string) => RUN.map((line) => line.replace('connection=connection', `connection=connection, ${more}`));
const OWN_SCHEMA = configured('version_table_schema="own"');

interface EnvExample {
  readonly bad: string;
  readonly good: string;
}

/** For each rule about env.py, one that it finds and one that passes. */
export const ENV_EXAMPLES = {
  'env-keeps-nothing': {
    bad: env(CONNECT, '    connection.execute(text("SET search_path = public"))', ...RUN),
    good: env(CONNECT, ...RUN),
  },
  'env-outer-transaction': {
    bad: env(CONNECT.replace('.connect()', '.begin()'), ...RUN),
    good: env(CONNECT, ...RUN),
  },
  'env-one-transaction': {
    bad: env(CONNECT, ...RUN),
    good: env(CONNECT, ...configured('transaction_per_migration=True')),
  },
  'lock-timeout-missing': {
    bad: env(CONNECT, ...RUN),
    good: env(CONNECT.replace('")', '", connect_args={"options": "-c lock_timeout=2s"})'), ...RUN),
  },
  'env-refused': {
    bad: env('for schema in ("north", "south"):', ...[CONNECT, ...RUN].map((line) => `    ${line}`)),
    good: env(CONNECT, ...RUN),
  },
  'version-table-schema-missing': {
    bad: env(CONNECT, ...OWN_SCHEMA),
    good: env(
      CONNECT,
      '    connection.execute(text("CREATE SCHEMA IF NOT EXISTS own"))',
      '    connection.commit()',
      ...OWN_SCHEMA,
    ),
  },
} as const satisfies Readonly<Record<string, EnvExample>>;
