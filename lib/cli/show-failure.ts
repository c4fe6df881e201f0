import type { FailureDocument } from './documents';
import { showDataLoss } from './show-data-loss';
import { plain, type Terminal } from './terminal';

/** What went wrong, what is known about it and what to do. */
export function showFailure(terminal: Terminal, { error, applied }: FailureDocument): void {
  terminal.line(`${terminal.paint('red', '✗')} ${terminal.paint('bold', error.code)}: ${plain(error.message)}`);
  const facts: [string, string | undefined][] = [
    ['revision', error.revision],
    ['SQLSTATE', error.sqlState],
    ['statement', error.statement],
    ['applied', applied.map(({ revision }) => revision).join(', ') || undefined],
  ];
  for (const [name, value] of facts) if (value !== undefined) terminal.fact(name, plain(value));
  for (const loss of error.dataLoss ?? []) showDataLoss(terminal, loss);
  if (error.code === 'function_crashed') {
    for (const line of error.log ?? []) terminal.line(terminal.paint('dim', `  | ${plain(line)}`));
  }
  terminal.next(error.next);
}
