import { copyFileSync, cpSync, mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { HANDLER, type RunnerSettings, SETTINGS_VARIABLE } from '../../lib/contract';
import type { Backend } from './backends';
import { packageBackend } from './packaging';
import type { TestBed } from './test-bed';

/** A function's package, zipped by the CDK and unpacked: as on Lambda below /var/task. */
export interface Unpacked {
  readonly root: string;
  readonly zipBytes: number;
  readonly handler: string;
  readonly env: NodeJS.ProcessEnv;
}

const SETTINGS: RunnerSettings = { stage: 'dev', allow: [], database: { source: 'environment' } };

/**
 * Packages a backend as the construct does.
 *
 * @param more settings of the function
 */
export function ourPackage(testBed: TestBed, backend: Backend, more: Partial<RunnerSettings> = {}): Promise<Unpacked> {
  return testBed.once(`ours-${path.basename(backend.directory)}`, async (directory) => {
    const { asset } = await packageBackend(testBed, backend, path.join(directory, 'cdk.out'));
    const env = { [SETTINGS_VARIABLE]: JSON.stringify({ ...SETTINGS, ...more }) };
    return throughZip(testBed, asset, directory, HANDLER, env);
  });
}

/** A package built by hand: `uv pip install --target`, the backend, and a handler that calls `command.upgrade`. */
export function plainPackage(testBed: TestBed, backend: Backend): Promise<Unpacked> {
  return testBed.once(`plain-${path.basename(backend.directory)}`, async (directory) => {
    const { root: dependencies } = await plainDependencies(testBed, backend);
    const laidOut = path.join(directory, 'laid-out');
    cpSync(dependencies, laidOut, { recursive: true });
    cpSync(backend.directory, path.join(laidOut, 'back'), { recursive: true });
    copyFileSync(path.join(__dirname, '..', 'python', 'plain_handler.py'), path.join(laidOut, 'handler.py'));
    return throughZip(testBed, laidOut, directory, 'handler.handler', {});
  });
}

/** The locked dependencies alone, as uv installs them, and their zip. */
export function plainDependencies(testBed: TestBed, backend: Backend): Promise<Unpacked> {
  return testBed.once(`dependencies-${path.basename(backend.directory)}`, async (directory) => {
    const laidOut = path.join(directory, 'laid-out');
    mkdirSync(directory);
    await testBed.run(uvPipInstall(testBed, await requirements(testBed, backend), laidOut));
    return throughZip(testBed, laidOut, directory, '', {});
  });
}

/** `uv pip install` of the lock for the function's platform, with its usual options. */
export function uvPipInstall(testBed: TestBed, requirementsFile: string, target: string) {
  const platform = ['--python-platform', `${testBed.architecture === 'arm64' ? 'aarch64' : 'x86_64'}-manylinux_2_28`];
  const version = ['--python-version', testBed.pythonVersion];
  const args = ['pip', 'install', '--quiet', ...platform, ...version, '--target', target, '--requirement', requirementsFile];
  return { command: 'uv', args };
}

/** The backend's lock as requirements. */
export async function requirements(testBed: TestBed, { directory }: Backend): Promise<string> {
  const file = testBed.newPath('requirements');
  const what = ['--frozen', '--no-dev', '--no-emit-project', '--quiet', '--format', 'requirements.txt'];
  await testBed.run({ command: 'uv', args: ['export', ...what, '--output-file', file], cwd: directory });
  return file;
}

async function throughZip(
  testBed: TestBed,
  laidOut: string,
  directory: string,
  handler: string,
  env: NodeJS.ProcessEnv,
): Promise<Unpacked> {
  const [archive, root] = [path.join(directory, 'package.zip'), path.join(directory, 'task')];
  const script = path.join(__dirname, '..', 'python', 'package.py');
  await testBed.run({ command: testBed.python, args: [script, laidOut, archive, root] });
  // Lambda's /var/task is read-only: no bytecode is written there.
  const variables = { ...env, LAMBDA_TASK_ROOT: root, PYTHONDONTWRITEBYTECODE: '1' };
  return { root, zipBytes: statSync(archive).size, handler, env: variables };
}
