import type { RenderedRevision } from '../../contract';
import { plain, type Terminal } from '../screen/terminal';

/** What the pending revisions send, as a script that psql could read. */
export function showSql(terminal: Terminal, rendered: readonly RenderedRevision[]): void {
  for (const { revision, sql, reason = '' } of rendered) {
    terminal.line();
    terminal.line(terminal.paint('bold', `-- ${plain(revision)}`));
    if (sql === null) terminal.line(`-- no SQL: ${plain(reason)}`);
    else for (const line of sql.split('\n')) terminal.line(printable(line));
  }
}

/** Without what could drive a terminal, with its indentation. */
function printable(line: string): string {
  return line.replaceAll('\t', '  ').replace(/\p{Cc}/gu, '');
}
