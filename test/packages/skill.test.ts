import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { commandDirectory, neutralEnvironment, projectDirectory } from '../../examples/local-aws';
import { VERBS } from '../../lib/cli/safe-alembic/verbs';
import { withPostgresServer } from '../../lib/local/postgres/server';
import { type RunResult, run } from '../../lib/local/processes/run';
import { cachedWheels } from '../local/installed-command';
import { needed } from '../production/environment';

/* The skill, followed from top to bottom on the sample, with the package as uv installs it. */

const SKILL = readFileSync(path.join(projectDirectory, 'skills/create-db-migration/SKILL.md'), 'utf8');
const COMMANDS = [...SKILL.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, code = '']) => code.trim().split('\n'));

let folder: string;
let back: string;

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'skill-')));
  back = path.join(folder, 'back');
  cpSync(path.join(projectDirectory, 'examples/template-saas/back'), back, { recursive: true });
  const wheels = await cachedWheels();
  await inBack('uv', ['add', '--quiet', '--dev', '--python', needed('RUNNER_PYTHON'), '--find-links', wheels, 'safe-alembic']);
  for (const args of [
    ['init', '--quiet', '--initial-branch', 'main'],
    ['add', '-A'],
    ['commit', '--quiet', '--message', 'Start'],
  ])
    await inBack('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...args]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function inBack(program: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<RunResult> {
  const PATH = `${await commandDirectory('uv')}${path.delimiter}${process.env.PATH}`;
  const result = await run(program, args, { env: { ...neutralEnvironment(process.env), PATH, ...more }, cwd: back });
  if (result.code !== 0) throw new Error(`${program} ${args.join(' ')}\n${result.output}`);
  return result;
}

test('its commands, in order, create a safe migration and apply it', async () => {
  await withPostgresServer(folder, async (server) => {
    const { hostname, port, username, password, pathname } = new URL(server.url());
    const variables = {
      POSTGRES_HOST: hostname,
      POSTGRES_PORT: port,
      POSTGRES_USER: username,
      POSTGRES_PASSWORD: decodeURIComponent(password),
      POSTGRES_DB: pathname.slice(1),
    };
    await inBack('uv', ['run', '--quiet', 'safe-alembic', 'apply'], variables);
    for (const command of COMMANDS) {
      if (command.includes(' create ')) addPhone();
      await inBack('sh', ['-c', command], variables);
    }
    const client = new Client(server.url());
    await client.connect();
    const { rows } = await client.query(
      `SELECT indexdef, indisvalid FROM pg_indexes JOIN pg_index ON indexrelid = indexname::regclass WHERE indexname = 'ix_users_phone'`,
    );
    await client.end();
    expect(rows).toEqual([{ indexdef: expect.stringContaining('(phone)'), indisvalid: true }]);
  });
});

/** The change of the models that the skill speaks of. */
function addPhone(): void {
  const models = path.join(back, 'app/models.py');
  const anchor = '    full_name: Mapped[str] = mapped_column(String(200))\n';
  const text = readFileSync(models, 'utf8');
  expect(text).toContain(anchor);
  writeFileSync(models, text.replace(anchor, `${anchor}    phone: Mapped[str | None] = mapped_column(String(20), index=True)\n`));
}

test('it has the commands of every step', () => {
  const verbs = COMMANDS.map((command) => command.replace(/^uv run safe-alembic (\S+).*$/, '$1'));
  expect(verbs).toEqual([
    '--version',
    'history',
    'verify',
    'create',
    'review',
    'explain',
    'review',
    'apply',
    'verify',
    'current',
  ]);
});

test.each([...SKILL.matchAll(/`(--[a-z-]+)/g)].map(([, option]) => option ?? ''))('%s is an option', (option) => {
  expect(Object.values(VERBS).flatMap(({ options }) => Object.keys(options))).toContain(option.slice(2));
});

test('it names the service in the Docker Compose file of the sample', () => {
  expect(readFileSync(path.join(projectDirectory, 'examples/template-saas/docker-compose.yml'), 'utf8')).toMatch(/^ {2}back:$/m);
  expect(SKILL).toContain('`docker compose exec back`');
});
