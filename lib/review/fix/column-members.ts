import { scanSync } from 'libpg-query';
import type { ConstraintFacts, IndexFacts, TableFacts } from '../../contract/facts';
import { validate } from '../advice/constraints';
import { dropConcurrently, INVALID_INDEX } from '../advice/indexes';
import { execute, finalName, tableArguments } from '../advice/python';
import { quoted, quotedTable } from '../advice/sql';
import type { RevisionFunction } from '../revision/analyzed-revision';
import { renamedTo } from '../revision/created-objects';
import { findTable, unqualifiedName } from '../revision/tables';
import type { FormPart, NoSafeForm } from './form';

/** The indexes and constraints of a column, as code that builds them for the second column that replaces it. */
export interface ColumnMembers {
  /** Builds them for the second column, under temporary names. */
  readonly parts: readonly FormPart[];
  /** Drops the foreign keys of other tables that refer to the first column. Run it before that column is dropped. */
  readonly dropReferences: readonly string[];
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

/** A foreign key that refers to a column, and the table that has it. */
export interface Reference {
  readonly table: string;
  readonly facts: TableFacts;
  readonly constraint: ConstraintFacts;
}

/** The foreign keys of all tables that refer to a column. */
export function referencesTo({ tablesBefore }: RevisionFunction, { facts: target, column }: TableColumn): readonly Reference[] {
  const refers = ({ references }: ConstraintFacts) =>
    !!references && findTable(tablesBefore, references.table) === target && references.columns.includes(column);
  return Object.entries(tablesBefore).flatMap(([table, facts]) =>
    facts.constraints.filter(refers).map((constraint) => ({ table, facts, constraint })),
  );
}

/**
 * The members that a second column needs, or why they can't be built.
 *
 * @param before the first column
 * @param after the first column after the revision, whose definitions the second column gets
 * @param references foreign keys that refer to the first column
 * @param dropped indexes and constraints that the revision itself drops
 * @param renamed old and new names of those that it renames
 */
export function columnMembers(
  table: string,
  before: TableColumn,
  after: TableColumn,
  second: string,
  references: readonly Reference[],
  dropped: ReadonlySet<string> = new Set(),
  renamed: ReadonlyMap<string, string> = new Map(),
): ColumnMembers | NoSafeForm {
  const { indexes } = before.facts;
  const constraints = before.facts.constraints.filter(({ name }) => !dropped.has(name));
  const others = new Set([...before.facts.constraints.map(({ name }) => name), ...dropped]);
  const own = indexes.filter(
    ({ name, definition }) => !others.has(unqualifiedName(name)) && namesColumn(definition, before.column),
  );
  const namesOf = (name: string, taken: readonly { readonly name: string }[]): Names | undefined => {
    const final = renamed.get(name) ?? name;
    const temporary = final === name ? newName(name, taken) : final;
    return temporary === undefined ? undefined : { name, temporary, final };
  };
  const found = [
    ...own.map((index) => indexMember(table, index, namesOf(unqualifiedName(index.name), indexes), after, second)),
    ...constraints
      .filter(({ kind, columns }) => kind !== 'not null' && columns.includes(before.column))
      .map((constraint) =>
        constraintMember(table, constraint, namesOf(constraint.name, [...constraints, ...indexes]), after, second),
      ),
    ...references
      .filter(({ constraint }) => !dropped.has(constraint.name))
      .map((reference) => referenceMember(reference, before.column, second)),
  ];
  const members = found.filter((one): one is ColumnMembers => !('reason' in one));
  return (
    found.find((one): one is NoSafeForm => 'reason' in one) ?? {
      parts: members.flatMap(({ parts }) => parts),
      dropReferences: members.flatMap(({ dropReferences }) => dropReferences),
      takeNames: members.flatMap(({ takeNames }) => takeNames),
      // What refers to a key goes before the key.
      giveNamesBack: members.toReversed().flatMap(({ giveNamesBack }) => giveNamesBack),
      rebuild: members.flatMap(({ rebuild }) => rebuild),
    }
  );
}

/** Unqualified names of the indexes and constraints that a function drops. */
export function droppedMembers({ steps }: RevisionFunction): ReadonlySet<string> {
  const names = steps.flatMap(({ action }) => {
    if (action.does === 'drop index') return action.indexes.map(unqualifiedName);
    return action.does === 'drop constraint' ? [action.constraint] : [];
  });
  return new Set(names);
}

/** Old and new unqualified names of the column's indexes and constraints that a function renames. */
export function renamedMembers(
  { steps }: RevisionFunction,
  { facts: { constraints, indexes }, column }: TableColumn,
): ReadonlyMap<string, string> {
  const own = [
    ...constraints.filter(({ columns }) => columns.includes(column)),
    ...indexes.filter(({ definition }) => namesColumn(definition, column)),
  ].map(({ name }) => unqualifiedName(name));
  const renames = steps.flatMap(({ action }) =>
    action.does === 'rename' && action.what === 'other' ? [[unqualifiedName(action.from), action.to] as const] : [],
  );
  return new Map(renames.filter(([name]) => own.includes(name)));
}

/** Replaces a column in a definition. The columns after REFERENCES stay: they may have the same name. */
function replaceKeyColumn(definition: string, column: string, second: string): string {
  const [, own = definition, rest = ''] = /^(FOREIGN KEY .*?)( REFERENCES .*)$/s.exec(definition) ?? [];
  return replaceColumn(own, column, second) + rest;
}

/** Replaces a column after REFERENCES. */
function replaceReferencedColumn(definition: string, column: string, second: string): string {
  const [, start = definition, columns = '', rest = ''] =
    /^(FOREIGN KEY .*? REFERENCES .*?\()(.*?)(\).*)$/s.exec(definition) ?? [];
  return start + replaceColumn(columns, column, second) + rest;
}

/** The names of a member, from the first column to the second. */
interface Names {
  readonly name: string;
  /** While both are there; the final one if it is another name. */
  readonly temporary: string;
  readonly final: string;
}

function indexMember(
  table: string,
  { name, definition }: IndexFacts,
  names: Names | undefined,
  { facts, column }: TableColumn,
  second: string,
): ColumnMembers | NoSafeForm {
  const after = facts.indexes.find((one) => one.name === name);
  if (!after) return { reason: `the index ${name} is not there after the revision` };
  if (!names) return { reason: `another index has the name that the index ${name} needs until then` };
  const { temporary: own, final } = names;
  const meant = replaceColumn(after.definition, column, second);
  const drop = dropConcurrently(own, table);
  const build = meant.replace(CREATE_INDEX, (_, unique = '') => `CREATE ${unique}INDEX CONCURRENTLY ${quoted(own)} ON `);
  const rename = (from: string, to: string) =>
    from === to ? [] : [execute(`ALTER INDEX ${quotedTable(renamedTo(table, from))} RENAME TO ${quoted(to)}`)];
  return {
    parts: [{ phase: 'build', autocommit: true, up: [INVALID_INDEX, drop, execute(build)], down: [drop] }],
    dropReferences: [],
    takeNames: rename(own, final),
    giveNamesBack: rename(final, own),
    rebuild: [execute(definition)],
  };
}

/** The start of a definition by pg_get_indexdef. */
const CREATE_INDEX = /^CREATE (UNIQUE )?INDEX (?:"(?:[^"]|"")+"|\S+) ON /;

