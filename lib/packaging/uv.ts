import { spawnSync } from 'node:child_process';
import { PackagingError } from './errors';

const MAX_REASON_LENGTH = 1500;

/** The command that starts uv: the variable `UV`, or `uv` on the PATH. */
function uvCommand(): string {
  return process.env.UV || 'uv';
}

export function hasUv(): boolean {
  return spawnSync(uvCommand(), ['--version']).status === 0;
}

export function uvMissing(): PackagingError {
  return new PackagingError(
    'uv_not_found',
    `uv is needed to package the backend, but "${uvCommand()}" could not be run: ` +
      'install it (https://docs.astral.sh/uv/getting-started/installation/, or "pip install uv"), ' +
      'or set UV to its path',
  );
}

/** uv ended with an error. Its message has the start of uv's output. */
export class UvFailed extends PackagingError {
  constructor(
    message: string,
    /** uv's complete error output, without credentials. */
    readonly stderr: string,
  ) {
    super('uv_failed', message);
  }

  /** Whether the index gave no answer: it may have what was asked for. */
  get isUnanswered(): boolean {
    return /^error: Failed to fetch|network was disabled/m.test(this.stderr);
  }
}

/** Runs uv in a directory, so that the project's index and credentials apply. Returns uv's output. */
export function uv(directory: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): string {
  const run = spawnSync(uvCommand(), args, {
    cwd: directory,
    env: { ...process.env, NO_COLOR: '1', ...environment },
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (run.error) throw uvMissing();
  if (run.status !== 0) {
    const what = args.filter((arg) => !arg.startsWith('-')).slice(0, args[0] === 'pip' ? 2 : 1);
    const stderr = withoutCredentials(run.stderr).trim();
    throw new UvFailed(`"uv ${what.join(' ')}" failed in ${directory}: ${shortened(stderr || 'it gave no reason')}`, stderr);
  }
  return run.stdout;
}

/** For `uv pip compile` of wheels alone, which needs no Python of the version in question: uv would download one. */
export const ANY_PYTHON = ['--no-python-downloads'];

const found = new Map<string, string | undefined>();

/**
 * An interpreter of exactly this version on this machine, if any; downloads nothing. Each synth looks for it once: uv starts
 * every interpreter on the PATH, which takes up to a second.
 */
export function findPython(directory: string, pythonVersion: string): string | undefined {
  const { PATH, VIRTUAL_ENV } = process.env;
  const key = JSON.stringify([directory, pythonVersion, uvCommand(), PATH, VIRTUAL_ENV]);
  if (!found.has(key)) {
    const args = ['python', 'find', '--no-project', '--no-python-downloads', `cpython@${pythonVersion}`];
    const run = spawnSync(uvCommand(), args, { cwd: directory, env: withPyenv(pythonVersion), encoding: 'utf8' });
    found.set(key, run.status === 0 ? run.stdout.trim() : undefined);
  }
  return found.get(key);
}

/** pyenv's command of a version runs only if that version is selected. */
function withPyenv(pythonVersion: string): NodeJS.ProcessEnv {
  return /^\d+\.\d+$/.test(pythonVersion) ? { ...process.env, PYENV_VERSION: pythonVersion } : process.env;
}

/** uv prints a private index's address with its credentials. */
function withoutCredentials(text: string): string {
  return text.replace(/\/\/[^/\s@]+@/g, '//***@');
}

function shortened(text: string): string {
  return text.length > MAX_REASON_LENGTH ? `${text.slice(0, MAX_REASON_LENGTH)} ...` : text;
}
