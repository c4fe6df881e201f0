import type { DataLoss } from '../../contract';
import { plain, type Terminal } from '../screen/terminal';

/** Shows a statement that destroys data, with its reason, or the comment that would acknowledge it. */
export function showDataLoss(terminal: Terminal, { rule, what, file, line, acknowledgement }: DataLoss): void {
  const where = `${plain(file)}:${line}  ${plain(what)}`;
  if (acknowledgement !== undefined) {
    terminal.line(`      destroys data  ${where}  ${terminal.paint('dim', `acknowledged: ${plain(acknowledgement)}`)}`);
    return;
  }
  terminal.line(`      ${terminal.paint('red', 'destroys data')}  ${where}`);
  terminal.line(`      if intended, add to that file:  # cdk-alembic: allow ${rule}: <reason>`);
}
