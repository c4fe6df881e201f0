/** A variable that the tests in this folder can't do without; `npm test` sets all of them. */
export function needed(name: 'PGHOST' | 'PGPORT' | 'PGUSER' | 'PGPASSWORD' | 'RUNNER_PYTHON'): string {
  const value = process.env[name];
  if (value) return value;
  const what =
    name === 'RUNNER_PYTHON'
      ? 'a Python with alembic, sqlalchemy, psycopg, botocore and awslambdaric'
      : 'a PostgreSQL in which databases can be made';
  throw new Error(`the environment variable ${name} is missing: these tests need ${what}; run them with \`npm test\``);
}
