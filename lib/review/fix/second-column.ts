import type { ColumnFacts, TableFacts } from '../../contract/facts';
import { execute } from '../advice/python';
import { literal, quoted, quotedTable } from '../advice/sql';
import { renamedTo } from '../revision/created-objects';
import { unqualifiedName } from '../revision/tables';

/** Why a second column can't replace a column; undefined if it can. */
export function whyNoSecondColumn({ identity, generated }: ColumnFacts, facts: TableFacts, table: string): string | undefined {
  if (facts.partitions) return `${table} is partitioned`;
  if (identity) return IDENTITY;
  return generated
    ? 'PostgreSQL computes a generated column: replace it by hand with a plain one that a trigger fills'
    : undefined;
}

const IDENTITY =
  'the sequence of an identity is dropped with its column: by hand, add a second column that a trigger fills, fill it in batches, and ' +
  'build its key; then, in one short transaction, add GENERATED ... AS IDENTITY to it, set its sequence with setval(new, nextval(old), ' +
  'false), drop the first column, and rename the second';

/** Adds the column that replaces another one, with its comment. */
export function addColumn(table: string, name: string, type: string, { comment }: ColumnFacts): readonly string[] {
  const [own, column] = [quotedTable(table), quoted(name)];
  return [
    execute(`ALTER TABLE ${own} ADD COLUMN ${column} ${type}`),
    ...(comment === undefined ? [] : [execute(`COMMENT ON COLUMN ${own}.${column} IS ${literal(comment)}`)]),
  ];
}

/** Moves the sequence of a serial to another column, so that it is not dropped with the first one. */
export function moveSequence(table: string, { default: value = '' }: ColumnFacts, to: string): readonly string[] {
  const [, sequence] = /^nextval\('(.*)'::regclass\)$/.exec(value) ?? [];
  if (sequence === undefined) return [];
  return [execute(`ALTER SEQUENCE ${sequence.replaceAll("''", "'")} OWNED BY ${quotedTable(table)}.${quoted(to)}`)];
}

/** A trigger that fills a column on each write of a row. @param statement PL/pgSQL */
export function syncTrigger(table: string, column: string, statement: string, when = '') {
  const name = `${unqualifiedName(table)}_${column}_in_step`.slice(-63);
  const [trigger, fn] = [quoted(name), quotedTable(renamedTo(table, name))];
  return {
    add: [
      execute(`CREATE FUNCTION ${fn}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${statement}; RETURN NEW; END $$`),
      execute(
        `CREATE TRIGGER ${trigger} BEFORE INSERT OR UPDATE ON ${quotedTable(table)} FOR EACH ROW${when} EXECUTE FUNCTION ${fn}()`,
      ),
    ],
    remove: [execute(`DROP TRIGGER ${trigger} ON ${quotedTable(table)}`), execute(`DROP FUNCTION ${fn}()`)],
  };
}
