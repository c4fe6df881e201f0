import { spawn } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stageNpm } from '../../scripts/packages/safe-alembic';
import type { Ended } from '../cli/built-command';

const root = path.resolve(__dirname, '../..');

/** The npm package, with this project's dependencies in place of those that npm would install. */
export class InstalledCommand {
  private constructor(private readonly directory: string) {}

  static async install(): Promise<InstalledCommand> {
    const directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'installed-')));
    await stageNpm(path.join(directory, 'safe-alembic'));
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
