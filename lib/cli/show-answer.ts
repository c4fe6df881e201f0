import type { AppliedRevision, Command, MigrateAnswer } from '../contract';
import { showDataLoss } from './show-data-loss';
import { showHistory } from './show-history';
import { count, duration, place, plain, type Terminal } from './terminal';

/** A revision that has just been applied or taken back. */
export function showApplied(terminal: Terminal, command: Command, { revision, message, durationMs }: AppliedRevision): void {
  const sign = command === 'downgrade' ? terminal.paint('yellow', '↓') : terminal.paint('green', '✓');
  const time = terminal.paint('dim', duration(durationMs));
  terminal.line(`  ${sign} ${terminal.paint('bold', plain(revision))}  ${plain(message)}  ${time}`);
}

/** What was found or done, after its revisions have been listed. */
export function showAnswer(terminal: Terminal, answer: MigrateAnswer): void {
  if (answer.command === 'history') showHistory(terminal, answer);
  else if (answer.command === 'plan' || answer.command === 'current') question(terminal, answer);
  else outcome(terminal, answer);
  if (answer.edited.length > 0) {
    const edited = answer.edited.join(', ');
    terminal.warning(`edited since applied: ${edited}; the database has what the file was then: undo the edit, add a revision`);
  }
  for (const warning of answer.warnings) terminal.warning(warning);
}

function outcome(terminal: Terminal, { command, applied, from, to, heads }: MigrateAnswer): void {
  const at = `${place(to)}${same(to, heads) ? ' (head)' : ''}`;
  const way = `${place(from)} → ${at}`;
  if (command === 'stamp') terminal.line(`stamped: ${way}`);
  else if (applied.length === 0) terminal.line(`nothing to do: the database is at ${at}`);
  else terminal.line(`${count(applied.length)} ${command === 'downgrade' ? 'taken back' : 'applied'}: ${way}`);
}

function question(terminal: Terminal, answer: MigrateAnswer): void {
  const { command, status, to, heads, target, pending, unknown, dataLoss } = answer;
  const goal = same(target, heads) ? `head (${place(heads)})` : place(target);
  if (status === 'ahead') {
    terminal.warning(`the database is at ${place(to)}, ahead of the deployed code, which ends at ${place(heads)}`);
    terminal.line(`  not known to the code: ${unknown.map(plain).join(', ')}; deploy the version that has it`);
  } else if (pending.length === 0) {
    terminal.line(`the database is at ${place(to)}${same(to, heads) ? ' (head)' : ''}: nothing is pending`);
  } else {
    terminal.line(`the database is at ${place(to)}: ${count(pending.length)} pending to ${goal}`);
    if (command !== 'plan') return;
    for (const { revision, message } of pending) {
      terminal.line(`  ${terminal.paint('yellow', '•')} ${terminal.paint('bold', plain(revision))}  ${plain(message)}`);
      for (const loss of dataLoss) if (loss.revision === revision) showDataLoss(terminal, loss);
    }
  }
}

function same(some: readonly string[], others: readonly string[]): boolean {
  return [...some].sort().join() === [...others].sort().join();
}
