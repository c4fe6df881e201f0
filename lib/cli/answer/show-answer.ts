import type { AppliedRevision, Command, MigrateAnswer } from '../../contract';
import { revisionLine } from '../screen/revision-line';
import type { Screen } from '../screen/screen';
import { areSameRevisions, count, duration, revisionNames, type Terminal } from '../screen/terminal';
import { showEnded } from './production/show-blockers';
import { showDrift } from './production/show-drift';
import { showRunning } from './production/show-running';
import { showPlannedSnapshot, showSnapshot } from './production/show-snapshot';
import { showStatistics } from './production/show-statistics';
import { showAhead } from './show-ahead';
import { showDataLoss } from './show-data-loss';
import { showHistory } from './show-history';
import { showSql } from './show-sql';

/** Shows a revision that was just applied or reverted. */
export function showApplied(terminal: Terminal, command: Command, applied: AppliedRevision): void {
  const sign = command === 'downgrade' ? terminal.paint('yellow', '↓') : terminal.paint('green', '✓');
  revisionLine(terminal, sign, applied, duration(applied.durationMs));
}

/** Shows the answer of a command that only reads. */
export function showAnswer({ data, notes }: Screen, answer: MigrateAnswer): void {
  if (answer.command === 'history') showHistory(data, answer);
  else if (answer.statistics) showStatistics(data, answer.statistics);
  else if (answer.drift) showDrift(data, answer.drift);
  else showPosition(data, answer);
  showRunning(data, answer.running);
  if (answer.sql) showSql(data, answer.sql);
  showWarnings(notes, answer);
}

/** Shows the result of a run, after its revisions were listed; `ms` is its duration. */
export function showOutcome(
  { data, notes }: Screen,
  { command, applied, from, to, heads, ...answer }: MigrateAnswer,
  ms: number,
): void {
  const way = `${revisionNames(from)} → ${at(to, heads)}`;
  if (command === 'stamp') data.line(`stamped: ${way}`);
  else if (applied.length === 0) data.line(nothing(to, heads));
  else data.line(`${count(applied.length)} ${command === 'downgrade' ? 'reverted' : 'applied'} in ${duration(ms)}: ${way}`);
  showSnapshot(data, answer.snapshot);
  showEnded(data, answer.endedBlockers);
  showWarnings(notes, answer);
}

/** Shows the database's revision, the pending revisions and what they destroy. */
export function showPosition(terminal: Terminal, answer: MigrateAnswer): void {
  if (answer.status === 'ahead') showAhead(terminal, answer);
  else if (answer.pending.length > 0) showPending(terminal, answer);
  // `current` does not ask for pending revisions.
  else if (answer.command === 'current') terminal.line(`the database is at ${at(answer.to, answer.heads)}`);
  else terminal.line(nothing(answer.to, answer.heads));
}

function showPending(terminal: Terminal, { to, heads, target, pending, dataLoss, container, snapshot }: MigrateAnswer): void {
  const goal = areSameRevisions(target, heads) ? `head (${revisionNames(heads)})` : revisionNames(target);
  terminal.line(`the database is at ${revisionNames(to)}: ${count(pending.length)} pending to ${goal}`);
  for (const revision of pending) {
    const where = container?.revisions.includes(revision.revision) ? IN_CONTAINER : undefined;
    revisionLine(terminal, terminal.paint('yellow', '•'), revision, where);
    for (const loss of dataLoss) if (loss.revision === revision.revision) showDataLoss(terminal, loss);
  }
  showPlannedSnapshot(terminal, snapshot);
  if (container && container.stateMachineArn === undefined) {
    terminal.warning(
      'the stage has no container, so an upgrade to these revisions fails; add MigrationCompute.container to the construct',
    );
  }
}

/** Shown instead of a time. */
const IN_CONTAINER = 'in the container';

/** Problems that do not stop the command. */
export function warningsOf({ edited, warnings }: Pick<MigrateAnswer, 'edited' | 'warnings'>): string[] {
  const warning = `edited after they were applied: ${edited.join(', ')}; the database still has the earlier version: undo the edit and add a revision`;
  return [...(edited.length > 0 ? [warning] : []), ...warnings];
}

function showWarnings(notes: Terminal, answer: Pick<MigrateAnswer, 'edited' | 'warnings'>): void {
  for (const warning of warningsOf(answer)) notes.warning(warning);
}

function nothing(to: readonly string[], heads: readonly string[]): string {
  return `nothing to do: the database is at ${at(to, heads)}`;
}

function at(to: readonly string[], heads: readonly string[]): string {
  return `${revisionNames(to)}${areSameRevisions(to, heads) ? ' (head)' : ''}`;
}
