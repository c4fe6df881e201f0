import { parseNode } from '../../../sql/parse';
import { execute } from '../../advice/python';
import { quotedTable } from '../../advice/sql';
import type { Reviewed, Step } from '../../revision/reviewed';
import type { Dropped } from '../../sql/action';
import { text } from '../../sql/names';
import type { Found, Rule } from '../rule';

/** The kinds that a catalog's entry begins with. Tables, types and materialized views have rules of their own. */
const KINDS: Partial<Record<Dropped, readonly string[]>> = {
  view: ['view'],
  function: ['function', 'procedure', 'aggregate'],
  sequence: ['sequence'],
  extension: ['extension'],
  trigger: ['trigger'],
};

/** Only a trigger calls such functions, and only a column's default such sequences. */
const NOT_NAMED = /\bRETURNS (?:event_)?trigger\b|\bOWNED BY\b/;

export const dropInUse: Rule = {
  id: 'drop-in-use',
  group: 'compatibility',
  severity: 'error',
  title: 'a view, function, trigger, sequence or extension that the running code uses is dropped',
  *check(revision) {
    for (const step of revision.upgrade.steps) {
      const { action, place, isNewObject } = step;
      if (action.does !== 'drop' || action.what === 'other' || !KINDS[action.what]) continue;
      for (const name of action.names) {
        if (isNewObject(name)) continue;
        const found = droppedFrom(revision, step, action.what, name);
        if (found) yield { ...place, ...found };
      }
    }
  },
};

function droppedFrom(
  revision: Reviewed,
  { sql }: Step,
  what: Dropped,
  name: string,
): Pick<Found, 'message' | 'instead' | 'atMost'> | undefined {
  const removal = removalOf(revision, what, name);
  if (!removal) return undefined;
  const later = /^DROP\b/i.test(sql) ? execute(sql) : execute(`DROP ${what.toUpperCase()} ${quotedTable(name)}`);
  return {
    // Code rarely names a sequence or what an extension offers.
    ...(removal !== 'removed' || RARE.includes(what) || !revision.upgrade.replayed ? { atMost: 'warning' as const } : {}),
    message: MESSAGES[what === 'trigger' ? 'trigger' : removal](`the ${what} ${name}`),
    instead: `# first release code that does not ${what === 'trigger' ? 'need' : 'use'} ${name}; then, in a separate revision:\n${later}`,
  };
}

/** What code rarely names. */
const RARE: readonly Dropped[] = ['sequence', 'extension', 'trigger'];

const MESSAGES = {
  removed: (it: string) => `${it} is dropped: running code that uses it fails immediately`,
  trigger: (it: string) => `${it} is dropped: rows that running code writes from now on lack its effect`,
  replaced: (it: string) => `${it} is replaced by one with other arguments: calls of running code that do not match them fail`,
  changed: (it: string) =>
    `${it} is replaced by one that returns something else: running code that reads the type or a column it had before fails`,
};

/** Whether it is gone after the upgrade. Undefined: it was not there, is there again, or no query can use it. */
function removalOf({ facts, upgrade }: Reviewed, what: Dropped, name: string): keyof typeof MESSAGES | undefined {
  if (!upgrade.replayed || !facts.changes) {
    const isMadeAgain = upgrade.steps.some(
      ({ action }) =>
        (action.does === 'create view' && action.view === name) ||
        (action.does === 'create function' && action.name === name) ||
        (action.does === 'create trigger' && `${action.table}.${action.trigger}` === name),
    );
    return isMadeAgain ? undefined : 'removed';
  }
  const { removed, added, changed } = facts.changes;
  const isOne = (entry: string) =>
    (KINDS[what] ?? []).some((kind) => entry === `${kind} ${name}` || entry.startsWith(`${kind} ${name}(`));
  const other = Object.entries(changed).find(([entry]) => isOne(entry));
  if (other) return returnsLess(what, ...other[1]) ? 'changed' : undefined;
  const gone = Object.entries(removed).filter(([entry]) => isOne(entry));
  if (gone.every(([, definition]) => NOT_NAMED.test(definition))) return undefined;
  if (Object.keys(added).some(isOne)) return 'replaced';
  const isRelation = what === 'view' && ['table', 'materialized view'].some((kind) => `${kind} ${name}` in added);
  return isRelation || (what === 'view' && name in upgrade.outcome) ? undefined : 'removed';
}

/** Whether a view has lost a column, or a function returns another type. */
function returnsLess(what: Dropped, before: string, after: string): boolean {
  if (what === 'function') return RETURNS.exec(before)?.[1] !== RETURNS.exec(after)?.[1];
  const kept = outputOf(after);
  return what === 'view' && outputOf(before).some((column) => !kept.includes(column));
}

const RETURNS = /\bRETURNS\s+(.+?)\s*(?:\n|LANGUAGE\b|$)/;

/** The names of a view's columns. */
function outputOf(definition: string): readonly string[] {
  const node = parseNode(definition.slice(Math.max(0, definition.search(/\b(?:SELECT|WITH)\b/))));
  const list = (node && 'SelectStmt' in node && node.SelectStmt.targetList) || [];
  return list.flatMap((target) => {
    if (!('ResTarget' in target)) return [];
    const { name, val } = target.ResTarget;
    const field = val && 'ColumnRef' in val ? val.ColumnRef.fields?.at(-1) : undefined;
    return name ?? (field ? text(field) : []);
  });
}
