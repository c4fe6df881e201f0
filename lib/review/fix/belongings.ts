import { scanSync } from 'libpg-query';
import type { TableFacts } from '../../contract/facts';
import { validate } from '../advice/constraints';
import { dropConcurrently } from '../advice/indexes';
import { execute, finalName, tableArguments } from '../advice/python';
import { quoted, quotedTable } from '../advice/sql';
import { renamedTo } from '../revision/made';
import { bare } from '../revision/tables';
import type { FormPart, NoForm } from './form';

/** The indexes and CHECK constraints of a column, for the second column that takes its place. */
export interface Belongings {
  /** Builds them for the second column, under names of their own. */
  readonly parts: readonly FormPart[];
  /** Gives them their names. Run it once the first column is gone, and its own with it. */
  readonly take: readonly string[];
  /** Undoes `take`. */
  readonly giveBack: readonly string[];
  /** Builds them for the first column, once it is there again with its values. */
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
 */
export function belongings(table: string, before: ColumnOf, after: ColumnOf, second: string): Belongings | NoForm {
  const found: Belongings[] = [];
  for (const { name, definition } of before.facts.indexes.filter((index) => uses(index.definition, before.column))) {
    const meant = after.facts.indexes.find((index) => index.name === name);
    if (!meant) return { reason: `the index ${name} is not there after the revision` };
    const own = another(bare(name), before.facts.indexes);
    if (own === undefined) return { reason: `there is an index of the name that the index ${name} would have meanwhile` };
    found.push(index(table, bare(name), own, definition, inPlace(meant.definition, after.column, second)));
  }
  const checks = before.facts.constraints.filter(({ kind, columns }) => kind === 'check' && columns.includes(before.column));
  for (const { name, definition, validated } of checks) {
    const meant = after.facts.constraints.find((constraint) => constraint.name === name);
    if (!meant) return { reason: `the constraint ${name} is not there after the revision` };
    if (!validated) return { reason: `the constraint ${name} is not valid, so rows may break it` };
    const own = another(name, before.facts.constraints);
    if (own === undefined) return { reason: `there is a constraint of the name that ${name} would have meanwhile` };
    found.push(check(table, name, own, definition, inPlace(meant.definition, after.column, second)));
  }
  return {
    parts: found.flatMap(({ parts }) => parts),
    take: found.flatMap(({ take }) => take),
    giveBack: found.flatMap(({ giveBack }) => giveBack),
    again: found.flatMap(({ again }) => again),
  };
}

function index(table: string, name: string, own: string, definition: string, meant: string): Belongings {
  const drop = dropConcurrently(own, table);
  const build = meant.replace(HEAD, (_, unique = '') => `CREATE ${unique}INDEX CONCURRENTLY ${quoted(own)} ON `);
  const rename = (from: string, to: string) =>
    execute(`ALTER INDEX ${quotedTable(renamedTo(table, from))} RENAME TO ${quoted(to)}`);
  const invalid = '# an earlier build that failed leaves an INVALID index under this name';
  return {
    parts: [{ phase: 'build', autocommit: true, up: [invalid, drop, execute(build)], down: [drop] }],
    take: [rename(own, name)],
    giveBack: [rename(name, own)],
    again: [execute(definition)],
  };
}

/** As pg_get_indexdef writes it. */
const HEAD = /^CREATE (UNIQUE )?INDEX (?:"(?:[^"]|"")+"|\S+) ON /;

function check(table: string, name: string, own: string, definition: string, meant: string): Belongings {
  const { table: argument, schema } = tableArguments(table);
  const alter = `ALTER TABLE ${quotedTable(table)}`;
  const rename = (from: string, to: string) => execute(`${alter} RENAME CONSTRAINT ${quoted(from)} TO ${quoted(to)}`);
  return {
    parts: [
      {
        phase: 'guard',
        up: [execute(`${alter} ADD CONSTRAINT ${quoted(own)} ${meant} NOT VALID`)],
        down: [`op.drop_constraint(${finalName(own)}, ${argument}, type_="check"${schema})`],
      },
      { phase: 'validate', up: [validate(table, own)] },
    ],
    take: [rename(own, name)],
    giveBack: [rename(name, own)],
    again: [execute(`${alter} ADD CONSTRAINT ${quoted(name)} ${definition}`)],
  };
}

/** A name beside another one, if no object has it. */
function another(name: string, taken: readonly { readonly name: string }[]): string | undefined {
  const own = `${name}_new`.slice(-63);
  return taken.some((one) => bare(one.name) === own) ? undefined : own;
}

function uses(definition: string, column: string): boolean {
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
