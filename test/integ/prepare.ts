import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type NewMigration, projectDirectory, type SampleBackend, sampleBackend } from '../../examples/local-aws';
import { mustRun } from '../../lib/local/processes/run';

export const STACK = 'cdk-alembic-integ';
export const APP = 'integ.template-saas.js';

export const ADD_PHONE: NewMigration = {
  revision: '0a1b2c3d4e01',
  message: 'Add phone to users',
  upgrade: ['op.add_column("users", sa.Column("phone", sa.String(32)))'],
};
export const DIVIDE: NewMigration = {
  revision: '0a1b2c3d4e02',
  message: 'Add an index',
  upgrade: ['op.add_column("users", sa.Column("rank", sa.Integer))', 'op.execute("SELECT 1 / 0")'],
};

/** integ-runner reads assemblies up to schema 53, which newer versions of the CDK do not write any more. */
const CDK = { 'aws-cdk-lib': '2.255.0', constructs: '10.5.0' };
export const TOOLS = { '@aws-cdk/integ-runner': '2.197.10', '@aws-cdk/integ-tests-alpha': '2.245.0-alpha.0' };

/** Installs the packed package and the tools into a folder, beside the app. */
export async function prepare(folder: string, tarball: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const dependencies = { ...CDK, ...TOOLS, 'cdk-alembic': `file:${tarball}` };
  writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify({ private: true, dependencies }, null, 2)}\n`);
  const options = { env: process.env, cwd: folder };
  await mustRun('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock'], options);
  cpSync(path.join(__dirname, APP), path.join(folder, APP));
  // What integ-runner sets for its own synth: the steps deploy the same stack.
  const flags = path.join(folder, 'node_modules/@aws-cdk/integ-runner/lib/recommended-feature-flags.json');
  const context = JSON.parse(readFileSync(flags, 'utf8'));
  writeFileSync(path.join(folder, 'cdk.json'), `${JSON.stringify({ app: `node ${APP}`, context }, null, 2)}\n`);
}

/** A copy of the sample's backend, with its lock. */
export async function backendIn(folder: string): Promise<SampleBackend> {
  const directory = path.join(folder, 'back');
  cpSync(path.join(projectDirectory, 'examples/template-saas/back'), directory, {
    recursive: true,
    filter: (source) => !['.venv', '__pycache__'].includes(path.basename(source)),
  });
  await mustRun('uv', ['lock', '--quiet', '--directory', directory], { env: process.env, cwd: directory });
  return sampleBackend(directory);
}

/** The environment of the app. */
export function appEnvironment(folder: string, failsLater = false): NodeJS.ProcessEnv {
  return {
    ...process.env,
    INTEG_BACKEND: path.join(folder, 'back'),
    INTEG_STEPS: `npx --prefix ${projectDirectory} tsx ${path.join(__dirname, 'steps.ts')} ${folder}`,
    INTEG_FAILS_LATER: failsLater ? 'yes' : '',
  };
}
