import { isatty } from 'node:tty';
import { StatusLine } from './status-line';
import { Terminal } from './terminal';

export interface ScreenOptions {
  /** Stdout is for the document alone. */
  readonly json: boolean;
  readonly progress: boolean;
}

/** Where things are said. */
export interface Screen {
  /** What was asked for: stdout, unless that is for the document. */
  readonly data: Terminal;
  /** Everything else: stderr. */
  readonly notes: Terminal;
  /** Only where somebody watches. */
  readonly status?: StatusLine;
  /** Whether there is somebody who can answer. */
  readonly canAsk: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

export function screen({ json, progress }: ScreenOptions, environment: Environment = process.env): Screen {
  const { stdout, stderr } = process;
  const watched = stderr.isTTY === true && !isCi(environment);
  const status = watched && progress && environment.TERM !== 'dumb' ? new StatusLine(stderr) : undefined;
  return {
    data: new Terminal(json ? stderr : stdout, status),
    notes: new Terminal(stderr, status),
    status,
    // Not process.stdin: to make that stream takes as long as the rest of the screen, and hardly a run reads it.
    canAsk: watched && isatty(0),
  };
}

/** A CI may give its jobs a terminal that nobody looks at. */
function isCi({ CI }: Environment): boolean {
  return CI !== undefined && !['', '0', 'false'].includes(CI);
}
