import { isatty } from 'node:tty';
import { needsAscii } from './ascii';
import { StatusLine } from './status-line';
import { Terminal } from './terminal';

export interface ScreenOptions {
  /** Whether stdout gets only the document. */
  readonly json: boolean;
  readonly progress: boolean;
}

/** The command's outputs. */
export interface Screen {
  /** For the result: stdout, unless the document goes there. */
  readonly data: Terminal;
  /** For everything else: stderr. */
  readonly notes: Terminal;
  /** Only on a terminal. */
  readonly status?: StatusLine;
  /** Whether a person can answer. */
  readonly canAsk: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

export function screen({ json, progress }: ScreenOptions, environment: Environment = process.env): Screen {
  const { stdout, stderr } = process;
  const ascii = needsAscii(environment);
  const watched = stderr.isTTY === true && !isCi(environment);
  const status = watched && progress && environment.TERM !== 'dumb' ? new StatusLine(stderr, ascii) : undefined;
  return {
    data: new Terminal(json ? stderr : stdout, status, ascii),
    notes: new Terminal(stderr, status, ascii),
    status,
    // Not process.stdin: creating that stream takes as long as the rest of the screen, and few runs read it.
    canAsk: watched && isatty(0),
  };
}

/** Some CI systems give their jobs a terminal that nobody watches. */
function isCi({ CI }: Environment): boolean {
  return CI !== undefined && !['', '0', 'false'].includes(CI);
}

/** Prints the document of `--json` on stdout. */
export function printJson(document: object): void {
  process.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
}
