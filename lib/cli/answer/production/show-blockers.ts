import type { Blocker } from '../../../contract';
import { plain, type Terminal } from '../../screen/terminal';

/** Shows who holds the lock that a run waits for, one line each. */
export function showBlockers(terminal: Terminal, blockers: readonly Blocker[]): void {
  for (const blocker of blockers) terminal.fact(blocker.queued ? 'queued' : 'held by', plain(inWords(blocker)));
}

/** Shows the sessions that a run ended, one line each. */
export function showEnded(terminal: Terminal, blockers: readonly Blocker[] = []): void {
  for (const blocker of blockers) terminal.fact('ended', plain(inWords(blocker)));
}

/** A blocker on one line. */
export function inWords({
  pid,
  kind,
  role,
  application,
  client,
  state,
  since,
  statement,
  transaction,
  table,
  lock,
}: Blocker): string {
  const name = transaction === undefined ? `${kind ?? 'backend'} ${pid}` : `prepared transaction ${transaction}`;
  const facts = [
    role && `role ${role}`,
    application,
    client,
    [state, since && `since ${since}`].filter(Boolean).join(' '),
    lock && `${lock} on ${table ?? 'a row'}`,
  ];
  const text = [name, ...facts].filter(Boolean).join(', ');
  return statement === undefined ? text : `${text}: ${statement}`;
}
