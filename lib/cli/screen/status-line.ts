/** The last line of a terminal, which is redrawn. */
export class StatusLine {
  private shown = false;

  constructor(private readonly stream: NodeJS.WriteStream) {}

  /** Columns that it may fill: the last one stays free, as a full line would wrap. */
  get width(): number {
    return (this.stream.columns || 80) - 1;
  }

  draw(text: string): void {
    this.stream.write(`\r${text}\u001b[K`);
    this.shown = true;
  }

  /** Removes it, so that an ordinary line can take its place. */
  clear(): void {
    if (this.shown) this.stream.write('\r\u001b[K');
    this.shown = false;
  }
}
