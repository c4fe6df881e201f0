import type { HistoryFacts, RevisionFacts, SourceStep, TableFacts } from '../../contract/facts';
import type { Action } from '../sql/action';
import { parseSql } from '../sql/parse';
import type { PlainStep } from './steps';
import { writtenActions } from './steps';
import { bare, findTable } from './tables';

/** Whether objects exist before a revision; undefined: unknown. They are named as {@link changesOf} names them. */
export type ExistsBefore = (object: string) => boolean | undefined;

/** As the replay saw it, else as earlier revisions tell. */
export function existsBefore({ upgrade, before, changes, source }: RevisionFacts): ExistsBefore {
  const told = fromHistory(source.history);
  return (object) => (upgrade.outcome === 'done' ? seen(object, before) : undefined) ?? removed(object, changes) ?? told(object);
}

/** What the replay saw of a table that the revision touches. */
function seen(object: string, tables: Readonly<Record<string, TableFacts>>): boolean | undefined {
  const [kind, name = ''] = object.split(' ');
  if (kind === 'index') {
    return Object.values(tables).some(({ indexes }) => indexes.some((index) => bare(index.name) === name)) || undefined;
  }
  const [table = '', own = ''] = name.split('.');
  const found = findTable(tables, table);
  if (kind === 'table') return found ? true : undefined;
  if (kind === 'column') return found?.columns.some((column) => column.name === own);
  return kind === 'constraint' ? found?.constraints.some((constraint) => constraint.name === own) : undefined;
}

function removed(object: string, changes: RevisionFacts['changes']): boolean | undefined {
  const [kind, name] = object.split(' ');
  return Object.keys(changes?.removed ?? {}).some((entry) => {
    const [own = '', ...rest] = entry.split(' ');
    return own === kind && bare(rest.join(' ').replace(/\(.*/, '')) === name;
  })
    ? true
    : undefined;
}

function fromHistory({ names, steps, isWhole }: HistoryFacts): ExistsBefore {
  const told = new Map<string, boolean>(steps.flatMap(constraintsOfTable).map((constraint) => [constraint, true]));
  for (const { action } of steps.flatMap(writtenActions)) {
    for (const [object, isMade] of changesOf(action)) told.set(object, isMade);
  }
  const named = new Set(JSON.stringify(steps).match(/\w+/g));
  return (object) => {
    const name = object.split(/[ .]/).at(-1) ?? '';
    return told.get(object) ?? (isWhole && names.includes(name) && !named.has(name) ? false : undefined);
  };
}

/** The named constraints of `op.create_table("users", ..., sa.PrimaryKeyConstraint("id", name="pk_users"))`. */
function constraintsOfTable({ call }: SourceStep): readonly string[] {
  const [table] = call?.name.endsWith('create_table') ? call.args : [];
  if (typeof table !== 'string') return [];
  const names = JSON.stringify(call?.args).matchAll(/Constraint\([^"]*?(?:\\"[^"]*\\"[^"]*?)*name=\\"(\w+)\\"/g);
  return [...names].map(([, name]) => `constraint ${bare(table)}.${name}`);
}

/** The objects that an action makes (true) or takes away. */
export function changesOf(action: Action): readonly (readonly [object: string, isMade: boolean])[] {
  switch (action.does) {
    case 'create table':
      return [
        [`table ${bare(action.table)}`, true],
        ...action.columns.map(({ name }) => [`column ${bare(action.table)}.${name}`, true] as const),
        ...constraints(action.table, action.constraints),
      ];
    case 'add column':
      return [[`column ${bare(action.table)}.${action.column.name}`, true]];
    case 'drop column':
      return [[`column ${bare(action.table)}.${action.column}`, false]];
    case 'create index':
      return action.index === undefined ? [] : [[`index ${bare(action.index)}`, true]];
    case 'drop index':
      return action.indexes.map((index) => [`index ${bare(index)}`, false] as const);
    case 'add constraint':
      return constraints(action.table, [action.constraint]);
    case 'drop constraint':
      return [[`constraint ${bare(action.table)}.${action.constraint}`, false]];
    case 'create type':
      return [[`type ${bare(action.type)}`, true]];
    case 'create schema':
      return [[`schema ${action.schema}`, true]];
    case 'create view':
      return [[`view ${bare(action.view)}`, true]];
    case 'create function':
      return [[`function ${bare(action.name)}`, true]];
    case 'rename':
      return renamed(action.what, bare(action.table), bare(action.from), action.to);
    case 'drop':
      return action.names.map((name) => [`${action.what.replace('materialized ', '')} ${bare(name)}`, false] as const);
    default:
      return [];
  }
}

function constraints(table: string, all: readonly { readonly name?: string }[]): readonly (readonly [string, boolean])[] {
  return all.flatMap(({ name }) => (name ? [[`constraint ${bare(table)}.${name}`, true] as const] : []));
}

function renamed(what: string, of: string, from: string, to: string): readonly (readonly [string, boolean])[] {
  if (what !== 'column' && what !== 'table' && what !== 'type') return [];
  const named = (name: string) => (what === 'column' ? `column ${of}.${name}` : `${what} ${name}`);
  return [
    [named(from), false],
    [named(to), true],
  ];
}

/** The steps that change something: without those that make what stands, or are about what does not, which a condition skips. */
export function effective(plain: readonly PlainStep[], before: ExistsBefore): readonly PlainStep[] {
  const now = new Map<string, boolean>();
  const stands = (object: string) => now.get(object) ?? before(object);
  return plain.filter(({ action }) => {
    const changes = changesOf(action);
    const needed = neededBy(action);
    const isIdle =
      (needed.length > 0 && needed.every((object) => stands(object) === false)) ||
      (action.does === 'create table' && stands(`table ${bare(action.table)}`) === true) ||
      (ONE.has(action.does) && changes.length > 0 && changes.every(([object, isMade]) => stands(object) === isMade));
    if (!isIdle) for (const [object, isMade] of changes) now.set(object, isMade);
    return !isIdle;
  });
}

/** The objects that an action changes. */
function neededBy(action: Action): readonly string[] {
  switch (action.does) {
    case 'update':
      return action.columns.map((column) => `column ${bare(action.table)}.${column}`);
    case 'change type':
    case 'set not null':
    case 'drop not null':
    case 'set default':
      return [`column ${bare(action.table)}.${action.column}`];
    case 'rename':
      return changesOf(action).flatMap(([object, isMade]) => (isMade ? [] : [object]));
    default:
      return [];
  }
}

/** The actions of which an object is all that they are about. */
const ONE = new Set<Action['does']>([
  ...(['add column', 'drop column', 'create index', 'drop index', 'add constraint', 'drop constraint', 'drop'] as const),
]);

/** Whether what a loss of the guard is about was never there, such as `ALTER TABLE users DROP COLUMN legacy`. */
export function isAboutNothing(what: string, before: ExistsBefore): boolean {
  const column = /^UPDATE (\S+) SET (\w+) to /.exec(what);
  const objects = column
    ? [`column ${bare(column[1] ?? '')}.${column[2]}`]
    : parseSql(what).flatMap(({ actions }) => actions.flatMap((action) => changesOf(action).map(([object]) => object)));
  return objects.length > 0 && objects.every((object) => before(object) === false);
}
