import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { buildCommand } from '../../scripts/build-commands';
import { cached } from '../../scripts/packages/cached';
import { awsEnvironment } from '../support/aws/environment';

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const FILES = ['migrate-invoke', 'migrate-invoke-tenants'];
const INPUTS = ['bin', 'lib', 'scripts', 'package.json', 'package-lock.json', 'tsconfig.json'];

/** The folder of the command and of its metafiles, built unless that was done before. */
export function cachedCommand(): Promise<string> {
  return cached('migrate-invoke', INPUTS, async (folder) => {
    for (const name of FILES) writeFileSync(join(folder, `${name}.json`), JSON.stringify(await buildCommand(name, folder)));
  });
}

/** The command as the package ships it, run as a process of its own. */
export class BuiltCommand {
  private constructor(
    private readonly directory: string,
    readonly metafile: Metafile,
    /** Of what it reads when it is about many tenants. */
    readonly tenants: Metafile,
  ) {}

  static async build(): Promise<BuiltCommand> {
    const directory = await cachedCommand();
    const [metafile, tenants] = FILES.map((name) => JSON.parse(readFileSync(join(directory, `${name}.json`), 'utf8')));
    return new BuiltCommand(directory, metafile, tenants);
  }

  /** What the files hold that are read in any case. */
  inputsOfFirstRequest(): string[] {
    const { outputs } = this.metafile;
    const read = new Set(Object.keys(outputs).filter((file) => outputs[file]?.entryPoint === 'bin/migrate-invoke.ts'));
    for (const file of read) {
      for (const { path, kind } of outputs[file]?.imports ?? [])
        if (kind === 'import-statement' && path in outputs) read.add(path);
    }
    return [...read].flatMap((file) => Object.keys(outputs[file]?.inputs ?? {}));
  }

  /** Runs it without a terminal. */
  run(
    args: readonly string[],
    environment: Environment = {},
    interrupt?: Promise<void>,
    signal?: NodeJS.Signals,
  ): Promise<Ended> {
    return ended(process.execPath, [this.path, ...args], environment, interrupt, signal);
  }

  /** Runs it with stdout on a disk that is full. */
  runOnFullDisk(args: readonly string[], environment: Environment = {}): Promise<Ended> {
    return ended('sh', ['-c', 'exec "$@" > /dev/full', 'sh', process.execPath, this.path, ...args], environment);
  }

  /** Runs it on a pseudo-terminal, where stdout and stderr are one. */
  runOnTerminal(args: readonly string[], environment: Environment = {}, options: TerminalOptions = {}): Promise<Ended> {
    const { columns = 80, typed = '' } = options;
    const onTerminal = [join(__dirname, 'on-terminal.py'), String(columns), typed];
    // Python would give the program a locale with UTF-8 in place of C.
    return ended('python3', [...onTerminal, process.execPath, this.path, ...args], { PYTHONCOERCECLOCALE: '0', ...environment });
  }

  private get path(): string {
    return join(this.directory, 'migrate-invoke.js');
  }
}

export interface TerminalOptions {
  /** @default 80 */
  readonly columns?: number;
  /** What is typed when the program asks; Enter and control characters included. @default - nothing */
  readonly typed?: string;
}

/** A command that waits for what never comes is ended, and its test fails. */
const LONGEST_RUN_MS = 300_000;

type Environment = Readonly<Record<string, string | undefined>>;

async function ended(
  file: string,
  args: readonly string[],
  environment: Environment,
  interrupt?: Promise<void>,
  signal: NodeJS.Signals = 'SIGINT',
): Promise<Ended> {
  // Nothing of this machine's environment but where programs are: a CI's NO_COLOR or AWS_PROFILE must not decide a test.
  const { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: _, ...aws } = awsEnvironment();
  const env = { PATH: process.env.PATH, TERM: 'xterm-256color', ...aws, ...environment };
  const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: LONGEST_RUN_MS });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text) => {
      output[name] += text;
    });
  }
  void interrupt?.then(() => child.kill(signal));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, ...output };
}
