import { plain } from '../../text/plain';
import { toAscii } from './ascii';
import type { StatusLine } from './status-line';

export { plain };

const STYLES = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], cyan: [36, 39] } as const;
type Style = keyof typeof STYLES;

/** Writes readable lines to a stream, with colors if the stream supports them. */
export class Terminal {
  private readonly colored: boolean;

  /**
   * @param stream for the lines
   * @param status on the same terminal; cleared before each line
   * @param ascii whether to write only ASCII
   */
  constructor(
    private readonly stream: NodeJS.WriteStream,
    private readonly status?: StatusLine,
    private readonly ascii = false,
  ) {
    // Node's own rules: NO_COLOR, FORCE_COLOR, TERM=dumb and the terminal's capabilities.
    this.colored = stream.isTTY === true && stream.hasColors();
  }

  /** The terminal's columns; infinite for a file or a pipe. */
  get width(): number {
    return this.stream.isTTY ? this.stream.columns || 80 : Number.POSITIVE_INFINITY;
  }

  line(text = ''): void {
    this.status?.clear();
    this.stream.write(`${this.ascii ? toAscii(text) : text}\n`);
  }

  /** Writes a fact, with its name in a column. */
  fact(name: string, value: string): void {
    this.line(`  ${this.paint('dim', name.padEnd(9))}  ${value}`);
  }

  /** Writes the next step. */
  next(text: string): void {
    this.line(`  ${this.paint('cyan', 'next'.padEnd(9))}  ${plain(text)}`);
  }

  /** Writes a warning. */
  warning(text: string): void {
    this.line(`${this.paint('yellow', '!')} ${plain(text)}`);
  }

  paint(style: Style, text: string): string {
    const [on, off] = STYLES[style];
    return this.colored ? `\u001b[${on}m${text}\u001b[${off}m` : text;
  }
}

/** The ids of revisions; `base` if there are none. */
export function revisionNames(revisions: readonly string[]): string {
  return revisions.map(plain).join(', ') || 'base';
}

/** Whether two lists have the same ids, in any order. */
export function areSameRevisions(one: readonly string[], other: readonly string[]): boolean {
  return [...one].sort().join() === [...other].sort().join();
}

export function count(revisions: number): string {
  return `${revisions} revision${revisions === 1 ? '' : 's'}`;
}

export function duration(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`;
}
