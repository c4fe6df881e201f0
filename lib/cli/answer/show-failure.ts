import type { FailureCode } from '../../contract';
import { plain, type Terminal } from '../screen/terminal';
import type { FailureDocument } from './documents';
import { showBlockers, showEnded } from './production/show-blockers';
import { showRestore } from './production/show-restore';

/** For these codes, the last lines of the log have the reason. */
const PROCESS_ENDED: readonly FailureCode[] = [
  'function_crashed',
  'python_not_started',
  'observer_died',
  'unexpected_report',
  'internal_error',
];

/** Shows what happened, the details, and the next step. */
export function showFailure(terminal: Terminal, { error, applied }: FailureDocument): void {
  terminal.line(`${terminal.paint('red', '✗')} ${terminal.paint('bold', error.code)}: ${plain(error.message)}`);
  const facts: [string, string | undefined][] = [
    ['revision', error.revision],
    ['SQLSTATE', error.sqlState],
    ['statement', error.statement],
    ['applied', applied.map(({ revision }) => revision).join(', ') || undefined],
  ];
  for (const [name, value] of facts) if (value !== undefined) terminal.fact(name, plain(value));
  showBlockers(terminal, error.blockers ?? []);
  showEnded(terminal, error.endedBlockers);
  showRestore(terminal, error.restorePoint);
  if (PROCESS_ENDED.includes(error.code)) {
    for (const line of error.log ?? []) terminal.line(terminal.paint('dim', `  | ${plain(line)}`));
  }
  terminal.next(error.next);
}