function constraintMember(
  table: string,
  { name, kind, definition, validated }: ConstraintFacts,
  names: Names | undefined,
  { facts, column }: TableColumn,
  second: string,
): ColumnMembers | NoSafeForm {
  const after = facts.constraints.find((one) => one.name === name);
  if (!after) return { reason: `the constraint ${name} is not there after the revision` };
  if (!validated) return { reason: `the constraint ${name} is not valid, so rows may break it` };
  if (!names) return { reason: `another constraint has the name that ${name} needs until then` };
  if (kind === 'exclude') {
    return { reason: `PostgreSQL can build the constraint ${name} for the new column only under its lock` };
  }
  const build = kind === 'check' || kind === 'foreign key' ? checkOrForeignKey : kind === 'unique' ? unique : primaryKey;
  return build(table, names, definition, replaceKeyColumn(after.definition, column, second));
}

type Build = (table: string, names: Names, definition: string, meant: string) => ColumnMembers;

/** A CHECK or a foreign key. */
const checkOrForeignKey: Build = (table, names, definition, meant) => {
  const { temporary: own } = names;
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
    ...renamedConstraint(table, names, definition),
  };
};

const unique: Build = (table, names, definition, meant) => {
  const { temporary: own } = names;
  return {
    parts: [
      buildKey(table, own, meant),
      { phase: 'build', up: [addConstraint(table, own, using('UNIQUE', own, meant))], down: [dropConstraint(table, own)] },
    ],
    ...renamedConstraint(table, names, definition),
  };
};

/** A table has only one primary key: the second column has a unique index until it replaces the first. */
const primaryKey: Build = (table, { name, temporary: own, final }, definition, meant) => ({
  parts: [{ ...buildKey(table, own, meant), down: [dropConcurrently(own, table)] }],
  dropReferences: [],
  takeNames: [addConstraint(table, final, using('PRIMARY KEY', own, meant))],
  giveNamesBack: [dropConstraint(table, final)],
  rebuild: [addConstraint(table, name, definition), execute(uniqueIndex(table, own, meant))],
});

/** A foreign key that refers to the second column, which only needs its unique index, besides the one that refers to the first. */
function referenceMember({ table, facts, constraint }: Reference, column: string, second: string): ColumnMembers | NoSafeForm {
  const { name, definition, validated } = constraint;
  if (!validated) return { reason: `the constraint ${name} of ${table} is not valid, so rows may break it` };
  const own = newName(name, [...facts.constraints, ...facts.indexes]);
  if (own === undefined) return { reason: `another constraint of ${table} has the name that ${name} needs until then` };
  const meant = replaceReferencedColumn(definition, column, second);
  const drop = execute(`ALTER TABLE ${quotedTable(table)} DROP CONSTRAINT IF EXISTS ${quoted(own)}`);
  return {
    // With the index that it needs: that is built outside of the transaction.
    parts: [
      { phase: 'build', autocommit: true, up: [drop, addConstraint(table, own, `${meant} NOT VALID`)], down: [drop] },
      { phase: 'validate', up: [validate(table, own)] },
    ],
    ...renamedConstraint(table, { name, temporary: own, final: name }, definition),
    dropReferences: [dropConstraint(table, name)],
    giveNamesBack: [dropConstraint(table, name)],
    rebuild: [addConstraint(table, name, definition), addConstraint(table, own, meant)],
  };
}

function renamedConstraint(table: string, { name, temporary, final }: Names, definition: string): Omit<ColumnMembers, 'parts'> {
  const rename = (from: string, to: string) =>
    from === to ? [] : [execute(`ALTER TABLE ${quotedTable(table)} RENAME CONSTRAINT ${quoted(from)} TO ${quoted(to)}`)];
  return {
    dropReferences: [],
    takeNames: rename(temporary, final),
    giveNamesBack: rename(final, temporary),
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
  return { phase: 'build', autocommit: true, up: [INVALID_INDEX, dropConcurrently(own, table), build] };
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
