import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { withPostgresServer } from '../../lib/local/postgres/server';
import { needed } from '../production/environment';
import { useTestBed } from './installed-command';
import { eventually, runs } from './processes';

/* The command as a project has it, with its own Python and a real PostgreSQL. */

const bed = useTestBed();

const safeAlembic = (args: readonly string[], env?: NodeJS.ProcessEnv) => bed.start(args, env).ended;

describe('safe-alembic review', () => {
  it('finds what would hurt production, and ends with exit code 1', async () => {
    bed.project.revision('b2', 'a1', 'Drop users', 'op.drop_table("users")');
    const { code, stdout, stderr } = await safeAlembic(['review']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('the head')]);
    expect(stdout).toContain('drop-table');
    expect(stdout).toContain('# cdk-alembic: allow drop-table: <reason>');
  });

  it('reviews the revisions that are new since the default branch', async () => {
    bed.project.commit();
    bed.project.revision(
      'b2',
      'a1',
      'Add name to users',
      'op.add_column("users", sa.Column("name", sa.Text()))',
      'op.drop_column("users", "name")',
    );
    bed.project.models(['sa.Column("name", sa.Text())']);
    const { code, stdout, stderr } = await safeAlembic(['review', '--json']);
    expect(stderr).toContain('1 revision new or changed since main');
    const review = JSON.parse(stdout);
    expect(review.revisions.map(({ revision }: { revision: string }) => revision)).toEqual(['b2']);
    expect([code, review.summary.replayed, review.postgres]).toEqual([0, 1, expect.stringMatching(/^18\./)]);
  });

  it('treats the revisions of a branch as one release, and without git each revision as its own release', async () => {
    const index = 'op.create_index("ix_teams_name", "teams", ["name"])';
    const asked = ['review', '--json', '--all'];
    const found = async () => {
      const { findings } = JSON.parse((await safeAlembic(asked)).stdout) as {
        findings: { rule: string; revision: string; line: number }[];
      };
      return findings.filter(({ rule, revision }) => rule === 'index-not-concurrent' && revision === 'c3').length;
    };
    const addTeams = () => {
      bed.project.revision(
        'b2',
        'a1',
        'Add teams table',
        'op.create_table("teams", sa.Column("name", sa.Text()))',
        'op.drop_table("teams")',
      );
      bed.project.revision('c3', 'b2', 'Add index on teams.name', index, 'op.drop_index("ix_teams_name")');
    };
    addTeams();
    expect(await found()).toBeGreaterThan(0);

    for (const revision of ['b2', 'c3']) rmSync(path.join(bed.project.directory, `migrations/versions/${revision}.py`));
    bed.project.commit();
    addTeams();
    expect(await found()).toBe(0);
  });

  it('accepts paths of revisions, as a shell completes them', async () => {
    const { stdout } = await safeAlembic(['review', '--json', path.join('migrations', 'versions', 'a1.py')]);
    expect(JSON.parse(stdout).revisions.map(({ revision }: { revision: string }) => revision)).toEqual(['a1']);
  });

  it('rejects an unknown revision before anything is replayed', async () => {
    for (const [named, message] of [
      ['zz', 'unknown_revision: the project has no revision "zz"'],
      ['migrations/env.py', 'unknown_revision: migrations/env.py is not the file of a revision of this project'],
    ] as const) {
      expect(await safeAlembic(['review', named])).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
    }
  });

  it('never touches a non-empty database without --overwrite', async () => {
    await withPostgresServer(__dirname, async (server) => {
      const client = new Client(server.url());
      await client.connect();
      await client.query('CREATE TABLE precious AS SELECT 1');
      const refused = await safeAlembic(['review', '--all', '--database-url', server.url()]);
      expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining('scratch_not_empty') });
      expect((await client.query('SELECT * FROM precious')).rowCount).toBe(1);

      expect(
        await safeAlembic(['review', '--all', '--fail-on', 'never', '--database-url', server.url(), '--overwrite']),
      ).toMatchObject({ code: 0 });
      expect((await client.query("SELECT to_regclass('precious') AS is")).rows).toEqual([{ is: null }]);
      await client.end();
    });
  });

  it.each([
    ['Ctrl-C', 'SIGINT', 130],
    ['a request to end', 'SIGTERM', 130],
    ['the end of its terminal', 'SIGHUP', 130],
    ['a kill that nobody can handle', 'SIGKILL', null],
  ] as const)('leaves no server and no folder behind after %s', async (_, signal, exitCode) => {
    const begun = path.join(bed.project.directory, 'begun');
    const wait = `open(${JSON.stringify(begun)}, "w").close(); op.execute("SELECT pg_sleep(3000)")`;
    bed.project.revision('b2', 'a1', 'Wait for ever', wait);
    const running = bed.start(['review', '--json']);
    const server = await serverIn(bed.scratch);
    await eventually(() => existsSync(begun));
    running.kill(signal);
    const { code, stdout } = await running.ended;
    expect(code).toBe(exitCode);
    if (exitCode === 130) expect(JSON.parse(stdout)).toMatchObject({ status: 'failed', error: { code: 'interrupted' } });
    await eventually(() => !runs(server) && readdirSync(bed.scratch).length === 0);
  });

  it('reports that the backend’s Python died, and leaves nothing behind', async () => {
    bed.project.revision('b2', 'a1', 'Run out of memory', 'import os, sys; print("the last words", flush=True); os._exit(9)');
    const { code, stderr } = await safeAlembic(['review']);
    expect(code).toBe(1);
    expect(stderr).toContain('observer_died');
    expect(stderr).toContain('| the last words');
  });
});

