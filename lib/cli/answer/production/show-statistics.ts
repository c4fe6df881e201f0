import type { DatabaseStatistics, TableStatistics } from '../../../contract';
import { bytesText, rowsText } from '../../../text/sizes';
import { plain, type Terminal } from '../../screen/terminal';

/** People want the large tables; the file for the review has all of them. */
const MAX_SHOWN = 20;

/** Shows the largest tables. */
export function showStatistics(terminal: Terminal, statistics: DatabaseStatistics): void {
  const { tables, tablesLeftOut, postgres, bytes } = statistics;
  const whole = tables.filter(({ partitionOf }) => partitionOf === undefined);
  const total = tables.length + tablesLeftOut;
  terminal.line(
    `${total} table${total === 1 ? '' : 's'} in ${bytesText(bytes)} on PostgreSQL ${plain(postgres)}, the largest first`,
  );
  const rows = whole.slice(0, MAX_SHOWN).map(cells);
  const widths = HEAD.map((head, at) => Math.max(head.length, ...rows.map((row) => row[at]?.length ?? 0)));
  for (const row of rows.length > 0 ? [HEAD, ...rows] : []) {
    terminal.line(
      `  ${row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  ')}`,
    );
  }
  const more = whole.length - MAX_SHOWN;
  if (more > 0) terminal.line(`  and ${more} more: --json has them`);
}

const HEAD = ['table', 'rows', 'size', 'indexes', 'dead rows', 'writes/s'];

function cells({ name, rows, bytes, toastBytes, indexBytes, deadRows, writesPerSecond }: TableStatistics): string[] {
  return [
    plain(name),
    rowsText(rows),
    bytesText(bytes + toastBytes),
    bytesText(indexBytes),
    rowsText(deadRows),
    writesPerSecond === undefined ? '?' : String(Number(writesPerSecond.toPrecision(2))),
  ];
}
