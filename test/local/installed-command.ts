import { execFile, spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { safeAlembic } from '../../lib/cli/safe-alembic/main';
import { cached } from '../../scripts/packages/cached';
import { stageNpm, stagePython } from '../../scripts/packages/safe-alembic';
import type { Ended } from '../cli/built-command';
import { INPUTS } from '../packages/cdk-alembic';
import { Database } from '../production/database';
import { usePreloadedPython } from '../support/python/preloaded-python';
import { Project } from './project';

const root = path.resolve(__dirname, '../..');

/** What is in the packages `safe-alembic`. */
const IN_PACKAGE = [...INPUTS, 'LICENSE', 'CHANGELOG.md', 'docs/review.md', 'docs/safe-alembic.md'];

/** The npm package, built unless that was done before. */
export function cachedSafeAlembic(): Promise<string> {
  return cached('safe-alembic', IN_PACKAGE, stageNpm);
}

/** The folder of the wheel and the sdist, built unless that was done before. */
export async function cachedWheels(): Promise<string> {
  return path.join(await cached('wheels', IN_PACKAGE, stagePython), 'dist');
}

/** The npm package, with this project's dependencies in place of those that npm would install. */
export class InstalledCommand {
  private constructor(private readonly directory: string) {}

  static async install(): Promise<InstalledCommand> {
    const directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'installed-')));
    cpSync(await cachedSafeAlembic(), path.join(directory, 'safe-alembic'), { recursive: true });
    symlinkSync(path.join(root, 'node_modules'), path.join(directory, 'node_modules'));
    return new InstalledCommand(directory);
  }

  /** Runs `safe-alembic` without a terminal. */
  safeAlembic(args: readonly string[], options: RunOptions): Running {
    const program = path.join(this.directory, 'safe-alembic/dist/bin/safe-alembic.js');
    const env = { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: process.env.TMPDIR, ...options.env };
    const child = spawn(process.execPath, [program, ...args], { cwd: options.cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text) => {
        output[name] += text;
      });
    }
    const ended = new Promise<Ended>((resolve) => child.on('close', (code) => resolve({ code, ...output })));
    return { ended, output, kill: (signal) => child.kill(signal) };
  }

  remove(): void {
    rmSync(this.directory, { recursive: true });
  }
}

export interface RunOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** A command that goes on. */
export interface Running {
  readonly ended: Promise<Ended>;
  /** What it has said so far. */
  readonly output: { readonly stdout: string; readonly stderr: string };
  kill(signal: NodeJS.Signals): void;
}

/** Runs `safe-alembic` in this process, which is in the folder meanwhile. */
async function runHere(args: readonly string[], folder: string): Promise<Ended> {
  const output = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    jest.spyOn(process[name], 'write').mockImplementation((text) => {
      output[name] += text;
      return true;
    }),
  );
  const before = process.cwd();
  process.chdir(folder);
  try {
    return { code: await safeAlembic(args, '0.0.0'), ...output };
  } finally {
    process.chdir(before);
    for (const spy of spies) spy.mockRestore();
  }
}

/** The command as a project has it. */
export interface TestBed {
  readonly installed: InstalledCommand;
  readonly project: Project;
  /** The folder in which the command makes what it makes. */
  readonly scratch: string;
  /** Starts the command in the project, with the Python of the tests. */
  start(args: readonly string[], env?: NodeJS.ProcessEnv): Running;
  /** Does the same in this process: starting Node would take as long as the rest. */
  run(args: readonly string[]): Promise<Ended>;
  /** Runs Alembic's own command line in the project, and fails as it does. @param url of the database, as `pg` takes it */
  alembic(url: string, ...args: readonly string[]): Promise<void>;
}

/**
 * A scratch database for the commands of a file, one after the other: a server for each would take longer than most of them.
 *
 * @returns the options with which a command replays in it
 */
export function useScratchDatabase(): () => readonly string[] {
  let database: Database;
  beforeAll(async () => {
    database = await Database.create();
  });
  afterAll(() => database?.drop());
  return () => ['--database-url', database.plainUrl];
}

/** Installs the command for the tests of a file. Each test has a project of its own, and leaves the scratch folder empty. */
export function useTestBed(): TestBed {
  const python = usePreloadedPython();
  const bed = {
    start(args, env = {}) {
      const all = [...args, '--python', python];
      return bed.installed.safeAlembic(all, { cwd: bed.project.directory, env: { TMPDIR: bed.scratch, ...env } });
    },
    run: (args) => runHere([...args, '--python', python], bed.project.directory),
    async alembic(url, ...args) {
      const env = { PATH: process.env.PATH, DATABASE_URL: url.replace('postgresql:', 'postgresql+psycopg:') };
      await promisify(execFile)(python, ['-m', 'alembic', ...args], { cwd: bed.project.directory, env });
    },
  } as { -readonly [Key in keyof TestBed]: TestBed[Key] };
  beforeAll(async () => {
    bed.installed = await InstalledCommand.install();
  });
  afterAll(() => bed.installed?.remove());
  beforeEach(() => {
    bed.project = new Project();
    bed.scratch = realpathSync(mkdtempSync(path.join(tmpdir(), 'scratch-')));
    // As root, the server runs as another user, who needs access.
    chmodSync(bed.scratch, 0o755);
  });
  afterEach(() => {
    const left = readdirSync(bed.scratch);
    rmSync(bed.scratch, { recursive: true });
    bed.project.remove();
    expect(left).toEqual([]);
  });
  return bed;
}