describe('safe-alembic create', () => {
  it('writes the changes of the models into a revision, shows it and reviews it', async () => {
    bed.project.models(['sa.Column("email", sa.Text())']);
    const { code, stdout } = await safeAlembic(['create', 'Add email to users']);
    expect(code).toBe(0);
    const [, created = ''] = /created (\S+)/.exec(stdout) ?? [];
    expect(readFileSync(path.join(bed.project.directory, created), 'utf8')).toContain("op.add_column('users'");
    expect(stdout).toContain("op.add_column('users'");
    expect(stdout).toMatch(/1 revision reviewed/);
  });

  it('writes nothing if models and migrations agree, except with --empty', async () => {
    expect(await safeAlembic(['create', 'Add email to users'])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('nothing_to_create'),
    });
    expect(bed.project.revisions).toEqual(['a1.py']);
    expect(await safeAlembic(['create', 'Fill email of users', '--empty', '--fail-on', 'never'])).toMatchObject({ code: 0 });
    expect(bed.project.revisions).toHaveLength(2);
  });

  it.each(['update', 'fix', 'WIP', '123'])('rejects the message "%s" before anything starts', async (message) => {
    const { code, stderr } = await safeAlembic(['create', message]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('vague_description')]);
    expect(bed.project.revisions).toEqual(['a1.py']);
  });
});

