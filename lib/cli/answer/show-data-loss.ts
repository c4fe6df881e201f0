import type { DataLoss } from '../../contract';
import { plain, type Terminal } from '../screen/terminal';

/** A place that destroys data, with the reason for it, or the comment that acknowledges it. */
export function showDataLoss(terminal: Terminal, { rule, what, file, line, acknowledgement }: DataLoss): void {
  const place = `${plain(file)}:${line}  ${plain(what)}`;
  if (acknowledgement !== undefined) {
    terminal.line(`      destroys data  ${place}  ${terminal.paint('dim', `acknowledged: ${plain(acknowledgement)}`)}`);
    return;
  }
  terminal.line(`      ${terminal.paint('red', 'destroys data')}  ${place}`);
  terminal.line(`      if intended, add to that file:  # cdk-alembic: allow ${rule}: <reason>`);
}
