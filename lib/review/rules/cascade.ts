import { isEnumSwapLeftover } from '../revision/created';
import type { Reviewed, Step } from '../revision/reviewed';
import { bare } from '../revision/tables';
import type { Found, Rule } from './rule';
import { some } from './words';

/** https://www.postgresql.org/docs/current/ddl-depend.html */
export const cascade: Rule = {
  id: 'cascade',
  group: 'data loss',
  severity: 'error',
  title: 'CASCADE removes more than the statement names',
  *check(revision) {
    for (const step of revision.upgrade.steps) {
      const { action } = step;
      if (!('cascade' in action) || !action.cascade) continue;
      yield* action.does === 'truncate' ? truncated(step, action.tables) : dropped(step, revision);
    }
  },
};

function* truncated(step: Step, tables: readonly string[]): Iterable<Found> {
  const others = truncatedToo(step, tables);
  if (step.observed && !others.length) return;
  yield {
    ...step.place,
    message: `TRUNCATE ... CASCADE also empties ${others.length ? some(others) : 'every table that refers to it'}: all of those rows are lost`,
    instead: '# name each table, without CASCADE: PostgreSQL then refuses if you forgot one',
  };
}

function* dropped(step: Step, revision: Reviewed): Iterable<Found> {
  const { action } = step;
  const { steps, replayed } = revision.upgrade;
  const taken = takenAlong(revision, step);
  if (replayed && !taken.length) return;
  if (action.does === 'drop' && action.names.every((name) => isGone(name, steps, step.index))) return;
  const isLeft = action.does === 'drop' && action.names.every((name) => isEnumSwapLeftover(name, steps, step.index));
  yield {
    ...step.place,
    ...(isLeft && !taken.length ? { atMost: 'warning' as const } : {}),
    message: `CASCADE also drops ${taken.length ? some(taken) : 'everything that depends on it in production'}`,
    instead: '# drop each of them by name, without CASCADE: PostgreSQL then refuses if you forgot one',
  };
}

/** Whether an earlier statement has dropped it, so that IF EXISTS finds nothing. */
function isGone(name: string, steps: readonly Step[], before: number): boolean {
  const earlier = steps.filter(({ index }) => index < before).map(({ action }) => action);
  const last = earlier.findLast((action) => (action.does === 'drop' ? action.names.includes(name) : makes(action, name)));
  return last?.does === 'drop';
}

function makes(action: Step['action'], name: string): boolean {
  if (action.does === 'create view') return action.view === name;
  if (action.does === 'create table') return action.table === name;
  return (action.does === 'create function' && action.name === name) || (action.does === 'create type' && action.type === name);
}

/** Tables that one TRUNCATE locked besides those it names. */
function truncatedToo({ observed }: Step, named: readonly string[]): readonly string[] {
  const locked = (observed?.locks ?? []).filter(
    ({ relation, table, mode }) => relation === table && mode === 'AccessExclusiveLock',
  );
  return [...new Set(locked.map(({ table }) => table))].filter((table) => !named.includes(table));
}

/** What is gone after the upgrade, and belongs to nothing that the revision drops by name. */
function takenAlong({ facts, upgrade }: Reviewed, { action }: Step): readonly string[] {
  const named = upgrade.steps.flatMap(({ action: one }) => {
    if (one.does === 'drop') return one.names;
    if (one.does === 'drop index') return one.indexes;
    if (one.does === 'drop column') return [`${one.table}.${one.column}`];
    if (one.does === 'drop constraint') return [`${one.table}.${one.constraint}`];
    return [];
  });
  const own = action.does === 'drop' ? action.names : [];
  const indexes = upgrade.findIndex;
  return Object.keys(facts.changes?.removed ?? {}).filter((entry) => {
    const name = entry.slice(entry.indexOf(' ') + 1).replace(/\(.*$/, '');
    if (/^(?:comment|grants) on /.test(entry)) return false;
    if (entry.startsWith('index ') && own.includes(indexes(name)?.table ?? '')) return false;
    return ![...named].some(
      (one) => bare(name) === bare(one) || name === one || name.startsWith(`${one}.`) || name.startsWith(`${one}_`),
    );
  });
}
