import { scanSync } from 'libpg-query';
import type { TableFacts } from '../../contract/facts';
import { validate } from '../advice/constraints';
import { dropConcurrently } from '../advice/indexes';
import { execute, finalName, tableArguments } from '../advice/python';
import { quoted, quotedTable } from '../advice/sql';
import type { RevisionFunction } from '../revision/analyzed-revision';
import { renamedTo } from '../revision/created-objects';
import { unqualifiedName } from '../revision/tables';
import type { FormPart, NoSafeForm } from './form';

/** The indexes and constraints of a column, as code that builds them for the second column that replaces it. */
export interface ColumnMembers {
  /** Builds them for the second column, under temporary names. */
  readonly parts: readonly FormPart[];
  /** Renames them to the original names. Run it after the first column and its members are dropped. */
  readonly takeNames: readonly string[];
  /** Undoes `takeNames`. */
  readonly giveNamesBack: readonly string[];
  /** Builds them for the first column again, after it is restored with its values and `giveNamesBack` has run. */
  readonly rebuild: readonly string[];
}

/** A column, and its table in a catalog. */
export interface TableColumn {
  readonly facts: TableFacts;
  readonly column: string;
}

/**
 * The members that a second column needs, or why they can't be built.
 *
 * @param before the first column
 * @param after the first column after the revision, whose definitions the second column gets
 * @param dropped indexes and constraints that the revision itself drops
 */
export function columnMembers(
  table: string,
  before: TableColumn,
  after: TableColumn,
  second: string,
  dropped: ReadonlySet<string> = new Set(),
): ColumnMembers | NoSafeForm {
  const found: ColumnMembers[] = [];
  const { indexes } = before.facts;
  const constraints = before.facts.constraints.filter(({ name }) => !dropped.has(name));
  const others = new Set([...before.facts.constraints.map(({ name }) => name), ...dropped]);
  const own = indexes.filter(
    ({ name, definition }) => !others.has(unqualifiedName(name)) && namesColumn(definition, before.column),
  );
  for (const { name, definition } of own) {
    const meant = after.facts.indexes.find((one) => one.name === name);
    if (!meant) return { reason: `the index ${name} is not there after the revision` };
    const other = newName(unqualifiedName(name), indexes);
    if (other === undefined) return { reason: `another index has the name that the index ${name} needs until then` };
    found.push(
      indexMember(table, unqualifiedName(name), other, definition, replaceColumn(meant.definition, after.column, second)),
    );
  }
  for (const constraint of constraints.filter(({ kind, columns }) => kind !== 'not null' && columns.includes(before.column))) {
    const { name, kind, definition, validated } = constraint;
    const meant = after.facts.constraints.find((one) => one.name === name);
    if (!meant) return { reason: `the constraint ${name} is not there after the revision` };
    if (!validated) return { reason: `the constraint ${name} is not valid, so rows may break it` };
    const other = newName(name, [...constraints, ...indexes]);
    if (other === undefined) return { reason: `another constraint has the name that ${name} needs until then` };
    if (kind === 'exclude') {
      return { reason: `PostgreSQL can build the constraint ${name} for the new column only under its lock` };
    }
    const wanted = replaceKeyColumn(meant.definition, after.column, second);
    const build = kind === 'check' || kind === 'foreign key' ? checkOrForeignKey : kind === 'unique' ? unique : primaryKey;
    found.push(build(table, name, other, definition, wanted));
  }
  return {
    parts: found.flatMap(({ parts }) => parts),
    takeNames: found.flatMap(({ takeNames: take }) => take),
    giveNamesBack: found.flatMap(({ giveNamesBack: giveBack }) => giveBack),
    rebuild: found.flatMap(({ rebuild: again }) => again),
  };
}

/** Unqualified names of the indexes and constraints that a function drops. */
export function droppedMembers({ steps }: RevisionFunction): ReadonlySet<string> {
  const names = steps.flatMap(({ action }) => {
    if (action.does === 'drop index') return action.indexes.map(unqualifiedName);
    return action.does === 'drop constraint' ? [action.constraint] : [];
  });
  return new Set(names);
}

/** Replaces a column in a definition. The columns after REFERENCES stay: they may have the same name. */
function replaceKeyColumn(definition: string, column: string, second: string): string {
  const [, own = definition, rest = ''] = /^(FOREIGN KEY .*?)( REFERENCES .*)$/s.exec(definition) ?? [];
  return replaceColumn(own, column, second) + rest;
}

const INVALID = '# an earlier build that failed leaves an INVALID index under this name';

function indexMember(table: string, name: string, own: string, definition: string, meant: string): ColumnMembers {
  const drop = dropConcurrently(own, table);
  const build = meant.replace(CREATE_INDEX, (_, unique = '') => `CREATE ${unique}INDEX CONCURRENTLY ${quoted(own)} ON `);
  const rename = (from: string, to: string) =>
    execute(`ALTER INDEX ${quotedTable(renamedTo(table, from))} RENAME TO ${quoted(to)}`);
  return {
    parts: [{ phase: 'build', autocommit: true, up: [INVALID, drop, execute(build)], down: [drop] }],
    takeNames: [rename(own, name)],
    giveNamesBack: [rename(name, own)],
    rebuild: [execute(definition)],
  };
}

