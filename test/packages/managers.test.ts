import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { mustRun, neutralEnvironment, projectDirectory, type RunResult, run } from '../../examples/local-aws';
import { version } from '../../package.json';
import { cached } from '../../scripts/packages/cached';
import { awsEnvironment } from '../support/aws/environment';
import { packNpm } from './tarballs';

/* Both npm packages, packed and installed into a fresh project by the package managers besides npm. */

interface Manager {
  /** The program, in `node_modules` of the tools. */
  readonly program: string;
  readonly install: readonly string[];
  /** Arguments before a command of an installed package. */
  readonly exec: readonly string[];
  /** Arguments before a file that Node.js runs. */
  readonly node: readonly string[];
  /** Its files in the project. */
  readonly files?: Readonly<Record<string, string>>;
  /** It makes no `node_modules`. */
  readonly plugAndPlay?: true;
}

const MANAGERS: Readonly<Record<string, Manager>> = {
  pnpm: {
    program: '.bin/pnpm',
    install: ['install', '--no-frozen-lockfile'],
    exec: ['exec'],
    node: ['exec', 'node'],
    files: { 'pnpm-workspace.yaml': pnpmSettings() },
  },
  'yarn 1': {
    program: 'yarn/bin/yarn.js',
    // Its cache may have the package of an earlier run, which has the same version.
    install: ['install', '--cache-folder', 'cache', '--no-progress'],
    exec: ['--silent', 'run'],
    node: ['--silent', 'node'],
  },
  // With its default linker.
  'yarn 4': {
    plugAndPlay: true,
    program: '@yarnpkg/cli-dist/bin/yarn.js',
    install: ['install'],
    exec: ['run'],
    node: ['node'],
    files: { 'yarn.lock': '', '.yarnrc.yml': 'enableImmutableInstalls: false\nenableTelemetry: false\n' },
  },
  bun: { program: '.bin/bun', install: ['install'], exec: ['run'], node: ['run', 'node'] },
};

/** The page's settings for pnpm, which fails on install scripts that are neither allowed nor denied. */
function pnpmSettings(): string {
  const page = readFileSync(path.join(projectDirectory, 'docs/safe-alembic.md'), 'utf8');
  return /```yaml\n# pnpm-workspace.yaml\n(.*?)```/s.exec(page)?.[1] ?? '';
}

const APP = `
const { App, Stack } = require('aws-cdk-lib');
const { Secret } = require('aws-cdk-lib/aws-secretsmanager');
const { AlembicMigration, DatabaseVariables, MigrationCode, MigrationDatabase } = require('cdk-alembic');
const stack = new Stack(new App(), 'shop');
const secret = Secret.fromSecretNameV2(stack, 'Secret', 'shop');
new AlembicMigration(stack, 'Migration', {
  appName: 'shop',
  stage: 'prod',
  code: MigrationCode.fromImage('back'),
  database: MigrationDatabase.fromSecret(secret, { variables: DatabaseVariables.parts() }),
});
console.log(Object.keys(stack.node.root.synth().getStackByName('shop').template.Resources).length > 5);
`;

const env: NodeJS.ProcessEnv = { ...neutralEnvironment(process.env), ...awsEnvironment(), CDK_VALIDATION: 'false', CI: 'true' };
let folder: string;
let tarballs: [string, string];
let tools: string;
beforeAll(async () => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'managers-')));
  tarballs = await packNpm(folder);
  tools = await cached('managers', ['test/packages/managers'], async (target) => {
    cpSync(path.join(__dirname, 'managers'), target, { recursive: true });
    await mustRun('npm', ['install', '--no-audit', '--no-fund'], { env, cwd: target });
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(Object.entries(MANAGERS))('%s', (name, { program, install, exec, node, files = {}, plugAndPlay }) => {
  let app: string;

  /** Runs the package manager in the app. */
  function manager(...args: string[]): Promise<RunResult> {
    const file = path.join(tools, 'node_modules', program);
    return file.endsWith('.js') ? run(process.execPath, [file, ...args], { env, cwd: app }) : run(file, args, { env, cwd: app });
  }

  beforeAll(() => {
    app = path.join(folder, name.replace(' ', ''));
    mkdirSync(path.join(app, 'back'), { recursive: true });
    const [cdk, safe] = tarballs;
    const dependencies = {
      ...{ 'cdk-alembic': `file:${cdk}`, 'safe-alembic': `file:${safe}` },
      ...{ '@aws-sdk/client-lambda': '3.1164.0', '@aws-sdk/client-sfn': '3.1164.0' },
    };
    const written = { 'package.json': JSON.stringify({ name: 'app', version: '1.0.0', private: true, dependencies }), ...files };
    for (const [file, text] of Object.entries(written)) writeFileSync(path.join(app, file), text);
  });

  test('installs both packages without an error', async () => {
    const { code, output } = await manager(...install);
    expect([code, code === 0 ? '' : output]).toEqual([0, '']);
  });

  test.each(['migrate-invoke', 'migrate-package', 'safe-alembic'])('starts %s', async (command) => {
    const { code, stdout } = await manager(...exec, command, '--version');
    expect([code, stdout]).toEqual([0, version]);
  });

  test('gives the client to CommonJS and to ES modules', async () => {
    writeFileSync(path.join(app, 'c.cjs'), "console.log(typeof require('cdk-alembic/client').MigrateClient);");
    writeFileSync(
      path.join(app, 'm.mjs'),
      "import { MigrateClient } from 'cdk-alembic/client';\nconsole.log(typeof MigrateClient);",
    );
    for (const file of ['c.cjs', 'm.mjs']) {
      const { code, output } = await manager(...node, file);
      expect([code, output]).toEqual([0, 'function']);
    }
  });

  // The CDK is 240 MB, so these apps link to this project's copy. Plug'n'Play allows no links.
  if (plugAndPlay) return;
  test('synthesizes the construct', async () => {
    for (const cdk of ['aws-cdk-lib', 'constructs'])
      symlinkSync(path.join(projectDirectory, 'node_modules', cdk), path.join(app, 'node_modules', cdk));
    writeFileSync(path.join(app, 'app.js'), APP);
    cpSync(path.join(projectDirectory, 'examples/template-saas/back'), path.join(app, 'back'), { recursive: true });
    const { code, stdout, output } = await manager(...node, 'app.js');
    expect([code, code === 0 ? stdout : output]).toEqual([0, 'true']);
  });
});
