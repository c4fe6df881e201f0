import { createInterface } from 'node:readline/promises';
import { MigrateError } from '../../contract/failure';
import type { Screen } from '../screen/screen';

/**
 * Asks a person to type the name of a protected stage before it is changed. Throws a {@link MigrateError} `declined` for any
 * other text, or without a terminal, where nobody could answer.
 */
export async function confirm(stage: string, { canAsk, notes }: Screen, signal: AbortSignal): Promise<void> {
  if (!canAsk) {
    const message = `stage "${stage}" is protected and cannot be confirmed without a terminal; nothing was changed`;
    throw new MigrateError('declined', message, 'read the plan, then run it again with --yes');
  }
  notes.line();
  const typed = await ask(`stage ${notes.paint('bold', stage)} is protected; type its name to continue: `, signal);
  if (typed.trim() === stage) return;
  throw new MigrateError(
    'declined',
    `the name of the stage was not typed; nothing was changed`,
    'run it again and type the name of the stage',
  );
}

/** A person's answer; empty at the end of input. */
export async function ask(question: string, signal: AbortSignal): Promise<string> {
  // Without readline's terminal mode, Ctrl-C remains a signal, which the command handles.
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  try {
    return await Promise.race([lines.question(question, { signal }), ended]);
  } finally {
    lines.close();
  }
}
