import type { RevisionInfo } from '../../contract';
import { cut, displayWidth } from './display-width';
import { plain, type Terminal } from './terminal';

/** The minimum width of a message; a narrower terminal omits the time. */
const SHORTEST_MESSAGE = 8;

/** One revision on one line. Cuts its message at the terminal's width; a narrow terminal omits the time. */
export function revisionLine(terminal: Terminal, sign: string, { revision, message }: RevisionInfo, time?: string): void {
  const id = plain(revision);
  const text = plain(message);
  const room = terminal.width - displayWidth(`  x ${id}  `);
  const wanted = time === undefined ? '' : `  ${time}`;
  const end = room - wanted.length >= Math.min(SHORTEST_MESSAGE, displayWidth(text)) ? wanted : '';
  const name = cut(text, room - end.length);
  terminal.line(`  ${sign} ${terminal.paint('bold', id)}  ${name}${end && terminal.paint('dim', end)}`);
}
