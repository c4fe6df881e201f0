import { scanSync } from 'libpg-query';
import type { TableFacts } from '../../contract/facts';
import { validate } from '../advice/constraints';
import { dropConcurrently } from '../advice/indexes';
import { execute, finalName, tableArguments } from '../advice/python';
import { quoted, quotedTable } from '../advice/sql';
import type { RevisionFunction } from '../revision/analyzed-revision';
import { renamedTo } from '../revision/created-objects';
import { unqualifiedName } from '../revision/tables';
import type { FormPart, NoForm } from './form';

/** The indexes and constraints of a column, for the second column that takes its place. */
export interface Belongings {
  /** Builds them for the second column, under names of their own. */
  readonly parts: readonly FormPart[];
  /** Gives them their names. Run it once the first column is gone, and its own with it. */
  readonly take: readonly string[];
  /** Undoes `take`. */
  readonly giveBack: readonly string[];
  /** Builds them for the first column, once it is there again with its values, and the second one has its own name. */
  readonly again: readonly string[];
}

/** A column of a table, as a catalog has it. */
export interface ColumnOf {
  readonly facts: TableFacts;
  readonly column: string;
}

/**
 * What a second column needs.
 *
 * @param before the first column
 * @param after where the second column's definitions are, under the name of `after.column`
 * @param dropped indexes and constraints that the revision itself drops
 */
export function belongings(
  table: string,
  before: ColumnOf,
  after: ColumnOf,
  second: string,
  dropped: ReadonlySet<string> = new Set(),
): Belongings | NoForm {
  const found: Belongings[] = [];
  const { indexes } = before.facts;
  const constraints = before.facts.constraints.filter(({ name }) => !dropped.has(name));
  const others = new Set([...before.facts.constraints.map(({ name }) => name), ...dropped]);
  const own = indexes.filter(({ name, definition }) => !others.has(unqualifiedName(name)) && uses(definition, before.column));
  for (const { name, definition } of own) {
    const meant = after.facts.indexes.find((one) => one.name === name);
    if (!meant) return { reason: `the index ${name} is not there after the revision` };
    const other = another(unqualifiedName(name), indexes);
    if (other === undefined) return { reason: `another index has the name that the index ${name} needs until then` };
    found.push(index(table, unqualifiedName(name), other, definition, inPlace(meant.definition, after.column, second)));
  }
  for (const constraint of constraints.filter(({ kind, columns }) => kind !== 'not null' && columns.includes(before.column))) {
    const { name, kind, definition, validated } = constraint;
    const meant = after.facts.constraints.find((one) => one.name === name);
    if (!meant) return { reason: `the constraint ${name} is not there after the revision` };
    if (!validated) return { reason: `the constraint ${name} is not valid, so rows may break it` };
    const other = another(name, [...constraints, ...indexes]);
    if (other === undefined) return { reason: `another constraint has the name that ${name} needs until then` };
    if (kind === 'exclude') {
      return { reason: `PostgreSQL can build the constraint ${name} for the new column only under its lock` };
    }
    const wanted = inKey(meant.definition, after.column, second);
    const build = kind === 'check' || kind === 'foreign key' ? checked : kind === 'unique' ? unique : primaryKey;
    found.push(build(table, name, other, definition, wanted));
  }
  return {
    parts: found.flatMap(({ parts }) => parts),
    take: found.flatMap(({ take }) => take),
    giveBack: found.flatMap(({ giveBack }) => giveBack),
    again: found.flatMap(({ again }) => again),
  };
}

/** The indexes and constraints that a function drops, without schemas. */
export function droppedBy({ steps }: RevisionFunction): ReadonlySet<string> {
  const names = steps.flatMap(({ action }) => {
    if (action.does === 'drop index') return action.indexes.map(unqualifiedName);
    return action.does === 'drop constraint' ? [action.constraint] : [];
  });
  return new Set(names);
}

/** The table that a foreign key refers to may have a column of that name, too. */
function inKey(definition: string, column: string, second: string): string {
  const [, own = definition, rest = ''] = /^(FOREIGN KEY .*?)( REFERENCES .*)$/s.exec(definition) ?? [];
  return inPlace(own, column, second) + rest;
}

const INVALID = '# an earlier build that failed leaves an INVALID index under this name';

function index(table: string, name: string, own: string, definition: string, meant: string): Belongings {
  const drop = dropConcurrently(own, table);
  const build = meant.replace(HEAD, (_, unique = '') => `CREATE ${unique}INDEX CONCURRENTLY ${quoted(own)} ON `);
  const rename = (from: string, to: string) =>
    execute(`ALTER INDEX ${quotedTable(renamedTo(table, from))} RENAME TO ${quoted(to)}`);
  return {
    parts: [{ phase: 'build', autocommit: true, up: [INVALID, drop, execute(build)], down: [drop] }],
    take: [rename(own, name)],
    giveBack: [rename(name, own)],
    again: [execute(definition)],
  };
}