describe('the project’s own database', () => {
  it('is upgraded, shown and verified', async () => {
    await withPostgresServer(__dirname, async (server) => {
      const env = { DATABASE_URL: server.url().replace('postgresql:', 'postgresql+psycopg:') };
      bed.project.revision(
        'b2',
        'a1',
        'Add name to users',
        'op.add_column("users", sa.Column("name", sa.Text()))',
        'op.drop_column("users", "name")',
      );
      bed.project.models(['sa.Column("name", sa.Text())']);

      expect(await safeAlembic(['current'], env)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('2 revisions pending'),
      });
      expect(await safeAlembic(['verify'], env)).toMatchObject({
        code: 1,
        stdout: expect.stringContaining('✗ the database is at base'),
      });
      const applied = await safeAlembic(['apply', '--revision', 'a1'], env);
      expect(applied).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/✓ a1 {2}Add users table .*\n1 revision applied in .*: base → a1/),
      });
      expect(await safeAlembic(['history'], env)).toMatchObject({
        code: 0,
        stdout: '○ b2  Add name to users  (head)\n● a1  Add users table  (database)\n2 revisions, one head\n',
      });
      expect(await safeAlembic(['apply'], env)).toMatchObject({ code: 0, stdout: expect.stringContaining('a1 → b2 (head)') });
      expect(await safeAlembic(['apply'], env)).toMatchObject({
        code: 0,
        stdout: 'nothing to do: the database is at b2 (head)\n',
      });
      const verified = await safeAlembic(['verify', '--json'], env);
      expect(JSON.parse(verified.stdout)).toMatchObject({
        exitCode: 0,
        checks: ['at-head', 'one-head', 'models', 'env', 'round-trip'].map((check) => ({ check, passed: true })),
      });
    });
  });

  it('is not changed by a revision that destroys data and does not say why', async () => {
    await withPostgresServer(__dirname, async (server) => {
      const env = { DATABASE_URL: server.url().replace('postgresql:', 'postgresql+psycopg:') };
      await safeAlembic(['apply'], env);
      bed.project.revision('b2', 'a1', 'Drop users', 'op.drop_table("users")');
      expect(await safeAlembic(['apply'], env)).toMatchObject({ code: 3, stderr: expect.stringContaining('blocked') });
      expect(await safeAlembic(['current'], env)).toMatchObject({ stdout: expect.stringContaining('the database is at a1') });
    });
  });

  it('that create_all created is recognized, and the error names the revision to stamp', async () => {
    await withPostgresServer(__dirname, async (server) => {
      const env = { DATABASE_URL: server.url().replace('postgresql:', 'postgresql+psycopg:') };
      bed.project.revision('b2', 'a1', 'Add teams table', 'op.create_table("teams", sa.Column("id", sa.Integer()))');
      const client = new Client(server.url());
      await client.connect();
      await client.query('CREATE TABLE users (id bigserial PRIMARY KEY)');
      const { code, stderr } = await safeAlembic(['apply'], env);
      expect([code, stderr]).toEqual([1, expect.stringContaining('its tables are those of revision a1')]);
      expect(stderr).toContain('`alembic stamp a1`');
      const { stdout } = await safeAlembic(['verify'], env);
      expect(stdout).toContain('✗ the database has tables and no recorded revision');
      expect(stdout).toMatch(
        /disagree\n {4}the models need an operation .*'teams'.*\n {4}`.* create "\.\.\."` writes a revision/,
      );
      expect(stdout).toContain('`alembic stamp a1`');
      const tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'";
      expect((await client.query(tables)).rows).toEqual([{ tablename: 'users' }]);
      await client.end();
    });
  });

  it('fails to verify if env.py fails, which is reported once', async () => {
    bed.project.write('migrations/env.py', 'raise RuntimeError("no settings")');
    const { code, stdout } = await safeAlembic(['verify']);
    expect(code).toBe(1);
    expect(stdout.match(/^ {4}env\.py failed: RuntimeError: no settings/gm)).toHaveLength(1);
  });

  it('fails to verify revisions whose base tables no migration created, with the step that checks them', async () => {
    bed.project.revision('a1', null, 'Add name to users', 'op.add_column("users", sa.Column("name", sa.Text()))');
    const { code, stdout } = await safeAlembic(['verify']);
    expect([code, stdout]).toEqual([
      1,
      expect.stringMatching(/1 revision could not be replayed\n.*\n {4}pass a schema dump .*--baseline/),
    ]);
    expect(stdout).not.toContain('✓ 0 revisions');
  });

  it('is not needed for the history', async () => {
    expect(await safeAlembic(['history'])).toMatchObject({
      code: 0,
      stdout: '● a1  Add users table  (head)\n1 revision, one head\n',
      stderr: expect.stringContaining("the database's revision could not be determined"),
    });
    expect(await safeAlembic(['current'])).toMatchObject({ code: 4, stderr: expect.stringContaining('database_unreachable') });
  });
});