/** The start of a definition by pg_get_indexdef. */
const CREATE_INDEX = /^CREATE (UNIQUE )?INDEX (?:"(?:[^"]|"")+"|\S+) ON /;

type Build = (table: string, name: string, own: string, definition: string, meant: string) => ColumnMembers;

/** A CHECK or a foreign key. */
const checkOrForeignKey: Build = (table, name, own, definition, meant) => {
  const { table: argument, schema } = tableArguments(table);
  const type = meant.startsWith('CHECK') ? 'check' : 'foreignkey';
  return {
    parts: [
      {
        phase: 'guard',
        up: [addConstraint(table, own, `${meant} NOT VALID`)],
        down: [`op.drop_constraint(${finalName(own)}, ${argument}, type_="${type}"${schema})`],
      },
      { phase: 'validate', up: [validate(table, own)] },
    ],
    ...renamedConstraint(table, name, own, definition),
  };
};

const unique: Build = (table, name, own, definition, meant) => ({
  parts: [
    buildKey(table, own, meant),
    { phase: 'build', up: [addConstraint(table, own, using('UNIQUE', own, meant))], down: [dropConstraint(table, own)] },
  ],
  ...renamedConstraint(table, name, own, definition),
});

/** A table has only one primary key: the second column has a unique index until it replaces the first. */
const primaryKey: Build = (table, name, own, definition, meant) => ({
  parts: [{ ...buildKey(table, own, meant), down: [dropConcurrently(own, table)] }],
  takeNames: [addConstraint(table, name, using('PRIMARY KEY', own, meant))],
  giveNamesBack: [dropConstraint(table, name)],
  rebuild: [addConstraint(table, name, definition), execute(uniqueIndex(table, own, meant))],
});

function renamedConstraint(table: string, name: string, own: string, definition: string): Omit<ColumnMembers, 'parts'> {
  const rename = (from: string, to: string) =>
    execute(`ALTER TABLE ${quotedTable(table)} RENAME CONSTRAINT ${quoted(from)} TO ${quoted(to)}`);
  return {
    takeNames: [rename(own, name)],
    giveNamesBack: [rename(name, own)],
    rebuild: [addConstraint(table, name, definition)],
  };
}

function addConstraint(table: string, name: string, definition: string): string {
  return execute(`ALTER TABLE ${quotedTable(table)} ADD CONSTRAINT ${quoted(name)} ${definition}`);
}

function dropConstraint(table: string, name: string): string {
  return execute(`ALTER TABLE ${quotedTable(table)} DROP CONSTRAINT ${quoted(name)}`);
}

/** @param meant a definition by pg_get_constraintdef, such as `UNIQUE NULLS NOT DISTINCT (a, b) INCLUDE (c) DEFERRABLE` */
function keyClauses(meant: string) {
  const [, distinct = '', columns = '', deferred = ''] =
    /^(?:UNIQUE|PRIMARY KEY)( NULLS NOT DISTINCT)? (\(.*\))((?: NOT)? DEFERRABLE.*)?$/s.exec(meant) ?? [];
  return { distinct, columns, deferred };
}

function using(kind: string, own: string, meant: string): string {
  return `${kind} USING INDEX ${quoted(own)}${keyClauses(meant).deferred}`;
}

function uniqueIndex(table: string, own: string, meant: string, how = ''): string {
  const { columns, distinct } = keyClauses(meant);
  return `CREATE UNIQUE INDEX ${how}${quoted(own)} ON ${quotedTable(table)} ${columns}${distinct}`;
}

function buildKey(table: string, own: string, meant: string): FormPart {
  const build = execute(uniqueIndex(table, own, meant, 'CONCURRENTLY '));
  return { phase: 'build', autocommit: true, up: [INVALID, dropConcurrently(own, table), build] };
}

/** A temporary name for a member; undefined if another object has it. */
function newName(name: string, taken: readonly { readonly name: string }[]): string | undefined {
  const own = `${name}_new`.slice(-63);
  return taken.some((one) => unqualifiedName(one.name) === own) ? undefined : own;
}

/** Whether a definition names a column. */
export function namesColumn(definition: string, column: string): boolean {
  return columnTokens(definition, column).length > 0;
}

/** Replaces a column in the definition of an index or a constraint. The proof shows whether the result is right. */
export function replaceColumn(definition: string, column: string, second: string): string {
  const bytes = Buffer.from(definition);
  const found = columnTokens(definition, column);
  const ends = [0, ...found.map(({ end }) => end)];
  const kept = [...found.map(({ start }) => start), bytes.length].map((start, at) => bytes.subarray(ends[at], start).toString());
  return kept.join(quoted(second));
}

/** The tokens of a definition that name a column, and not a table before USING, a function, a type or a collation. */
function columnTokens(definition: string, column: string) {
  const { tokens } = scanSync(definition);
  const using = CREATE_INDEX.test(definition) ? tokens.findIndex(({ text }) => text === 'USING') : -1;
  return tokens.filter(({ text }, at) => {
    const [before = '', after = ''] = [tokens[at - 1]?.text, tokens[at + 1]?.text];
    const name = text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;
    return at > using && name === column && !/^(?:\.|::|COLLATE)$/.test(before) && !/^[.(]$/.test(after);
  });
}
