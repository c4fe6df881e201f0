import { toAscii } from './ascii';

/** The last line of a terminal, which is redrawn. */
export class StatusLine {
  private shown = false;

  /** @param ascii whether to write only ASCII */
  constructor(
    private readonly stream: NodeJS.WriteStream,
    private readonly ascii = false,
  ) {}

  /** Columns that it may fill: the last one stays free, as a full line would wrap. */
  get width(): number {
    return (this.stream.columns || 80) - 1;
  }

  draw(text: string): void {
    this.stream.write(`\r${this.ascii ? toAscii(text) : text}\u001b[K`);
    this.shown = true;
  }

  /** Removes it, to make room for an ordinary line. */
  clear(): void {
    if (this.shown) this.stream.write('\r\u001b[K');
    this.shown = false;
  }
}
