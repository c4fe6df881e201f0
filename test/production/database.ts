import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { needed } from './environment';

/** SQL of a revision that goes on when the test says so. */
export const HELD = 'DO $$ BEGIN WHILE EXISTS (SELECT FROM held) LOOP PERFORM pg_sleep(0.02); END LOOP; END $$';

/** A database of the test's own in the real PostgreSQL. */
export class Database {
  private constructor(readonly name: string) {}

  static async create(): Promise<Database> {
    const name = `production_${randomUUID().replaceAll('-', '')}`;
    await query('postgres', `CREATE DATABASE ${name} STRATEGY FILE_COPY`);
    return new Database(name);
  }

  /** Calls back with an empty database, which is dropped afterwards. */
  static async with<Result>(use: (database: Database) => Promise<Result>): Promise<Result> {
    const database = await Database.create();
    try {
      return await use(database);
    } finally {
      await database.drop();
    }
  }

  /** As SQLAlchemy takes it. */
  get url(): string {
    return this.plainUrl.replace('postgresql:', 'postgresql+psycopg:');
  }

  /** As `pg` and `--database-url` take it. */
  get plainUrl(): string {
    const user = `${encodeURIComponent(needed('PGUSER'))}:${encodeURIComponent(needed('PGPASSWORD'))}`;
    return `postgresql://${user}@${needed('PGHOST')}:${needed('PGPORT')}/${this.name}`;
  }

  /** The rows of a query, each as a list. */
  rows(text: string): Promise<unknown[][]> {
    return query(this.name, text);
  }

  /** How often each revision has run, as it says itself: every revision of `releases.ts` writes a row. */
  async ran(): Promise<Record<string, number>> {
    const rows = await this.rows('SELECT revision, count(*)::int FROM ran GROUP BY 1 ORDER BY 1');
    return Object.fromEntries(rows);
  }

  async version(): Promise<unknown[]> {
    return (await this.rows('SELECT version_num FROM alembic_version')).flat();
  }

  /** Runs of the history that applied something: who asked, how it ended, which revisions. */
  runs(): Promise<unknown[][]> {
    return this.rows(
      `SELECT requested_by, outcome, array_agg(revision ORDER BY position)
       FROM cdk_alembic.run JOIN cdk_alembic.run_revision ON run_id = id GROUP BY id ORDER BY started_at`,
    );
  }

  /** Resolves when a statement like this one runs. */
  async running(pattern: string): Promise<void> {
    const look = `SELECT FROM pg_stat_activity WHERE datname = '${this.name}' AND state = 'active'
      AND pid <> pg_backend_pid() AND query LIKE '${pattern}'`;
    while ((await query('postgres', look)).length === 0) await sleep(50);
  }

  /** Has revisions with {@link HELD} wait. */
  async hold(): Promise<void> {
    await this.rows('CREATE TABLE held AS SELECT 1 AS one');
  }

  /** Lets them go on. */
  async letGo(): Promise<void> {
    await this.rows('DELETE FROM held');
  }

  async drop(): Promise<void> {
    await query('postgres', `DROP DATABASE IF EXISTS ${this.name} WITH (FORCE)`);
  }
}

async function query(database: string, text: string): Promise<unknown[][]> {
  const client = new Client({
    host: needed('PGHOST'),
    port: Number(needed('PGPORT')),
    user: needed('PGUSER'),
    password: needed('PGPASSWORD'),
    database,
  });
  await client.connect();
  try {
    return (await client.query({ text, rowMode: 'array' })).rows;
  } finally {
    await client.end();
  }
}
