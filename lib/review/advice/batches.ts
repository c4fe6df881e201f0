import type { UpdateStmt } from 'libpg-query';
import type { TableFacts } from '../../contract/facts';
import type { Written } from '../sql/action';
import { sqlLiteral } from './python';
import { quoted, quotedList, quotedTable, Text } from './sql';

const BATCH = 10_000;

/** Fills a column in batches, one transaction each. `facts` has the key that selects the rows. */
export function batches(table: string, assignment: string, condition: string, facts: TableFacts | undefined): string {
  const key = keyOf(facts);
  const update = `UPDATE ${quotedTable(table)} SET ${assignment} WHERE ${key.tuple} IN (SELECT ${key.list} FROM ${quotedTable(table)} WHERE ${condition} LIMIT ${BATCH})`;
  return [
    'with op.get_context().autocommit_block():',
    `    while op.get_bind().execute(sa.text(${sqlLiteral(update)})).rowcount:`,
    '        pass',
  ].join('\n');
}

/** The primary key, or the row's ctid if the table has none or is unknown. */
function keyOf(facts: TableFacts | undefined): { tuple: string; list: string } {
  const columns = facts?.constraints.find(({ kind }) => kind === 'primary key')?.columns;
  if (!columns?.length) return { tuple: 'ctid', list: 'ctid' };
  const list = quotedList(columns);
  return { tuple: columns.length > 1 ? `(${list})` : list, list };
}

/** Functions with the same result in every batch. Any other could keep a batch's rows different from their values forever. */
const REPEATABLE =
  /^(?:abs|btrim|ceil|ceiling|char_length|concat|concat_ws|count|date_part|date_trunc|decode|encode|extract|floor|initcap|jsonb_build_array|jsonb_build_object|jsonb_set|left|length|lower|lpad|ltrim|make_date|max|md5|min|mod|position|power|regexp_replace|replace|reverse|right|round|rpad|rtrim|sha256|split_part|strpos|substr|substring|sum|timezone|to_char|to_date|to_jsonb|to_number|to_timestamp|translate|trunc|upper)$/;

/** Whether an expression over a row has the same value in every batch. `now()` has another one in each transaction. */
function isRepeatable(value: string): boolean {
  const functions = [...value.matchAll(/"funcname":\[(.*?)\]/g)].map(
    ([, names = '']) => /"sval":"([^"]*)"\}\}$/.exec(names)?.[1],
  );
  const isMoment = /"SQLValueFunction"|"sval":"(?:now|today|tomorrow|yesterday)"/i.test(value);
  return !isMoment && functions.every((name) => REPEATABLE.test(name ?? ''));
}

/**
 * An UPDATE in batches that can be repeated after an interruption: it skips rows that already have their values. Undefined if that
 * can't be determined, as with `n = n + 1`, `now()` or a random value.
 */
export function updateInBatches(table: string, written: Written<UpdateStmt> | undefined, facts: TableFacts | undefined) {
  const { targetList = [], fromClause, relation } = written?.node ?? {};
  const targets = targetList.flatMap((target) => ('ResTarget' in target ? [target.ResTarget] : []));
  if (!written || !targets.length || fromClause?.length || relation?.alias) return undefined;
  // The value of a parameter is not known here.
  if (/\$\d/.test(written.sql)) return undefined;
  const set = new Set(targets.map(({ name = '' }) => name));
  const text = new Text(written.sql);
  const begin = text.find(['SET']);
  const end = text.find(['WHERE', 'FROM', 'RETURNING'], begin?.end)?.start;
  const where = text.find(['WHERE'], begin?.end);
  const chosen = where && text.slice(where.end, text.find(['RETURNING', ';'], where.end)?.start);
  if (!begin) return undefined;
  const conditions: string[] = [];
  for (const { name = '', val, location = 0, indirection } of targets) {
    const value = JSON.stringify(val ?? {});
    const refersToTarget = [...value.matchAll(/"sval":"([^"]*)"/g)].some(([, column]) => set.has(column ?? ''));
    if (!val || indirection?.length || 'MultiAssignRef' in val || refersToTarget || !isRepeatable(value)) return undefined;
    const equals = text.find(['='], location);
    if (!equals) return undefined;
    const until = Math.min(text.clauseEnd(equals.end), end ?? Number.POSITIVE_INFINITY);
    const type = facts?.columns.find((column) => column.name === name)?.type;
    const written = text.slice(equals.end, until);
    // As it is stored: a numeric(10, 2) never equals a value with more digits.
    conditions.push(`${quoted(name)} IS DISTINCT FROM ${type ? `CAST((${written}) AS ${type})` : `(${written})`}`);
  }
  const assignment = text.slice(begin.end, end).replace(/;$/, '');
  const differs = conditions.join(' OR ');
  return batches(table, assignment, chosen ? `(${chosen}) AND (${differs})` : differs, facts);
}
