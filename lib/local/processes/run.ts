import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { startSupervised } from './supervised';

export interface RunOptions {
  /** The command's complete environment. */
  readonly env: NodeJS.ProcessEnv;
  /** @default - this process's */
  readonly cwd?: string;
  /** Removed if this process ends before the command. */
  readonly folder?: string;
  /** Its standard input. @default - empty */
  readonly input?: string;
  /** Called with every line while the command runs. */
  readonly onLine?: (line: string) => void;
}

export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Lines of both streams, in order of arrival. */
  readonly output: string;
}

/** The exit code of a command that can't be started, as a shell's. */
const NOT_STARTED = 127;

/** Runs a command to its end and collects its output. */
export async function run(command: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
  const { onLine, input, ...rest } = options;
  const supervised = startSupervised(command, args, input === undefined ? rest : { ...rest, input: 'pipe' });
  supervised.process.stdin?.on('error', () => {}).end(input); // Its exit code reports that it did not read it.
  const all: string[] = [];
  const read = async (stream: Readable): Promise<string> => {
    const lines: string[] = [];
    for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
      lines.push(line);
      all.push(line);
      onLine?.(line);
    }
    return lines.join('\n');
  };
  const { stdout, stderr } = supervised.process;
  let missing = '';
  const exited = supervised.exited.catch((error: Error) => {
    missing = error.message;
    return NOT_STARTED;
  });
  const [code, out, err] = await Promise.all([exited, read(stdout as Readable), read(stderr as Readable)]);
  if (!missing) return { code, stdout: out, stderr: err, output: all.join('\n') };
  onLine?.(missing);
  return { code, stdout: '', stderr: missing, output: missing };
}

/** Runs a command that must succeed. */
export async function mustRun(command: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
  const result = await run(command, args, options);
  if (result.code !== 0) {
    throw new Error(`${command} ${args.join(' ')} ended with exit code ${result.code}:\n${result.output}`);
  }
  return result;
}
