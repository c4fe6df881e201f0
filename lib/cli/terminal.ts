import type { MigrateError } from '../client/errors';
import type { AppliedRevision, Command, MigrateAnswer, RevisionInfo } from '../contract';

const STYLES = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], cyan: [36, 39] } as const;
type Style = keyof typeof STYLES;

/** One stream as a person reads it: lines, with colours where the stream shows them. */
export class Terminal {
  private readonly coloured: boolean;

  constructor(private readonly stream: NodeJS.WriteStream) {
    // Node's own rules: NO_COLOR, FORCE_COLOR, TERM=dumb and what the terminal can do.
    this.coloured = stream.isTTY === true && stream.hasColors();
  }

  line(text = ''): void {
    this.stream.write(`${text}\n`);
  }

  paint(style: Style, text: string): string {
    const [on, off] = STYLES[style];
    return this.coloured ? `\u001b[${on}m${text}\u001b[${off}m` : text;
  }

  /** A revision that has just been applied or taken back. */
  applied(command: Command, { revision, message, durationMs }: AppliedRevision): void {
    const sign = command === 'downgrade' ? this.paint('yellow', '↓') : this.paint('green', '✓');
    this.line(`  ${sign} ${this.paint('bold', plain(revision))}  ${plain(message)}  ${this.paint('dim', duration(durationMs))}`);
  }

  /** What was found or done, after its revisions have been listed. */
  answer(answer: MigrateAnswer): void {
    if (answer.command === 'history') this.history(answer);
    else if (answer.command === 'plan' || answer.command === 'current') this.question(answer);
    else this.outcome(answer);
  }

  /** What went wrong, what is known about it and what to do. */
  failure(error: MigrateError): void {
    this.line(`${this.paint('red', '✗')} ${this.paint('bold', error.code)}: ${plain(error.message)}`);
    const facts: [string, string | undefined][] = [
      ['revision', error.revision],
      ['SQLSTATE', error.sqlState],
      ['statement', error.statement],
      ['applied', error.applied.map(({ revision }) => revision).join(', ') || undefined],
    ];
    for (const [name, value] of facts) if (value !== undefined) this.line(`  ${name.padEnd(9)}  ${plain(value)}`);
    if (error.code === 'function_crashed') for (const line of error.log) this.line(this.paint('dim', `  | ${plain(line)}`));
    this.line(`  ${this.paint('cyan', 'next'.padEnd(9))}  ${plain(error.next)}`);
  }

  private outcome({ command, applied, from, to, heads }: MigrateAnswer): void {
    const at = `${place(to)}${same(to, heads) ? ' (head)' : ''}`;
    const way = `${place(from)} → ${at}`;
    if (command === 'stamp') this.line(`stamped: ${way}`);
    else if (applied.length === 0) this.line(`nothing to do: the database is at ${at}`);
    else this.line(`${count(applied.length)} ${command === 'downgrade' ? 'taken back' : 'applied'}: ${way}`);
  }

  private question({ command, status, to, heads, target, pending, unknown }: MigrateAnswer): void {
    const goal = same(target, heads) ? 'head' : place(target);
    if (status === 'ahead') {
      this.line(
        `${this.paint('yellow', '!')} the database is at ${place(to)}, ahead of the deployed code, which ends at ${place(heads)}`,
      );
      this.line(`  not known to the code: ${unknown.map(plain).join(', ')}; deploy the version that has it`);
    } else if (pending.length === 0) {
      this.line(`the database is at ${place(to)}${same(to, heads) ? ' (head)' : ''}: nothing is pending`);
    } else {
      this.line(
        `the database is at ${place(to)}: ${count(pending.length)} pending to ${goal}${goal === 'head' ? ` (${place(heads)})` : ''}`,
      );
      if (command === 'plan') for (const revision of pending) this.listed(this.paint('yellow', '•'), revision);
    }
  }

  private history({ history = [] }: MigrateAnswer): void {
    for (const entry of history) this.listed(entry.applied ? this.paint('green', '✓') : this.paint('yellow', '•'), entry);
    const pending = history.filter(({ applied }) => !applied).length;
    this.line(`${count(history.length)}, ${history.length - pending} applied (✓), ${pending} not (•)`);
  }

  private listed(sign: string, { revision, message }: RevisionInfo): void {
    this.line(`  ${sign} ${this.paint('bold', plain(revision))}  ${plain(message)}`);
  }
}

/** Text that comes from elsewhere, on one line and without what could drive a terminal. */
function plain(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
}

function place(revisions: readonly string[]): string {
  return revisions.map(plain).join(', ') || 'base';
}

function same(some: readonly string[], others: readonly string[]): boolean {
  return [...some].sort().join() === [...others].sort().join();
}

function count(revisions: number): string {
  return `${revisions} revision${revisions === 1 ? '' : 's'}`;
}

function duration(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`;
}
