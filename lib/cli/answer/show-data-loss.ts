import type { DataLoss } from '../../contract';
import { plain, type Terminal } from '../screen/terminal';

/** A place that destroys data: acknowledged with which reason, or by which comment it would be. */
export function showDataLoss(terminal: Terminal, { rule, what, file, line, acknowledgement }: DataLoss): void {
  const place = `${plain(file)}:${line}  ${plain(what)}`;
  if (acknowledgement !== undefined) {
    terminal.line(`      destroys data  ${place}  ${terminal.paint('dim', `acknowledged: ${plain(acknowledgement)}`)}`);
    return;
  }
  terminal.line(`      ${terminal.paint('red', 'destroys data')}  ${place}`);
  terminal.line(`      if it is meant, write into that file:  # cdk-alembic: allow ${rule}: <reason>`);
}
