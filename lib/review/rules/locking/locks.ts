import type { Lock } from '../../../contract/facts';
import type { RevisionFunction, Step } from '../../revision/analyzed-revision';
import { originalName } from '../../revision/created-objects';
import { unqualifiedName } from '../../revision/tables';
import type { Action, ActionOf } from '../../sql/action';

/** What waits for each lock, from PostgreSQL's documentation of explicit locking. */
export const WAITING_BY_LOCK: Readonly<Record<string, string>> = {
  AccessExclusiveLock: 'reads and writes wait',
  ExclusiveLock: 'writes wait, reads continue',
  ShareRowExclusiveLock: 'writes wait, reads continue',
  ShareLock: 'writes wait, reads continue',
};

/** Existing tables that a step locks against reads: as observed, or from PostgreSQL's documentation of its action. */
export function exclusivelyLocked(step: Step, part: RevisionFunction): readonly string[] {
  const { action, isExisting } = step;
  const observed = locksSeen(step, part);
  const locked =
    observed !== undefined
      ? observed
          .filter(({ relation, table, mode }) => mode === 'AccessExclusiveLock' && relation === table && part.findTable(table))
          .map(({ table }) => table)
      : documentedLocks(action, part);
  return [...new Set(locked)].filter(isExisting);
}

/** Those that it would lock in a transaction of its own, under their first names: a lock that is held already is not observed again. */
export function lockedAlone(step: Step, part: RevisionFunction): readonly string[] {
  const actions = part.steps.map(({ action }) => action);
  const locked = [...exclusivelyLocked(step, part), ...documentedLocks(step.action, part).filter(step.isExisting)];
  return [...new Set(locked.map((table) => originalName(table, actions) ?? table))];
}

/** Existing tables that a schema change locks against writes, while reads continue. */
export function lockedAgainstWrites(step: Step, part: RevisionFunction): readonly string[] {
  const { action, isExisting } = step;
  if (action.does === 'lock') return [];
  const observed = locksSeen(step, part);
  const locked =
    observed !== undefined
      ? observed
          .filter(
            ({ relation, table, mode }) =>
              relation === table && mode !== 'AccessExclusiveLock' && WAITING_BY_LOCK[mode] && part.findTable(table),
          )
          .map(({ table }) => table)
      : documentedWriteLocks(action);
  return [...new Set(locked)].filter(isExisting);
}

/** The locks that a step was seen to take. Undefined: it was not seen, or what it names may have been missing, as in `DROP INDEX IF EXISTS`. */
function locksSeen({ observed, transaction }: Step, { replayed }: RevisionFunction): readonly Lock[] | undefined {
  return observed && transaction >= 0 && (replayed || observed.locks.length) ? observed.locks : undefined;
}

/** When a step's lock is released: in autocommit, its statement commits by itself. */
export function lockEnd({ transaction }: Pick<Step, 'transaction'>): string {
  return transaction < 0 ? 'the statement is done' : 'the revision commits';
}

/** To be added to when a step's work is done. */
export function andCommits({ transaction }: Pick<Step, 'transaction'>): string {
  return transaction < 0 ? '' : ' and the revision commits';
}

/** Whether reads of the tables wait during a step that blocks writes: its statement, or its transaction, may hold an exclusive lock. */
export function readsMeanwhile(step: Step, part: RevisionFunction, tables: readonly string[]): string {
  const actions = part.steps.map(({ action }) => action);
  for (const earlier of part.steps) {
    const isSame = earlier.index === step.index;
    if (earlier.index > step.index || earlier.transaction !== step.transaction || (step.transaction < 0 && !isSame)) continue;
    const held = exclusivelyLocked(earlier, part);
    const locked = tables.find((table) => held.includes(table) || held.includes(originalName(table, actions) ?? ''));
    const holder = isSame ? 'the statement takes' : `line ${earlier.line} holds`;
    if (locked) return `reads of ${locked} wait too, because ${holder} an ACCESS EXCLUSIVE lock on it`;
  }
  return 'reads continue';
}

/** The table of a trigger or a policy: `users.touch`. */
function tableOfMember(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('.')));
}

function documentedWriteLocks(action: Action): readonly string[] {
  if (action.does === 'create trigger') return [action.table];
  if (action.does === 'create index') return action.concurrently ? [] : [action.table];
  if (action.does !== 'add constraint' || action.constraint.kind !== 'foreign key') return [];
  return [action.table, ...(action.constraint.references ? [action.constraint.references.table] : [])];
}

function tablesOfDroppedIndexes(
  { indexes, of, concurrently }: ActionOf<'drop index'>,
  part: RevisionFunction,
): readonly string[] {
  return concurrently ? [] : indexes.flatMap((index) => tableOfIndex(index, part) ?? of ?? []);
}

/** The table of an index. DROP INDEX does not name it; without a replay, the index may be created again. */
export function tableOfIndex(name: string, { findIndex, steps }: RevisionFunction): string | undefined {
  const known = findIndex(name)?.table;
  if (known !== undefined) return known;
  const again = steps.find(
    ({ action }) => action.does === 'create index' && unqualifiedName(action.index ?? '') === unqualifiedName(name),
  );
  return again?.action.does === 'create index' ? again.action.table : undefined;
}

function documentedLocks(action: Action, part: RevisionFunction): readonly string[] {
  switch (action.does) {
    case 'add column':
    case 'drop column':
    case 'drop constraint':
    case 'set not null':
    case 'drop not null':
    case 'set default':
    case 'change type':
    case 'rewrite table':
      return [action.table];
    case 'alter table':
      return /Statistics|SetOptions|ResetOptions|RelOptions|ClusterOn|DropCluster|DetachPartition/.test(action.how)
        ? []
        : [action.table];
    case 'add constraint':
      return action.constraint.kind === 'foreign key' ? [] : [action.table];
    case 'rename':
      return action.what === 'table' || action.what === 'column' ? [action.table] : [];
    case 'change owner':
      return [action.name];
    case 'set schema':
      return action.what === 'table' ? [action.name] : [];
    case 'drop':
      if (['trigger', 'policy', 'rule'].includes(action.what)) return action.names.map(tableOfMember);
      return action.what === 'table' ? action.names : [];
    case 'truncate':
      return action.tables;
    case 'drop index':
      return tablesOfDroppedIndexes(action, part);
    case 'move index':
      return [tableOfIndex(action.index, part) ?? ''];
    case 'lock':
      return action.mode === 'AccessExclusiveLock' ? action.tables : [];
    default:
      return [];
  }
}
