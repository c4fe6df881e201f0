import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pythonCdk } from '../packages/cdk-alembic';
import { blocks, PAGES, textOf } from './pages';

/** `py` is an app of the CDK, `python` is a revision. */
const PYTHON = blocks('py');

/** A block that opens with the name of its file is that file. */
const WHOLE_FILE = /^# \S+\.py\n/;

let env: NodeJS.ProcessEnv;
let folder: string;
beforeAll(async () => {
  env = { ...(await pythonCdk()), CDK_VALIDATION: 'false' };
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'docs-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function python(args: readonly string[], options: { readonly input?: string; readonly env?: NodeJS.ProcessEnv } = {}): string {
  const cwd = join(folder, 'infra');
  mkdirSync(cwd);
  const run = spawnSync('python3', args, { cwd, env, encoding: 'utf8', ...options });
  if (run.status !== 0) throw new Error(run.stderr);
  return run.stdout;
}

test('the Python in the documentation runs', () => {
  const parts = PYTHON.filter(({ code }) => !WHOLE_FILE.test(code));
  expect(parts.length).toBeGreaterThan(10);
  expect(python([join(__dirname, 'cdk_blocks.py')], { input: JSON.stringify(parts) })).toBe(`${parts.length}\n`);
});

test('the app in Python synthesizes the database and the migration in two stacks', () => {
  const [app, ...others] = PYTHON.filter(({ code }) => WHOLE_FILE.test(code));
  expect(others).toEqual([]);
  mkdirSync(join(folder, 'back'));
  writeFileSync(join(folder, 'back/main.py'), '');
  writeFileSync(join(folder, 'app.py'), app?.code ?? '');
  python([join(folder, 'app.py')], { env: { ...env, CDK_OUTDIR: join(folder, 'cdk.out') } });
  const { artifacts } = JSON.parse(readFileSync(join(folder, 'cdk.out/manifest.json'), 'utf8'));
  expect(artifacts['shop-backend-prod'].dependencies).toContain('shop-data-prod');
});

test('each construct that a page shows in TypeScript is also shown in Python', () => {
  const pages = PAGES.filter((page) => page !== 'README.md');
  const shown = blocks('ts', pages).filter(({ code }) => /from 'cdk-alembic'/.test(code));
  expect(shown.length).toBeGreaterThan(10);
  const alone = shown.filter(({ page, line, code }) => {
    const below = textOf(page)
      .split('\n')
      .slice(line - 1)
      .join('\n')
      .slice(code.length);
    return !below.startsWith('```\n\n```py\n');
  });
  expect(alone).toEqual([]);
});
