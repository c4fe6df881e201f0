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

  /** What is no failure and should be seen. */
  warning(text: string): void {
    this.line(`${this.paint('yellow', '!')} ${plain(text)}`);
  }

  paint(style: Style, text: string): string {
    const [on, off] = STYLES[style];
    return this.coloured ? `\u001b[${on}m${text}\u001b[${off}m` : text;
  }
}

/** Text that comes from elsewhere, on one line and without what could drive a terminal. */
export function plain(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
}

/** Revisions as a place in the history. */
export function place(revisions: readonly string[]): string {
  return revisions.map(plain).join(', ') || 'base';
}

export function count(revisions: number): string {
  return `${revisions} revision${revisions === 1 ? '' : 's'}`;
}

export function duration(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`;
}
