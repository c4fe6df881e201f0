import type { Node, ResTarget, UpdateStmt } from 'libpg-query';
import { type TableFacts, UNKNOWN_VALUE } from '../../contract/facts';
import type { Written } from '../sql/action';
import { columnsNamedIn, rangeName } from '../sql/names';
import { type BatchedUpdate, batchLoop, keyOf, withImports } from './batch-loop';
import { quoted, SqlText } from './sql';

/** Advice to move a statement to a separate revision, with the batches if they could be written. */
export function inSeparateBatches(batched?: string | NoBatches): string {
  if (typeof batched === 'string') return `# in a separate revision, in batches:\n${withImports(batched)}`;
  return '# in a separate revision: some rows at a time, by key, each batch in its own transaction (op.get_context().autocommit_block())';
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

/** Why an UPDATE is not split into batches. */
export interface NoBatches {
  readonly reason: string;
}

/**
 * An UPDATE in batches. Rows that already have their values are skipped, so that an interrupted run can continue, unless that could
 * not be determined, as with `now()` or a random value.
 *
 * @param facts the table before the revision
 * @param after all tables after it, with the types that the columns have when the UPDATE runs
 */
export function updateInBatches(
  table: string,
  written: Written<UpdateStmt> | undefined,
  facts: TableFacts | undefined,
  after: Readonly<Record<string, TableFacts>> = {},
): string | NoBatches {
  if (!written || /\$\d/.test(written.sql)) return { reason: 'its values are parameters: write them into the statement' };
  if (written.sql.includes(UNKNOWN_VALUE)) return { reason: 'its values are not known here' };
  const parts = partsOf(written);
  if (!parts) return { reason: 'an UPDATE with WITH RECURSIVE is not split into batches' };
  const typeOf = (column: string) =>
    [after[table], facts].flatMap((one) => one?.columns.find(({ name }) => name === column)?.type ?? [])[0];
  const left = rowsLeft(written.node, parts, joinedTable(written.node, after), typeOf);
  const reason = left === undefined ? whyNotByKey(table, written.node, parts.own, keyOf(facts)) : undefined;
  if (reason !== undefined) return { reason };
  return batchLoop({ ...parts, own: quoted(parts.own), left }, facts);
}

interface UpdateParts extends BatchedUpdate {
  readonly text: SqlText;
  /** Where SET ends in the text. */
  readonly setEnd: number;
}

function partsOf({ node, sql }: Written<UpdateStmt>): UpdateParts | undefined {
  const text = new SqlText(sql);
  const [withClause, update] = [text.find(['WITH']), text.find(['UPDATE'])];
  const set = text.find(['SET'], update?.end);
  if (!update || !set || node.withClause?.recursive) return undefined;
  const end = text.find(['RETURNING', ';'], set.end)?.start;
  const where = text.find(['WHERE'], set.end, end);
  const from = node.fromClause?.length ? text.find(['FROM'], set.end) : undefined;
  const setEnd = from?.start ?? where?.start ?? end;
  return {
    own: node.relation?.alias?.aliasname ?? node.relation?.relname ?? '',
    target: text.slice(update.end, set.start),
    set: text.slice(set.end, setEnd),
    source: from && text.slice(from.end, where?.start ?? end),
    where: where && text.slice(where.end, end),
    queries: node.withClause && withClause && text.slice(withClause.end, update.start),
    text,
    setEnd: setEnd ?? Number.POSITIVE_INFINITY,
  };
}

/** Why batches in the order of the key can't run an UPDATE whose finished rows they can't tell. */
function whyNotByKey(table: string, node: UpdateStmt, own: string, key: ReturnType<typeof keyOf>): string | undefined {
  if (!key.length) return `${table} has no primary key to divide it into batches`;
  const targets = targetsOf(node);
  if (key.some((column) => targets.some(({ name }) => name === column.name))) {
    return 'it changes the key that would divide the table into batches';
  }
  if (dependsOnItself(targets, own)) {
    return 'a batch that runs again would change a value again: compute it from columns that stay the same';
  }
  return undefined;
}

function dependsOnItself(targets: readonly ResTarget[], own: string): boolean {
  const set = new Set(targets.map(({ name }) => name));
  return targets
    .flatMap(({ val }) => columnsNamedIn(val))
    .some((fields) => set.has(fields.at(-1)) && (fields.length === 1 || fields.at(-2) === own));
}

function targetsOf({ targetList = [] }: UpdateStmt): readonly ResTarget[] {
  return targetList.flatMap((target) => ('ResTarget' in target ? [target.ResTarget] : []));
}

/**
 * The condition that a row does not have its values yet; undefined if a value may differ each time.
 *
 * @param other the table from which the UPDATE takes values
 */
function rowsLeft(
  node: UpdateStmt,
  { own, text, setEnd }: UpdateParts,
  other: string | undefined,
  typeOf: (column: string) => string | undefined,
): string | undefined {
  if (node.withClause || (node.fromClause?.length && !other)) return undefined;
  const values = setValues(targetsOf(node), text, setEnd, other);
  const conditions = values?.map(({ name, value }) => {
    const type = typeOf(name);
    // Cast to the column's type: a numeric(10, 2) never equals a value with more digits.
    const stored = type ? `CAST((${value}) AS ${type})` : `(${value})`;
    const asText = type && COMPARED_AS_TEXT.test(type) ? '::text' : '';
    return `${quoted(own)}.${quoted(name)}${asText} IS DISTINCT FROM ${stored}${asText}`;
  });
  return conditions && (conditions.length > 1 ? `(${conditions.join(' OR ')})` : conditions.join());
}

/** The text of each column's value; undefined if one of them may differ each time. @param end where the SET clause ends */
function setValues(targets: readonly ResTarget[], text: SqlText, end: number, other: string | undefined) {
  const set = new Set(targets.map(({ name = '' }) => name));
  const values = targets.flatMap((target) => {
    const { name = '', location = 0 } = target;
    const equals = isIdempotent(target, set, other) ? text.find(['='], location) : undefined;
    return equals ? [{ name, value: text.slice(equals.end, Math.min(text.clauseEnd(equals.end), end)) }] : [];
  });
  return values.length > 0 && values.length === targets.length ? values : undefined;
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
