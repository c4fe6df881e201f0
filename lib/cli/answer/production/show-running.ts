import type { Running } from '../../../contract';
import { elapsed } from '../../screen/progress-line';
import { plain, type Terminal } from '../../screen/terminal';
import { inWords, showBlockers } from './show-blockers';

/** Shows the run in progress. */
export function showRunning(terminal: Terminal, running: Running | undefined): void {
  if (!running) return;
  const { command, requestedBy, startedAt, revision, message, statement } = running;
  terminal.line(`a run is in progress: ${plain(command)} of ${plain(requestedBy)} since ${plain(startedAt)}`);
  if (revision !== undefined) terminal.fact('revision', plain(`${revision}  ${message ?? ''}`));
  if (statement !== undefined) terminal.fact('statement', plain(statement));
  const now = runningNow(running);
  if (now !== '') terminal.fact('now', now);
  showBlockers(terminal, running.blockers ?? []);
}

/** Phase, percent, estimate and the first blocker, on one line. */
export function runningNow({ elapsedMs, phase, percent, secondsLeft, blockers = [] }: Running): string {
  const [blocker] = blockers;
  return [
    blocker && `waits for ${plain(inWords({ ...blocker, statement: undefined }))}`,
    phase && plain(percent === undefined ? phase : `${phase} ${percent} %`),
    secondsLeft !== undefined && `about ${elapsed(secondsLeft * 1000)} left`,
    elapsedMs !== undefined && `for ${elapsed(elapsedMs)}`,
  ]
    .filter(Boolean)
    .join(', ');
}
