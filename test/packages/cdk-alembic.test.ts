import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { commandDirectory, mustRun, neutralEnvironment, toolPython } from '../../examples/local-aws';
import { run } from '../../lib/local/processes/run';
import { version } from '../../package.json';
import { cdkAlembic, pythonCdk } from './cdk-alembic';

/* The package `cdk-alembic`, installed as npm and pip install it. */

const env = neutralEnvironment(process.env);
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'cdk-alembic-package-'));
  const { npm } = await cdkAlembic();
  const { stdout } = await mustRun('npm', ['pack', '--silent', '--pack-destination', folder], { env, cwd: npm });
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }');
  // Offline: the package brings everything that it needs.
  await mustRun('npm', ['install', '--offline', '--no-audit', '--no-fund', `./${stdout.trim()}`], { env, cwd: folder });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const installed = (...names: string[]): string => path.join(folder, 'node_modules', ...names);

test('npm installs it without dependencies in at most 8 MB, and the commands run', async () => {
  expect(readdirSync(installed()).filter((name) => !name.startsWith('.'))).toEqual(['cdk-alembic']);
  const files = readdirSync(installed(), { recursive: true, encoding: 'utf8' }).map((name) => statSync(installed(name)));
  const bytes = files.reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0);
  expect(bytes).toBeLessThan(8_000_000);

  for (const command of ['migrate-invoke', 'migrate-package']) {
    const { stdout } = await mustRun(installed('.bin', command), ['--version'], { env });
    expect(stdout).toBe(version);
  }
});

test('it reads what revisions destroy', async () => {
  const backend = path.join(folder, 'backend');
  mkdirSync(backend);
  writeFileSync(path.join(backend, 'aa.py'), 'from alembic import op\n\n\ndef upgrade():\n    op.drop_table("users")\n');
  const module = installed('cdk-alembic/dist/lib/packaging/proof/data-losses.js');
  const program = `console.log(JSON.stringify(require(${JSON.stringify(module)}).readDataLosses('python3', '.', ['aa.py'])))`;
  const { stdout } = await mustRun(process.execPath, ['-e', program], { env: await pythonCdk(), cwd: backend });
  expect(JSON.parse(stdout)).toEqual({ 'aa.py': [expect.objectContaining({ rule: 'drop-table' })] });
});

test('it contains no sources or tests', () => {
  const files = readdirSync(installed('cdk-alembic'), { recursive: true, encoding: 'utf8' });
  const own = files.filter((name) => !name.startsWith('node_modules') && /\.m?ts$/.test(name) && !/\.d\.m?ts$/.test(name));
  expect(own).toEqual([]);
  expect(files.filter((name) => /__pycache__|\.test\./.test(name))).toEqual([]);
});

test('pip needs only the CDK besides it, and installs the command', async () => {
  const { wheel } = await cdkAlembic();
  const [uv, python] = [path.join(await commandDirectory('uv'), 'uv'), await toolPython('python-cdk')];
  const { stderr } = await mustRun(uv, ['pip', 'install', '--dry-run', '--offline', '--python', python, wheel], { env });
  expect(stderr.match(/^ [+-] .*/gm)).toEqual([expect.stringContaining('+ cdk-alembic @ ')]);

  const { site } = await cdkAlembic();
  const { code, stderr: told } = await run('python3', [path.join(site, 'bin/migrate-invoke'), '--stage'], {
    env: await pythonCdk(),
  });
  expect(told).toContain('invalid_usage: --stage needs a value');
  expect(code).toBe(2);
});

test('the manifest has everything that Construct Hub requires', () => {
  const manifest = JSON.parse(readFileSync(installed('cdk-alembic/package.json'), 'utf8'));
  expect(manifest).toMatchObject({
    license: 'Apache-2.0',
    keywords: expect.arrayContaining(['cdk', 'aws-cdk']),
    author: { name: expect.any(String) },
    repository: { url: expect.stringContaining('https://') },
    jsii: { targets: { python: {}, java: {}, dotnet: {}, go: {} } },
  });
  expect(manifest.scripts).toBeUndefined();
});
