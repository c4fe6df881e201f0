import type { TestBed } from './test-bed';

/** A database, and what a backend needs to reach it. */
export interface Database {
  readonly name: string;
  /** The variables that the sample reads. */
  readonly env: NodeJS.ProcessEnv;
  /** Fails unless the version table holds exactly this revision. */
  expectVersion(revision: string): Promise<void>;
  /** Tables of the schema `public`, without Alembic's own. */
  countTables(): Promise<number>;
  drop(): Promise<void>;
}

export async function createDatabase(testBed: TestBed, name: string): Promise<Database> {
  await testBed.postgres.createDatabase(name);
  return databaseOf(testBed, name);
}

/** Copies a database. It must have no connections. */
export async function copyDatabase(testBed: TestBed, name: string, original: Database): Promise<Database> {
  await testBed.postgres.query('postgres', `CREATE DATABASE "${name}" TEMPLATE "${original.name}" STRATEGY FILE_COPY`);
  return databaseOf(testBed, name);
}

function databaseOf({ postgres }: TestBed, name: string): Database {
  return {
    name,
    env: {
      POSTGRES_HOST: postgres.host,
      POSTGRES_PORT: String(postgres.port),
      POSTGRES_USER: postgres.user,
      POSTGRES_PASSWORD: postgres.password,
      POSTGRES_DB: name,
    },
    async expectVersion(revision) {
      const found = await postgres.query<{ version_num: string }>(name, 'SELECT version_num FROM alembic_version');
      const versions = found.map(({ version_num }) => version_num).join(', ');
      if (versions !== revision) throw new Error(`the database is at ${versions || 'nothing'} instead of ${revision}`);
    },
    async countTables() {
      const sql = "SELECT count(*)::int AS count FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'";
      return (await postgres.query<{ count: number }>(name, sql))[0]?.count ?? 0;
    },
    async drop() {
      await postgres.query('postgres', `DROP DATABASE "${name}" WITH (FORCE)`);
    },
  };
}
