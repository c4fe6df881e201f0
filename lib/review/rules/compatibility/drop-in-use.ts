import { parseNode } from '../../../sql/parse';
import { execute } from '../../advice/python';
import { quotedTable } from '../../advice/sql';
import type { AnalyzedRevision, RevisionFunction, Step } from '../../revision/analyzed-revision';
import type { DroppedKind } from '../../sql/action';
import { text } from '../../sql/names';
import type { Rule, RuleFinding } from '../rule';

/** The kinds of catalog entries by kind of DROP. Tables, types and materialized views have rules of their own. */
const CATALOG_KINDS: Partial<Record<DroppedKind, readonly string[]>> = {
  view: ['view'],
  function: ['function', 'procedure', 'aggregate'],
  sequence: ['sequence'],
  extension: ['extension'],
  trigger: ['trigger'],
};

/** Functions that only triggers call, and sequences that only a column's default uses. */
const NOT_USED_BY_CODE = /\bRETURNS (?:event_)?trigger\b|\bOWNED BY\b/;

export const dropInUse: Rule = {
  id: 'drop-in-use',
  group: 'compatibility',
  severity: 'error',
  title: 'a view, function, trigger, sequence or extension that the running code uses is dropped',
  *check(revision) {
    for (const step of revision.upgrade.steps) {
      const { action, place, isNewObject } = step;
      if (action.does !== 'drop' || action.what === 'other' || !CATALOG_KINDS[action.what]) continue;
      for (const name of action.names) {
        if (isNewObject(name)) continue;
        const found = dropFinding(revision, step, action.what, name);
        if (found) yield { ...place, ...found };
      }
    }
  },
};

function dropFinding(
  revision: AnalyzedRevision,
  { sql }: Step,
  what: DroppedKind,
  name: string,
): Pick<RuleFinding, 'message' | 'instead' | 'atMost'> | undefined {
  const removal = removalKind(revision, what, name);
  if (!removal) return undefined;
  const later = /^DROP\b/i.test(sql) ? execute(sql) : execute(`DROP ${what.toUpperCase()} ${quotedTable(name)}`);
  return {
    // Code rarely names a sequence or an object of an extension.
    ...(removal !== 'removed' || RARELY_NAMED.includes(what) || !revision.upgrade.replayed ? { atMost: 'warning' as const } : {}),
    message: MESSAGES[what === 'trigger' ? 'trigger' : removal](`the ${what} ${name}`),
    instead: `# first release code that does not ${what === 'trigger' ? 'need' : 'use'} ${name}; then, in a separate revision:\n${later}`,
  };
}

/** Objects that code rarely uses by name. */
const RARELY_NAMED: readonly DroppedKind[] = ['sequence', 'extension', 'trigger'];

const MESSAGES = {
  removed: (it: string) => `${it} is dropped: running code that uses it fails immediately`,
  trigger: (it: string) => `${it} is dropped: rows that running code writes afterwards lack its effect`,
  replaced: (it: string) => `${it} is replaced by one with other arguments: calls of running code that do not match them fail`,
  changed: (it: string) =>
    `${it} is replaced by one that returns something else: running code that reads the type or a column it had before fails`,
};

/** How the upgrade removes an object. Undefined if it did not exist, exists again, or can't be used by a query. */
function removalKind(revision: AnalyzedRevision, what: DroppedKind, name: string): keyof typeof MESSAGES | undefined {
  const { facts, upgrade } = revision;
  if (!upgrade.replayed || !facts.changes) {
    const isRecreated = upgrade.steps.some(
      ({ action }) =>
        (action.does === 'create view' && action.view === name) ||
        (action.does === 'create function' && action.name === name) ||
        (action.does === 'create trigger' && `${action.table}.${action.trigger}` === name),
    );
    if (!isRecreated) return 'removed';
    const [before, after] = [viewColumns(revision.downgrade, name), viewColumns(upgrade, name)];
    return after?.length && before?.some((column) => !after.includes(column)) ? 'changed' : undefined;
  }
  const { removed, added, changed } = facts.changes;
  const isThisObject = (entry: string) =>
    (CATALOG_KINDS[what] ?? []).some((kind) => entry === `${kind} ${name}` || entry.startsWith(`${kind} ${name}(`));
  const other = Object.entries(changed).find(([entry]) => isThisObject(entry));
  if (other) return returnsLess(what, ...other[1]) ? 'changed' : undefined;
  const removedEntries = Object.entries(removed).filter(([entry]) => isThisObject(entry));
  if (removedEntries.every(([, definition]) => NOT_USED_BY_CODE.test(definition))) return undefined;
  if (Object.keys(added).some(isThisObject)) return 'replaced';
  const isRelation = what === 'view' && ['table', 'materialized view'].some((kind) => `${kind} ${name}` in added);
  return isRelation || (what === 'view' && name in upgrade.tablesAfter) ? undefined : 'removed';
}

/** The columns of the view that a function creates. Undefined: it creates none, or they are unknown. */
function viewColumns({ steps }: RevisionFunction, name: string): readonly string[] | undefined {
  return steps.flatMap(({ action }) => (action.does === 'create view' && action.view === name ? [action.columns] : [])).at(-1);
}

/** Whether a view has lost a column, or a function returns another type. */
export function returnsLess(what: DroppedKind, before: string, after: string): boolean {
  if (what === 'function') return RETURNS.exec(before)?.[1] !== RETURNS.exec(after)?.[1];
  const kept = outputColumns(after);
  return what === 'view' && outputColumns(before).some((column) => !kept.includes(column));
}

const RETURNS = /\bRETURNS\s+(.+?)\s*(?:\n|LANGUAGE\b|$)/;

/** The names of a view's columns. */
function outputColumns(definition: string): readonly string[] {
  const node = parseNode(definition.slice(Math.max(0, definition.search(/\b(?:SELECT|WITH)\b/))));
  const list = (node && 'SelectStmt' in node && node.SelectStmt.targetList) || [];
  return list.flatMap((target) => {
    if (!('ResTarget' in target)) return [];
    const { name, val } = target.ResTarget;
    const field = val && 'ColumnRef' in val ? val.ColumnRef.fields?.at(-1) : undefined;
    return name ?? (field ? text(field) : []);
  });
}
