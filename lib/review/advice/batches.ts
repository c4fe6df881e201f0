import type { Node, ResTarget, UpdateStmt } from 'libpg-query';
import { type TableFacts, UNKNOWN_VALUE } from '../../contract/facts';
import type { Written } from '../sql/action';
import { rangeName } from '../sql/names';
import { sqlLiteral } from './python';
import { quoted, quotedList, quotedTable, SqlText } from './sql';

export const BATCH = 10_000;
/** Lets other sessions and replicas catch up between two batches, without an import. */
export const PAUSE = 'op.execute("SELECT pg_sleep(0.1)")';

/** Advice to move a statement to a separate revision, with the batches if they could be written. */
export function inSeparateBatches(batched: string | undefined): string {
  if (batched) return `# in a separate revision, in batches:\n${batched}`;
  return '# in a separate revision: some rows at a time, by their key, each time in a transaction of its own (op.get_context().autocommit_block())';
}

/** Fills a column in batches, one transaction each. @param facts the table, whose primary key selects the rows */
export function batches(table: string, assignment: string, condition: string, facts: TableFacts | undefined): string {
  const key = keyOf(facts);
  return repeatUntilDone(
    `UPDATE ${quotedTable(table)} SET ${assignment} WHERE ${key.tuple} IN (SELECT ${key.list} FROM ${quotedTable(table)} WHERE ${condition} LIMIT ${BATCH})`,
  );
}

/** Runs an UPDATE until it finds no more rows, each time in a transaction of its own. */
function repeatUntilDone(update: string): string {
  return [
    'with op.get_context().autocommit_block():',
    `    while op.get_bind().execute(sa.text(${sqlLiteral(update)})).rowcount:`,
    `        ${PAUSE}`,
  ].join('\n');
}

/** The primary key, or the row's ctid if the table has none or is unknown. */
function keyOf(facts: TableFacts | undefined, of = ''): { tuple: string; list: string } {
  const columns = facts?.constraints.find(({ kind }) => kind === 'primary key')?.columns;
  if (!columns?.length) return { tuple: `${of}ctid`, list: `${of}ctid` };
  const list = of ? columns.map((column) => of + quoted(column)).join(', ') : quotedList(columns);
  return { tuple: columns.length > 1 ? `(${list})` : list, list };
}

/** Functions that return the same result in every batch. With any other, rows might never equal their new values, and the batches would not end. */
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

/** Types whose values have no `=`, or one that ignores a part of the value. */
const COMPARED_AS_TEXT = /^(?:json|xml|citext|point|line|lseg|box|path|polygon|circle)(?:\[\])*$/;

/**
 * An UPDATE in batches that can be run again after an interruption: it skips rows that already have their values. Undefined if that
 * can't be determined, as with `n = n + 1`, `now()` or a random value.
 *
 * @param facts the table before the revision
 * @param after all tables after it, with the types that the columns have when the UPDATE runs
 */
export function updateInBatches(
  table: string,
  written: Written<UpdateStmt> | undefined,
  facts: TableFacts | undefined,
  after: Readonly<Record<string, TableFacts>> = {},
) {
  const other = written && joinedTable(written.node, after);
  const targets = written && setTargets(written, other);
  if (!targets) return undefined;
  const { relation } = written.node;
  const text = new SqlText(written.sql);
  const begin = text.find(['SET']);
  const end = text.find(['WHERE', 'FROM', 'RETURNING'], begin?.end)?.start;
  const where = text.find(['WHERE'], begin?.end);
  const chosen = where && text.slice(where.end, text.find(['RETURNING', ';'], where.end)?.start);
  const values = setValues(targets, text, end, other);
  // A loop over rows updates them one by one.
  if (!begin || !values || chosen?.includes(UNKNOWN_VALUE)) return undefined;
  const own = other === undefined ? '' : `${quoted(relation?.alias?.aliasname ?? relation?.relname ?? '')}.`;
  const conditions = values.map(({ name, value }) => {
    const type = [after[table], facts].flatMap((one) => one?.columns.find((column) => column.name === name)?.type ?? [])[0];
    // Cast to the column's type: a numeric(10, 2) never equals a value with more digits.
    const stored = type ? `CAST((${value}) AS ${type})` : `(${value})`;
    const asText = type && COMPARED_AS_TEXT.test(type) ? '::text' : '';
    return `${own}${quoted(name)}${asText} IS DISTINCT FROM ${stored}${asText}`;
  });
  const assignment = text.slice(begin.end, end).replace(/;$/, '');
  const differs = conditions.join(' OR ');
  if (other === undefined) return batches(table, assignment, chosen ? `(${chosen}) AND (${differs})` : differs, facts);
  const from = text.find(['FROM'], begin.end);
  if (!from || !chosen) return undefined;
  const [target, source] = [text.slice(written.node.relation?.location ?? 0, begin.start), text.slice(from.end, where?.start)];
  const key = keyOf(facts, own);
  return repeatUntilDone(
    `UPDATE ${target} SET ${assignment} FROM ${source} WHERE (${chosen}) AND ${key.tuple} IN (SELECT ${key.list} FROM ${target}, ${source} WHERE (${chosen}) AND (${differs}) LIMIT ${BATCH})`,
  );
}

