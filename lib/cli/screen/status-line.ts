import { toAscii } from './ascii';

/** The last line of a terminal, redrawn in place. */
export class StatusLine {
  private shown = false;

  /** @param ascii whether to write only ASCII */
  constructor(
    private readonly stream: NodeJS.WriteStream,
    private readonly ascii = false,
  ) {}

  /** Usable columns: the last one stays free, because a full line would wrap. */
  get width(): number {
    return (this.stream.columns || 80) - 1;
  }

  draw(text: string): void {
    this.stream.write(`\r${this.ascii ? toAscii(text) : text}\u001b[K`);
    this.shown = true;
  }

  /** Clears it, to make room for an ordinary line. */
  clear(): void {
    if (this.shown) this.stream.write('\r\u001b[K');
    this.shown = false;
  }
}
