import { execute } from '../../advice/python';
import { quotedTable } from '../../advice/sql';
import type { Reviewed, Step } from '../../revision/reviewed';
import type { Dropped } from '../../sql/action';
import type { Found, Rule } from '../rule';

/** The kinds that a catalog's entry begins with. Tables, types and materialized views have rules of their own. */
const KINDS: Partial<Record<Dropped, readonly string[]>> = {
  view: ['view'],
  function: ['function', 'procedure', 'aggregate'],
  sequence: ['sequence'],
  extension: ['extension'],
};

/** Only a trigger calls such functions, and only a column's default such sequences. */
const NOT_NAMED = /\bRETURNS (?:event_)?trigger\b|\bOWNED BY\b/;

export const dropInUse: Rule = {
  id: 'drop-in-use',
  group: 'compatibility',
  severity: 'error',
  title: 'a view, function, sequence or extension that the running code uses is dropped',
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
    ...(removal === 'replaced' || what === 'sequence' || what === 'extension' || !revision.upgrade.replayed
      ? { atMost: 'warning' as const }
      : {}),
    message:
      removal === 'replaced'
        ? `the ${what} ${name} is replaced by one with other arguments: calls of running code that do not match them fail`
        : `the ${what} ${name} is dropped: running code that uses it fails at once`,
    instead: `# first release code that does not use ${name}; then, in a separate revision:\n${later}`,
  };
}

/** Whether it is gone after the upgrade. Undefined: it was not there, is there again, or no query can use it. */
function removalOf({ facts, upgrade }: Reviewed, what: Dropped, name: string): 'removed' | 'replaced' | undefined {
  if (!upgrade.replayed || !facts.changes) {
    const isMadeAgain = upgrade.steps.some(
      ({ action }) =>
        (action.does === 'create view' && action.view === name) || (action.does === 'create function' && action.name === name),
    );
    return isMadeAgain ? undefined : 'removed';
  }
  const { removed, added } = facts.changes;
  const isOne = (entry: string) =>
    (KINDS[what] ?? []).some((kind) => entry === `${kind} ${name}` || entry.startsWith(`${kind} ${name}(`));
  const gone = Object.entries(removed).filter(([entry]) => isOne(entry));
  if (gone.every(([, definition]) => NOT_NAMED.test(definition))) return undefined;
  if (Object.keys(added).some(isOne)) return 'replaced';
  const isRelation = what === 'view' && ['table', 'materialized view'].some((kind) => `${kind} ${name}` in added);
  return isRelation || (what === 'view' && name in upgrade.outcome) ? undefined : 'removed';
}
