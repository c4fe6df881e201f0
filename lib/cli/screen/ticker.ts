import type { Screen } from './screen';

const REDRAW_MS = 200;

/** CI systems stop a job that writes nothing for a while; CircleCI, after ten minutes. */
export const HEARTBEAT_MS = 60_000;

/** Content to show while something runs. */
export interface TickerContent {
  /** For a terminal, in at most `width` columns; undefined: nothing yet. */
  line(width: number): string | undefined;
  /** An occasional line for a log; undefined: nothing new. */
  sign(): string | undefined;
}

/** Redraws a line on a terminal; elsewhere writes an occasional line. */
export class Ticker {
  private readonly timer: NodeJS.Timeout;

  /** @param heartbeatMs how often a log gets a line */
  constructor(
    private readonly screen: Pick<Screen, 'notes' | 'status'>,
    private readonly shown: TickerContent,
    heartbeatMs = HEARTBEAT_MS,
  ) {
    this.timer = screen.status ? setInterval(() => this.draw(), REDRAW_MS) : setInterval(() => this.sign(), heartbeatMs);
  }

  /** Redraws the line on a terminal right away. */
  draw(): void {
    const { status } = this.screen;
    const line = status && this.shown.line(status.width);
    if (line !== undefined) status?.draw(line);
  }

  /** Writes a line to a log right away. */
  sign(): void {
    const sign = this.screen.status ? undefined : this.shown.sign();
    if (sign !== undefined) this.screen.notes.line(sign);
  }

  stop(): void {
    clearInterval(this.timer);
    this.screen.status?.clear();
  }
}
