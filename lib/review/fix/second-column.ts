import type { ColumnFacts, TableFacts } from '../../contract/facts';
import { execute } from '../advice/python';
import { quoted, quotedTable } from '../advice/sql';
import { renamedTo } from '../revision/made';
import { bare } from '../revision/tables';

/** Why a second column can't take a column's place; undefined: it can. No key and no EXCLUDE may belong to it. */
export function whyNoSecond({ name, identity, generated }: ColumnFacts, facts: TableFacts, table: string): string | undefined {
  if (facts.partitions) return `${table} is partitioned`;
  if (identity || generated) return 'an identity or a generated column has values of its own';
  const constraint = facts.constraints.find(
    ({ kind, columns }) => kind !== 'not null' && kind !== 'check' && columns.includes(name),
  );
  return constraint && `the constraint ${constraint.name} would have to be built for the new column too`;
}

/** The trigger that fills a column with each write of a row. `statement` is PL/pgSQL. */
export function inStep(table: string, column: string, statement: string, when = '') {
  const name = `${bare(table)}_${column}_in_step`.slice(-63);
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