test('the backend’s Python is the active environment’s, unless another is named', async () => {
  const env = { VIRTUAL_ENV: path.dirname(path.dirname(needed('RUNNER_PYTHON'))), TMPDIR: bed.scratch };
  const before = readdirSync(bed.project.directory).sort();
  expect(await bed.installed.safeAlembic(['history'], { cwd: bed.project.directory, env }).ended).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('● a1  Add users table  (head)'),
  });
  expect(
    readdirSync(bed.project.directory)
      .filter((name) => name !== '__pycache__')
      .sort(),
  ).toEqual(before);
  const none = { PATH: '/nowhere', TMPDIR: bed.scratch };
  expect(await bed.installed.safeAlembic(['history'], { cwd: bed.project.directory, env: none }).ended).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('python_not_found'),
  });
});

test('the backend’s Python is that of the environment beside alembic.ini, although the team calls Alembic in the folder above', async () => {
  rmSync(path.join(bed.project.directory, 'alembic.ini'));
  mkdirSync(path.join(bed.project.directory, 'back'));
  bed.project.write('back/alembic.ini', '[alembic]\nscript_location = migrations\n');
  symlinkSync(path.dirname(path.dirname(needed('RUNNER_PYTHON'))), path.join(bed.project.directory, 'back/.venv'));
  const env = { PATH: '/nowhere', TMPDIR: bed.scratch };
  expect(await bed.installed.safeAlembic(['history'], { cwd: bed.project.directory, env }).ended).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('● a1  Add users table  (head)'),
  });
});

test('variables of the settings are set for the backend, and variables of the shell override them', async () => {
  await withPostgresServer(__dirname, async (server) => {
    const url = server.url().replace('postgresql:', 'postgresql+psycopg:');
    mkdirSync(path.join(bed.project.directory, 'src'));
    bed.project.write('src/elsewhere.py', '');
    bed.project.write(
      'migrations/versions/b2.py',
      'import elsewhere\nrevision = "b2"\ndown_revision = "a1"\ndef upgrade(): pass\n',
    );
    const environment = { DATABASE_URL: 'postgresql+psycopg://nobody@127.0.0.1:1/nothing', PYTHONPATH: 'src' };
    bed.project.write('cdk-alembic.json', JSON.stringify({ environment }));
    expect(await safeAlembic(['apply'])).toMatchObject({ code: 4, stderr: expect.stringContaining('database_unreachable') });
    expect(await safeAlembic(['apply'], { DATABASE_URL: url })).toMatchObject({ code: 0 });
    const client = new Client(server.url());
    await client.connect();
    expect((await client.query('SELECT version_num FROM alembic_version')).rows).toEqual([{ version_num: 'b2' }]);
    await client.end();
  });
});

test('the project and its settings are found from a sibling folder', async () => {
  const back = path.join(bed.scratch, 'back');
  const infra = path.join(bed.scratch, 'infra');
  try {
    for (const folder of [path.join(bed.scratch, '.git'), infra]) mkdirSync(folder);
    cpSync(bed.project.directory, back, { recursive: true });
    writeFileSync(path.join(back, 'cdk-alembic.json'), JSON.stringify({ python: needed('RUNNER_PYTHON') }));
    expect(await bed.installed.safeAlembic(['history'], { cwd: infra }).ended).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('1 revision, one head'),
    });
  } finally {
    for (const name of ['.git', 'back', 'infra']) rmSync(path.join(bed.scratch, name), { recursive: true });
  }
});

test('invalid settings are reported before anything starts', async () => {
  writeFileSync(path.join(bed.project.directory, 'cdk-alembic.json'), '{"rules": {"drop-tabel": "off"}}');
  expect(await safeAlembic(['current'])).toMatchObject({
    code: 3,
    stderr: expect.stringContaining('names the rule "drop-tabel"'),
  });
});

/** The process of the server that a command has started. */
async function serverIn(folder: string): Promise<number> {
  let server: number | undefined;
  await eventually(() => {
    const below = (parent: string) => readdirSync(parent).map((name) => path.join(parent, name));
    const file = below(folder)
      .flatMap(below)
      .map((own) => path.join(own, 'data/postmaster.pid'))
      .find(existsSync);
    const status = file === undefined ? '' : readFileSync(file, 'utf8');
    if (status.includes('ready')) server = Number(status.split('\n')[0]);
    return server !== undefined;
  });
  return server as number;
}