/** The assignments of an UPDATE; undefined if a value may differ each time, or comes from more than one other table. */
function setTargets({ node, sql }: Written<UpdateStmt>, other: string | undefined): readonly ResTarget[] | undefined {
  const { targetList = [], fromClause = [], relation, withClause } = node;
  // The value of a parameter is not known here.
  if (withClause || /\$\d/.test(sql) || (fromClause.length ? !other : relation?.alias)) return undefined;
  const targets = targetList.flatMap((target) => ('ResTarget' in target ? [target.ResTarget] : []));
  return targets.length ? targets : undefined;
}

/** The text of each column's value; undefined if one of them may differ each time. @param end where the SET clause ends */
function setValues(targets: readonly ResTarget[], text: SqlText, end = Number.POSITIVE_INFINITY, other?: string) {
  const set = new Set(targets.map(({ name = '' }) => name));
  const values = targets.flatMap((target) => {
    const { name = '', location = 0 } = target;
    const equals = isIdempotent(target, set, other) ? text.find(['='], location) : undefined;
    return equals ? [{ name, value: text.slice(equals.end, Math.min(text.clauseEnd(equals.end), end)) }] : [];
  });
  return values.length === targets.length ? values : undefined;
}

/**
 * Whether an assignment gives the same value if it runs again.
 *
 * @param set all columns that are set
 * @param other the table from which the UPDATE takes values
 */
function isIdempotent({ val, indirection }: ResTarget, set: ReadonlySet<string>, other: string | undefined): boolean {
  const value = JSON.stringify(val ?? {});
  const refersToTarget = columnsNamedIn(val).some(
    (fields) => set.has(fields.at(-1) ?? '') && !(other && fields.length > 1 && fields.at(-2) === other),
  );
  return val !== undefined && !indirection?.length && !('MultiAssignRef' in val) && !refersToTarget && isRepeatable(value);
}

/** The columns that an expression names, each as its parts: `["users", "name"]`. */
export function columnsNamedIn(value: Node | undefined): readonly (readonly string[])[] {
  return [...JSON.stringify(value ?? {}).matchAll(/"ColumnRef":\{"fields":(\[.*?\])/g)].map(([, fields = '']) =>
    [...fields.matchAll(/"sval":"([^"]*)"/g)].map(([, name = '']) => name),
  );
}

/**
 * The name of the one other table from which an UPDATE takes values, if each row has at most one there: the condition has all
 * columns of one of its keys. With several rows, each batch might take another one, and the batches would never end.
 */
function joinedTable(
  { fromClause = [], whereClause, relation }: UpdateStmt,
  after: Readonly<Record<string, TableFacts>>,
): string | undefined {
  const [from, ...more] = fromClause;
  if (!from || more.length || !('RangeVar' in from) || from.RangeVar.relname === relation?.relname) return undefined;
  const name = from.RangeVar.alias?.aliasname ?? from.RangeVar.relname ?? '';
  const columns = new Set(conjunctions(whereClause).flatMap((condition) => comparedColumn(condition, name)));
  const isKey = after[rangeName(from)]?.constraints.some(
    (one) => /^(?:primary key|unique)$/.test(one.kind) && one.columns.every((column) => columns.has(column)),
  );
  return isKey ? name : undefined;
}

function conjunctions(condition: Node | undefined): readonly Node[] {
  if (!condition) return [];
  return 'BoolExpr' in condition && condition.BoolExpr.boolop === 'AND_EXPR'
    ? (condition.BoolExpr.args ?? []).flatMap(conjunctions)
    : [condition];
}

/** The column of a table that a condition compares with something outside of the table, as in `other.id = items.other_id`. */
function comparedColumn(condition: Node, table: string): string[] {
  if (!('A_Expr' in condition) || condition.A_Expr.kind !== 'AEXPR_OP') return [];
  const { lexpr, rexpr, name = [] } = condition.A_Expr;
  if (JSON.stringify(name) !== '[{"String":{"sval":"="}}]') return [];
  return [
    [lexpr, rexpr],
    [rexpr, lexpr],
  ].flatMap(([one, two]) => {
    const fields = one && 'ColumnRef' in one ? (one.ColumnRef.fields ?? []) : [];
    const names = fields.flatMap((field) => ('String' in field ? [field.String.sval ?? ''] : []));
    const isOutside = two !== undefined && !JSON.stringify(two).includes(`"sval":"${table}"`);
    return isOutside && names.length > 1 && names.at(-2) === table ? names.slice(-1) : [];
  });
}
