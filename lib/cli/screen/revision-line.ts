import type { RevisionInfo } from '../../contract';
import { cut, displayWidth } from './display-width';
import { plain, type Terminal } from './terminal';

/** So much of a message is shown however narrow the terminal is. */
const SHORTEST_MESSAGE = 8;

/** One revision on one line: what it is called is cut where the terminal ends. */
export function revisionLine(terminal: Terminal, sign: string, { revision, message }: RevisionInfo, time?: string): void {
  const id = plain(revision);
  const end = time === undefined ? '' : `  ${time}`;
  const room = terminal.width - `  x ${id}  ${end}`.length;
  const name = cut(plain(message), Math.max(room, Math.min(SHORTEST_MESSAGE, displayWidth(message))));
  terminal.line(`  ${sign} ${terminal.paint('bold', id)}  ${name}${end && terminal.paint('dim', end)}`);
}
