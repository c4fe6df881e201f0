import type { AnalyzedRevision, RevisionFunction, Step } from '../revision/analyzed-revision';
import { isEnumSwapLeftover } from '../revision/created-objects';
import { unqualifiedName } from '../revision/tables';
import { nameList } from './name-list';
import type { Rule, RuleFinding } from './rule';

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
      yield* action.does === 'truncate' ? truncateFindings(step, action.tables, revision.upgrade) : dropFindings(step, revision);
    }
  },
};

function* truncateFindings(step: Step, tables: readonly string[], part: RevisionFunction): Iterable<RuleFinding> {
  const others = alsoTruncated(step, tables, part);
  if (step.observed && !others.length) return;
  yield {
    ...step.place,
    message: `TRUNCATE ... CASCADE also empties ${others.length ? nameList(others) : 'every table that refers to it'}: all of those rows are lost`,
    instead: '# name each table, without CASCADE: PostgreSQL then refuses if you forgot one',
  };
}

function* dropFindings(step: Step, revision: AnalyzedRevision): Iterable<RuleFinding> {
  const { action } = step;
  const { steps, replayed } = revision.upgrade;
  const others = alsoDropped(revision, step);
  if (replayed && !others.length) return;
  if (action.does === 'drop' && action.names.every((name) => isAlreadyDropped(name, steps, step.index))) return;
  const isLeftover = action.does === 'drop' && action.names.every((name) => isEnumSwapLeftover(name, steps, step.index));
  yield {
    ...step.place,
    // At most foreign keys depend on a constraint.
    ...((isLeftover || action.does === 'drop constraint') && !others.length ? { atMost: 'warning' as const } : {}),
    message: `CASCADE also drops ${others.length ? nameList(others) : 'everything that depends on it in production'}`,
    instead: '# drop each of them by name, without CASCADE: PostgreSQL then refuses if you forgot one',
  };
}

/** Whether an earlier statement has dropped the object, so that IF EXISTS finds nothing. */
function isAlreadyDropped(name: string, steps: readonly Step[], before: number): boolean {
  const earlier = steps.filter(({ index }) => index < before).map(({ action }) => action);
  const last = earlier.findLast((action) => (action.does === 'drop' ? action.names.includes(name) : creates(action, name)));
  return last?.does === 'drop';
}

function creates(action: Step['action'], name: string): boolean {
  if (action.does === 'create view') return action.view === name;
  if (action.does === 'create table') return action.table === name;
  return (action.does === 'create function' && action.name === name) || (action.does === 'create type' && action.type === name);
}

/** Tables that a TRUNCATE locked besides those that it names. */
function alsoTruncated({ observed }: Step, named: readonly string[], { findTable }: RevisionFunction): readonly string[] {
  const locked = (observed?.locks ?? []).filter(
    ({ relation, table, mode }) => relation === table && mode === 'AccessExclusiveLock',
  );
  // RESTART IDENTITY locks the sequences.
  return [...new Set(locked.map(({ table }) => table))].filter((table) => !named.includes(table) && findTable(table));
}

/** Objects that the upgrade removes although the revision does not drop or rename them, or what they belong to, by name. */
function alsoDropped({ facts, upgrade }: AnalyzedRevision, { action }: Step): readonly string[] {
  const named = upgrade.steps.flatMap(({ action: one }) => {
    if (one.does === 'drop') return one.names;
    if (one.does === 'drop index') return one.indexes;
    if (one.does === 'drop column') return [`${one.table}.${one.column}`];
    if (one.does === 'drop constraint') return [`${one.table}.${one.constraint}`];
    if (one.does === 'rename') return [one.what === 'column' ? `${one.table}.${one.from}` : one.from];
    return [];
  });
  const own = action.does === 'drop' ? action.names : [];
  const indexes = upgrade.findIndex;
  return Object.keys(facts.changes?.removed ?? {}).filter((entry) => {
    const name = entry.slice(entry.indexOf(' ') + 1).replace(/\(.*$/, '');
    if (/^(?:comment|grants) on /.test(entry)) return false;
    if (entry.startsWith('index ') && own.includes(indexes(name)?.table ?? '')) return false;
    return ![...named].some(
      (one) =>
        unqualifiedName(name) === unqualifiedName(one) ||
        name === one ||
        name.startsWith(`${one}.`) ||
        name.startsWith(`${one}_`),
    );
  });
}