/** As pg_get_indexdef writes it. */
const HEAD = /^CREATE (UNIQUE )?INDEX (?:"(?:[^"]|"")+"|\S+) ON /;

type Build = (table: string, name: string, own: string, definition: string, meant: string) => Belongings;

/** A CHECK or a foreign key. */
const checked: Build = (table, name, own, definition, meant) => {
  const { table: argument, schema } = tableArguments(table);
  const type = meant.startsWith('CHECK') ? 'check' : 'foreignkey';
  return {
    parts: [
      {
        phase: 'guard',
        up: [add(table, own, `${meant} NOT VALID`)],
        down: [`op.drop_constraint(${finalName(own)}, ${argument}, type_="${type}"${schema})`],
      },
      { phase: 'validate', up: [validate(table, own)] },
    ],
    ...named(table, name, own, definition),
  };
};

const unique: Build = (table, name, own, definition, meant) => ({
  parts: [
    buildKey(table, own, meant),
    { phase: 'build', up: [add(table, own, using('UNIQUE', own, meant))], down: [drop(table, own)] },
  ],
  ...named(table, name, own, definition),
});

/** A table has one: the second column has a unique index until it takes its place. */
const primaryKey: Build = (table, name, own, definition, meant) => ({
  parts: [{ ...buildKey(table, own, meant), down: [dropConcurrently(own, table)] }],
  take: [add(table, name, using('PRIMARY KEY', own, meant))],
  giveBack: [drop(table, name)],
  again: [add(table, name, definition), execute(uniqueIndex(table, own, meant))],
});

function named(table: string, name: string, own: string, definition: string): Omit<Belongings, 'parts'> {
  const rename = (from: string, to: string) =>
    execute(`ALTER TABLE ${quotedTable(table)} RENAME CONSTRAINT ${quoted(from)} TO ${quoted(to)}`);
  return { take: [rename(own, name)], giveBack: [rename(name, own)], again: [add(table, name, definition)] };
}

function add(table: string, name: string, definition: string): string {
  return execute(`ALTER TABLE ${quotedTable(table)} ADD CONSTRAINT ${quoted(name)} ${definition}`);
}

function drop(table: string, name: string): string {
  return execute(`ALTER TABLE ${quotedTable(table)} DROP CONSTRAINT ${quoted(name)}`);
}

/** `meant`: as pg_get_constraintdef writes it, such as `UNIQUE NULLS NOT DISTINCT (a, b) INCLUDE (c) DEFERRABLE`. */
function parts(meant: string) {
  const [, distinct = '', columns = '', deferred = ''] =
    /^(?:UNIQUE|PRIMARY KEY)( NULLS NOT DISTINCT)? (\(.*\))((?: NOT)? DEFERRABLE.*)?$/s.exec(meant) ?? [];
  return { distinct, columns, deferred };
}

function using(kind: string, own: string, meant: string): string {
  return `${kind} USING INDEX ${quoted(own)}${parts(meant).deferred}`;
}

function uniqueIndex(table: string, own: string, meant: string, how = ''): string {
  const { columns, distinct } = parts(meant);
  return `CREATE UNIQUE INDEX ${how}${quoted(own)} ON ${quotedTable(table)} ${columns}${distinct}`;
}

function buildKey(table: string, own: string, meant: string): FormPart {
  const build = execute(uniqueIndex(table, own, meant, 'CONCURRENTLY '));
  return { phase: 'build', autocommit: true, up: [INVALID, dropConcurrently(own, table), build] };
}

/** A name beside another one, if no object has it. */
function another(name: string, taken: readonly { readonly name: string }[]): string | undefined {
  const own = `${name}_new`.slice(-63);
  return taken.some((one) => unqualifiedName(one.name) === own) ? undefined : own;
}

/** Whether a definition names a column. */
export function uses(definition: string, column: string): boolean {
  return places(definition, column).length > 0;
}

/** An index's or constraint's definition with another column in place of one. The proof shows whether it is the one that is meant. */
export function inPlace(definition: string, column: string, second: string): string {
  const bytes = Buffer.from(definition);
  const found = places(definition, column);
  const ends = [0, ...found.map(({ end }) => end)];
  const kept = [...found.map(({ start }) => start), bytes.length].map((start, at) => bytes.subarray(ends[at], start).toString());
  return kept.join(quoted(second));
}

/** Where a definition names a column: not a table before USING, a function, a type or a collation. */
function places(definition: string, column: string) {
  const { tokens } = scanSync(definition);
  const using = HEAD.test(definition) ? tokens.findIndex(({ text }) => text === 'USING') : -1;
  return tokens.filter(({ text }, at) => {
    const [before = '', after = ''] = [tokens[at - 1]?.text, tokens[at + 1]?.text];
    const name = text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;
    return at > using && name === column && !/^(?:\.|::|COLLATE)$/.test(before) && !/^[.(]$/.test(after);
  });
}
