import type { RenderedRevision } from '../../contract';
import { plain, type Terminal } from '../screen/terminal';

/** Shows the pending revisions' SQL, as a script for psql. */
export function showSql(terminal: Terminal, rendered: readonly RenderedRevision[]): void {
  for (const { revision, sql, reason = '' } of rendered) {
    terminal.line();
    terminal.line(terminal.paint('bold', `-- ${plain(revision)}`));
    if (sql === null) terminal.line(`-- no SQL: ${plain(reason)}`);
    else for (const line of sql.split('\n')) terminal.line(printable(line));
  }
}

/** Removes control characters but keeps the indentation. */
function printable(line: string): string {
  return line.replaceAll('\t', '  ').replace(/[\p{Cc}\p{Bidi_Control}]/gu, '');
}
