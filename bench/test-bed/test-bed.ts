import { readFileSync } from 'node:fs';
import path from 'node:path';
import {
  commandDirectory,
  type LocalAws,
  neutralEnvironment,
  type Postgres,
  type RunResult,
  run,
  startPostgres,
  toolPython,
} from '../../examples/local-aws';
import { pythonVersion } from '../../examples/local-aws/tools';
import { mustRun } from '../../lib/local/processes/run';

/** The measurements of a process. */
export interface Timed extends RunResult {
  readonly ms: number;
  readonly peakBytes: number;
  /** When it started; milliseconds, as Date.now(). */
  readonly startedAt: number;
}

/** A command to measure, or one that prepares a measurement. */
export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  /** Added to the test bed's environment. */
  readonly env?: NodeJS.ProcessEnv;
}

export function announce(tool: string): void {
  console.error(`installing ${tool} into .cache/tools (first use only)`);
}

/** What all rows need: a temporary folder, a PostgreSQL, a Python without packages. */
export class TestBed {
  private readonly made = new Map<string, Promise<unknown>>();
  private number = 0;

  private constructor(
    readonly folder: string,
    readonly postgres: Postgres,
    /** The environment of every command. */
    readonly env: NodeJS.ProcessEnv,
    /** A Python with nothing but its standard library. */
    readonly python: string,
    /** For example `3.13`. */
    readonly pythonVersion: string,
    /** Only for rows that deploy. */
    readonly aws: LocalAws | undefined,
  ) {}

  static async open(folder: string, aws?: LocalAws): Promise<TestBed> {
    const uv = await commandDirectory('uv', announce);
    const uvCache = await mustRun(path.join(uv, 'uv'), ['cache', 'dir'], { env: process.env });
    const env = {
      ...(aws?.env ?? neutralEnvironment(process.env)),
      PATH: `${uv}${path.delimiter}${process.env.PATH}`,
      TMPDIR: folder,
      // Caches are deleted in the end, except uv's downloads.
      XDG_CACHE_HOME: path.join(folder, 'cache'),
      UV_CACHE_DIR: uvCache.stdout,
      CDK_HOME: path.join(folder, 'cdk-home'),
      CDK_DISABLE_VERSION_CHECK: '1',
      CDK_DISABLE_CLI_TELEMETRY: 'true',
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      NO_COLOR: '1',
    };
    const postgres = aws?.postgres ?? (await startPostgres(folder));
    const python = path.join(folder, 'python', 'bin', 'python');
    const makePython = ['-m', 'venv', '--without-pip', path.join(folder, 'python')];
    await mustRun(await toolPython('uv'), makePython, { env, folder });
    return new TestBed(folder, postgres, env, python, await pythonVersion(python), aws);
  }

  get architecture(): 'arm64' | 'x86_64' {
    return process.arch === 'arm64' ? 'arm64' : 'x86_64';
  }

  /** Creates once what several rows need. */
  once<T>(name: string, make: (directory: string) => Promise<T>): Promise<T> {
    const known = this.made.get(name) ?? make(path.join(this.folder, name));
    this.made.set(name, known);
    return known as Promise<T>;
  }

  /** A new, unused name. */
  newName(name: string): string {
    this.number += 1;
    return `${name}-${this.number}`;
  }

  /** A new, unused path in the folder. */
  newPath(name: string): string {
    return path.join(this.folder, this.newName(name));
  }

  /** Runs a command that must succeed; nothing is measured. */
  run({ command, args, cwd = this.folder, env }: Command): Promise<RunResult> {
    return mustRun(command, args, { env: { ...this.env, ...env }, cwd, folder: this.folder });
  }

  /** Runs a command that may fail; nothing is measured. */
  attempt({ command, args, cwd = this.folder, env }: Command): Promise<RunResult> {
    return run(command, args, { env: { ...this.env, ...env }, cwd, folder: this.folder });
  }

  /** Runs a command that must succeed, and measures it from outside. */
  async timed({ command, args, cwd = this.folder, env }: Command): Promise<Timed> {
    const report = this.newPath('stopwatch');
    const stopwatch = [path.join(__dirname, '..', 'python', 'stopwatch.py'), report, command, ...args];
    const options = { env: { ...this.env, ...env }, cwd, folder: this.folder };
    const result = await run(this.python, stopwatch, options);
    if (result.code !== 0) throw new Error(`${command} could not be measured:\n${result.output}`);
    const { code, ...times } = JSON.parse(readFileSync(report, 'utf8'));
    if (code !== 0) throw new Error(`${path.basename(command)} ended with exit code ${code}:\n${result.output}`);
    return { ...result, ...times };
  }
}
