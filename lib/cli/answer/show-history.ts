import type { MigrateAnswer, RunRecord } from '../../contract';
import { revisionLine } from '../screen/revision-line';
import { count, duration, plain, revisionNames, type Terminal } from '../screen/terminal';
import { showEnded } from './production/show-blockers';
import { showRestore } from './production/show-restore';
import { showAhead } from './show-ahead';

/** Shows all revisions, then the latest runs. */
export function showHistory(terminal: Terminal, answer: MigrateAnswer): void {
  const { history = [], runs = [], status } = answer;
  // If a newer release has migrated the database, only its recorded runs know what is applied of this code.
  const unapplied = terminal.paint('yellow', status === 'ahead' ? '?' : '•');
  for (const entry of history) revisionLine(terminal, entry.applied ? terminal.paint('green', '✓') : unapplied, entry);
  const pending = history.filter(({ applied }) => !applied).length;
  if (status === 'ahead') showAhead(terminal, answer);
  else terminal.line(`${count(history.length)}, ${history.length - pending} applied (✓), ${pending} not (•)`);
  if (runs.length === 0) return;
  terminal.line();
  terminal.line('latest runs, newest first');
  for (const run of runs) showRun(terminal, run);
  const latest = runs.find((run) => run.applied.length > 0 && run.restorePoint);
  if (!latest) return;
  terminal.line();
  terminal.line(`to get back a copy of the database as it was before the run of ${plain(latest.startedAt)}`);
  showRestore(terminal, latest.restorePoint);
}

function showRun(terminal: Terminal, run: RunRecord): void {
  const { startedAt, endedAt, command, from, to, outcome, applied, requestedBy } = run;
  const color = outcome === 'complete' ? 'green' : outcome === 'running' || outcome === 'partial' ? 'yellow' : 'red';
  const facts = [
    plain(startedAt),
    terminal.paint(color, plain(outcome)),
    `${plain(command)} ${revisionNames(from)} → ${revisionNames(to)}`,
    count(applied.length),
    ...(endedAt === null ? [] : [duration(Date.parse(endedAt) - Date.parse(startedAt))]),
    terminal.paint('dim', plain(requestedBy)),
  ];
  terminal.line(`  ${facts.join('  ')}`);
  if (run.restorePoint?.snapshot) terminal.fact('snapshot', plain(run.restorePoint.snapshot));
  showEnded(terminal, run.endedBlockers);
}
