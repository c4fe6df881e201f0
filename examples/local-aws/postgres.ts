import { Client } from 'pg';
import { type PostgresServer, startPostgresServer } from '../../lib/local/postgres/server';

/** A PostgreSQL server, with queries. */
export interface Postgres extends PostgresServer {
  createDatabase(name: string): Promise<void>;
  /** Rows of one statement. */
  query<Row = Record<string, unknown>>(database: string, sql: string, values?: readonly unknown[]): Promise<Row[]>;
}

/** Starts a server with its data in `folder`, which is removed when the server stops. */
export async function startPostgres(folder: string): Promise<Postgres> {
  const server = await startPostgresServer(folder, __dirname);
  const query: Postgres['query'] = async (database, sql, values = []) => {
    const client = new Client(server.url(database));
    await client.connect();
    try {
      return (await client.query(sql, [...values])).rows;
    } finally {
      await client.end();
    }
  };
  return {
    ...server,
    query,
    createDatabase: async (name) => {
      await query('postgres', `CREATE DATABASE "${name.replaceAll('"', '""')}"`);
    },
  };
}
