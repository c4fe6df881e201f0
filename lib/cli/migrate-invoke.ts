import { MigrateClient } from '../client/client';
import { MigrateError, migrateError } from '../client/errors';
import { lookCommand } from '../client/target';
import type { MigrateAnswer } from '../contract';
import { EXIT, exitCodeOf } from './exit-codes';
import { type Arguments, HELP, parseArguments } from './migrate-invoke-arguments';
import { requestedBy } from './requested-by';
import { showAnswer, showApplied } from './show-answer';
import { showFailure } from './show-failure';
import { Terminal } from './terminal';

/**
 * The command `migrate-invoke`.
 *
 * @param argv the command line without the program's own name
 * @param version of the package
 * @returns the exit code
 */
export async function migrateInvoke(argv: readonly string[], version: string): Promise<number> {
  const parsed = parseArguments(argv);
  switch (parsed.kind) {
    case 'help':
      process.stdout.write(HELP);
      return EXIT.done;
    case 'version':
      process.stdout.write(`${version}\n`);
      return EXIT.done;
    case 'problems':
      return fail(migrateError('invalid_usage', parsed.problems.join('; '), 'see migrate-invoke --help'), parsed.json);
    case 'run':
      return run(parsed);
  }
}

async function run({ client: options, request, json }: Arguments): Promise<number> {
  const people = new Terminal(json ? process.stderr : process.stdout);
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  process.once('SIGINT', interrupt);
  let client: MigrateClient | undefined;
  try {
    client = new MigrateClient({ ...options, requestedBy: requestedBy() });
    const onProgress = (slice: MigrateAnswer) => {
      for (const revision of slice.applied) showApplied(people, slice.command, revision);
    };
    const onWait = (reason: string) => people.warning(`waiting: ${reason}`);
    const answer = await client.run(request, { onProgress, onWait, signal: interrupted.signal });
    showAnswer(people, answer);
    if (json) print(answer);
    return EXIT.done;
  } catch (error) {
    if (interrupted.signal.aborted && client) return sayInterrupted({ ...options, functionName: client.functionName });
    if (error instanceof MigrateError) return fail(error, json);
    throw error;
  } finally {
    process.off('SIGINT', interrupt);
    client?.destroy();
  }
}

function sayInterrupted(target: { stage?: string; functionName: string }): number {
  const terminal = new Terminal(process.stderr);
  terminal.line('interrupted: what the function has started goes on to the end of its slice, and nothing further is asked for');
  terminal.line(`  ${terminal.paint('cyan', 'next')}  see where the database is with \`${lookCommand(target)}\``);
  return EXIT.interrupted;
}

function fail(error: MigrateError, json: boolean): number {
  showFailure(new Terminal(process.stderr), error);
  const { code, message, next, revision, sqlState, statement, dataLoss, applied, log } = error;
  const lists = { ...(dataLoss.length > 0 && { dataLoss }), ...(log.length > 0 && { log }) };
  const known = { code, message, next, revision, sqlState, statement, ...lists };
  if (json) print({ status: 'failed', error: known, applied });
  return exitCodeOf(code);
}

function print(document: unknown): void {
  process.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
}
