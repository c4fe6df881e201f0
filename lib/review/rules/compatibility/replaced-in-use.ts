import { as, only } from '../../../sql/nodes';
import { parseNode } from '../../../sql/parse';
import { execute } from '../../advice/python';
import { quoted } from '../../advice/sql';
import type { AnalyzedRevision, RevisionFunction } from '../../revision/analyzed-revision';
import type { Change } from '../../revision/change';
import type { Action, ActionOf } from '../../sql/action';
import type { Rule, RuleFinding } from '../rule';
import { returnsLess } from './drop-in-use';

/** Running code gets the new body at once: https://www.postgresql.org/docs/current/sql-createfunction.html */
export const replacedInUse: Rule = {
  id: 'replaced-in-use',
  group: 'compatibility',
  severity: 'warning',
  title: 'a view, function, trigger or extension that the running code uses is redefined',
  *check(revision, change) {
    const reported = new Set<string>();
    for (const { action, isNewObject, place } of revision.upgrade.steps.toReversed()) {
      if (action.does === 'update extension' && !isNewObject(action.extension)) yield { ...place, ...updated(action) };
      const object = definedObject(action);
      if (!object || reported.has(object.what)) continue;
      const { kind, name, what } = object;
      const isOther = revision.upgrade.replayed
        ? isChanged(object, revision, change)
        : !isNewObject(name) && isReplaced(object, action, revision.downgrade);
      if (!isOther) continue;
      reported.add(what);
      yield {
        ...place,
        message: `the ${what} is redefined: ${EFFECTS[kind]} as soon as the revision commits, before the new release is there`,
        ...(kind === 'trigger'
          ? {}
          : {
              instead: `# if running code can't work with it: create it under another name, and drop ${name} in a later release`,
            }),
      };
    }
  },
};

/** https://www.postgresql.org/docs/current/sql-alterextension.html */
function updated({ extension, to }: ActionOf<'update extension'>): Pick<RuleFinding, 'message' | 'instead'> {
  const which = to === undefined ? '; without TO, each server takes the version that it has' : '';
  return {
    message: `the extension ${extension} is updated: queries of running code use its new functions and types as soon as the revision commits${which}`,
    ...(to === undefined
      ? { instead: `# name the version: ${execute(`ALTER EXTENSION ${quoted(extension)} UPDATE TO '...'`)}` }
      : {}),
  };
}

const EFFECTS = {
  function: 'running code and triggers that call it run the new body',
  view: 'queries of running code find other rows or values',
  trigger: 'it does something else with the rows that running code writes',
};

interface DefinedObject {
  readonly kind: keyof typeof EFFECTS;
  readonly name: string;
  /** Such as `view active_users`. */
  readonly what: string;
}

function definedObject(action: Action): DefinedObject | undefined {
  const object = (kind: DefinedObject['kind'], name: string) => ({ kind, name, what: `${kind} ${name}` });
  switch (action.does) {
    case 'create function':
      return object('function', action.name);
    case 'create view':
      return object('view', action.view);
    case 'create trigger':
      return object('trigger', `${action.table}.${action.trigger}`);
    default:
      return undefined;
  }
}

/** Whether a replay has seen that the object was there before the change, and does something else now. */
function isChanged({ kind, name }: DefinedObject, revision: AnalyzedRevision, change: Change): boolean {
  const kinds = kind === 'function' ? ['function', 'procedure', 'aggregate'] : [kind];
  const isThis = (entry: string) => kinds.some((one) => entry === `${one} ${name}` || entry.startsWith(`${one} ${name}(`));
  const earlier = change.isUnreleased(revision.facts.revision) ? change.before(revision) : [];
  const isNew = (entry: string) =>
    earlier.some(({ facts }) => change.isUnreleased(facts.revision) && entry in (facts.changes?.added ?? {}));
  return Object.entries(revision.facts.changes?.changed ?? {}).some(
    ([entry, [before, after]]) =>
      isThis(entry) &&
      !isNew(entry) &&
      // drop-in-use reports it.
      !(kind !== 'trigger' && returnsLess(kind, before, after)) &&
      !(kind === 'view' && onlyAddsColumns(before, after)),
  );
}

/** Whether OR REPLACE changes what was there before: the downgrade replaces it, too. */
function isReplaced({ what }: DefinedObject, action: Action, { steps }: RevisionFunction): boolean {
  const replaces = (one: Action) => 'replaces' in one && one.replaces && definedObject(one)?.what === what;
  return replaces(action) && steps.some((step) => replaces(step.action));
}

/** Whether a view only has more columns than before. */
function onlyAddsColumns(before: string, after: string): boolean {
  const [old, now] = [queryOf(before), queryOf(after)];
  if (!old || !now) return false;
  const { targetList: columns, ...rest } = old;
  const { targetList: more, ...others } = now;
  const all = new Set(only(more, 'ResTarget').map(withoutLocations));
  return (
    withoutLocations(rest) === withoutLocations(others) &&
    only(columns, 'ResTarget').every((one) => all.has(withoutLocations(one)))
  );
}

function queryOf(view: string) {
  // Its options come before the query.
  const [, query = ''] = /^(?:WITH \([^)]*\) )?\s*(.*)$/s.exec(view) ?? [];
  return as(parseNode(query), 'SelectStmt');
}

function withoutLocations(node: object): string {
  return JSON.stringify(node, (key, value) => (key === 'location' ? undefined : value));
}
