import type { A_Expr, BoolExpr, Node, SelectStmt, SubLink } from 'libpg-query';
import { UNKNOWN_VALUE as UNKNOWN } from '../contract/facts';
import { apply, as, joined, nameOf, only, type Rules, systemName } from '../sql/nodes';

/**
 * Whether a condition is true for every row, or is missing.
 *
 * @param names the table, its aliases, and CTEs with all of its rows
 */
export function isEveryRow(where: Node | undefined, names: readonly string[]): boolean {
  if (!where || isTrue(where)) return true;
  if ('BoolExpr' in where) return isCombined(where.BoolExpr, names);
  if ('NullTest' in where) return where.NullTest.nulltesttype === 'IS_NOT_NULL' && isKey(where.NullTest.arg, names);
  if ('SubLink' in where) return isFoundByQuery(where.SubLink, names);
  return 'A_Expr' in where && isAlwaysTrue(where.A_Expr, names);
}

function isCombined({ boolop, args = [] }: BoolExpr, names: readonly string[]): boolean {
  if (boolop === 'NOT_EXPR') return args.some((arg) => isFalse(arg) || isNullKey(arg, names));
  if (boolop === 'AND_EXPR') return args.every((arg) => isEveryRow(arg, names));
  return args.some((arg) => isEveryRow(arg, names) || args.some((other) => isOpposite(arg, other)));
}

function isFoundByQuery({ subLinkType, subselect, testexpr }: SubLink, names: readonly string[]): boolean {
  if (!subselect || !('SelectStmt' in subselect)) return false;
  if (subLinkType === 'EXISTS_SUBLINK') return isFoundForAll(subselect.SelectStmt, names);
  return subLinkType === 'ANY_SUBLINK' && holdsKey(testexpr, names) && isWholeTable(subselect.SelectStmt, names);
}

function isAlwaysTrue({ name = [], lexpr, rexpr, kind }: A_Expr, names: readonly string[]): boolean {
  const operator = joined(name);
  switch (kind) {
    case 'AEXPR_BETWEEN': {
      const [least, most] = itemsOf(rexpr);
      return isKey(lexpr, names) && isSmall(least) && isLarge(most);
    }
    case 'AEXPR_IN':
      // id IN (users.id): what a query returned for all rows.
      return operator === '=' && itemsOf(rexpr).some((item) => isSame(lexpr, item, names));
    case 'AEXPR_OP_ANY': {
      if (operator !== '=') break;
      // ctid = ANY (ARRAY (SELECT ctid FROM users LIMIT 1000)), id = ANY (users.id)
      const query = rexpr && 'SubLink' in rexpr ? rexpr.SubLink.subselect : undefined;
      if (!query) return isSame(lexpr, rexpr, names);
      return isKey(lexpr, names) && 'SelectStmt' in query && isWholeTable(query.SelectStmt, names);
    }
    case 'AEXPR_LIKE':
    case 'AEXPR_ILIKE':
      return isColumn(lexpr) && /^\{"sval":\{"sval":"%+"\}\}$/.test(constant(rexpr) ?? '');
  }
  return isTrueComparison(operator, lexpr, rexpr, names);
}

function isTrueComparison(operator: string, lexpr: Node | undefined, rexpr: Node | undefined, names: readonly string[]): boolean {
  if (operator === '~' || operator === '~*') return isColumn(lexpr) && constant(rexpr) === '{"sval":{"sval":".*"}}';
  if (operator === '=') return isSame(lexpr, rexpr, names);
  // WHERE id > 0, WHERE 0 < id
  if (['>', '>=', '<>'].includes(operator) && isKey(lexpr, names) && isSmall(rexpr)) return true;
  if (['<', '<=', '<>'].includes(operator) && isKey(rexpr, names) && isSmall(lexpr)) return true;
  return ['<', '<='].includes(operator) && isPast(lexpr) && isNow(rexpr);
}

function itemsOf(node: Node | undefined): readonly Node[] {
  return node && 'List' in node ? (node.List.items ?? []) : [];
}

/** EXISTS (SELECT 1), EXISTS (SELECT 1 FROM users u WHERE u.id = users.id) */
function isFoundForAll({ fromClause = [], whereClause }: SelectStmt, names: readonly string[]): boolean {
  const [from, ...more] = fromClause;
  if (!from) return isEveryRow(whereClause, names);
  const isOwn = !more.length && 'RangeVar' in from && names.includes(nameOf(from.RangeVar));
  return isOwn && isEveryRow(whereClause, [...names, from.RangeVar.alias?.aliasname ?? '']);
}

/** SELECT id FROM table [LIMIT n], as a DELETE in batches uses it. */
export function isWholeTable({ fromClause = [], whereClause, havingClause }: SelectStmt, names: readonly string[]): boolean {
  const [from, ...more] = fromClause;
  return (
    !havingClause &&
    !more.length &&
    !!from &&
    'RangeVar' in from &&
    names.includes(nameOf(from.RangeVar)) &&
    isEveryRow(whereClause, names)
  );
}

function isTrue(node: Node): boolean {
  if ('TypeCast' in node && node.TypeCast.arg)
    return isTrue(node.TypeCast.arg) || /^\{"sval":\{"sval":"t(?:rue)?"\}\}$/.test(constant(node.TypeCast.arg) ?? '');
  if ('BooleanTest' in node)
    return node.BooleanTest.booltesttype === 'IS_TRUE' && !!node.BooleanTest.arg && isTrue(node.BooleanTest.arg);
  if ('CoalesceExpr' in node) return !!node.CoalesceExpr.args?.[0] && isTrue(node.CoalesceExpr.args[0]);
  if ('A_Const' in node) return !!node.A_Const.boolval?.boolval;
  if (!('A_Expr' in node)) return false;
  const { name = [], lexpr, rexpr } = node.A_Expr;
  const [left, right] = [constant(lexpr), constant(rexpr)];
  if (left === undefined || right === undefined) return false;
  const [one, other] = [numberOf(lexpr), numberOf(rexpr)];
  switch (joined(name)) {
    case '=':
      return left === right;
    case '<>':
      return left !== right;
    case '>':
      return one > other;
    case '<':
      return one < other;
    case '>=':
      return one >= other;
    case '<=':
      return one <= other;
    default:
      return false;
  }
}

/** NaN for anything that is not a number; every comparison with it is false. */
function numberOf(node: Node | undefined): number {
  return node && 'A_Const' in node && node.A_Const.ival ? (node.A_Const.ival.ival ?? 0) : Number.NaN;
}

function isFalse(node: Node): boolean {
  return 'A_Const' in node && !!node.A_Const && 'boolval' in node.A_Const && !node.A_Const.boolval?.boolval;
}

function isNullKey(node: Node, names: readonly string[]): boolean {
  return 'NullTest' in node && node.NullTest.nulltesttype === 'IS_NULL' && isKey(node.NullTest.arg, names);
}

/** active, NOT active; email IS NULL, email IS NOT NULL; active IS TRUE, active IS NOT TRUE. */
function isOpposite(one: Node, other: Node): boolean {
  const [written, against] = [withoutPlaces(one), withoutPlaces(other)];
  if (written.includes(UNKNOWN)) return false;
  if ('BoolExpr' in other && other.BoolExpr.boolop === 'NOT_EXPR')
    return other.BoolExpr.args?.length === 1 && withoutPlaces(other.BoolExpr.args[0]) === written;
  if (!('NullTest' in other || 'BooleanTest' in other)) return false;
  return written !== against && written.replace(/"(IS)_(NULL|TRUE|FALSE|UNKNOWN)"/, '"$1_NOT_$2"') === against;
}

/** A column compared with itself; under two names for the table, only its key identifies the same row. */
function isSame(one: Node | undefined, other: Node | undefined, names: readonly string[]): boolean {
  if (!(one && other && 'ColumnRef' in one && 'ColumnRef' in other) || withoutPlaces(one).includes(UNKNOWN)) return false;
  const [left, right] = [one, other].map((node) => {
    const fields = joined(node.ColumnRef.fields);
    const dot = fields.lastIndexOf('.');
    return { of: dot < 0 ? undefined : fields.slice(0, dot), column: fields.slice(dot + 1) };
  });
  if (!left || !right || left.column !== right.column) return false;
  const [first, second] = [left.of ?? names[0], right.of ?? names[0]];
  const isOne = first === second;
  return isOne || (isKey(one, names) && [first, second].every((name) => names.includes(name ?? '')));
}

function isSmall(node: Node | undefined): boolean {
  return numberOf(node) <= 1 || isEmptyText(node) || (!!node && 'A_Const' in node && !!node.A_Const.fval?.fval?.startsWith('-'));
}

function isEmptyText(node: Node | undefined): boolean {
  return !!node && 'A_Const' in node && !!node.A_Const.sval && !node.A_Const.sval.sval;
}

/** At least the maximum of an integer. */
function isLarge(node: Node | undefined): boolean {
  return numberOf(node) >= 2 ** 31 - 1 || (!!node && 'A_Const' in node && Number(node.A_Const.fval?.fval) >= 2 ** 31 - 1);
}

/** A column that, judging by its name, is never NULL and never below 1: `id`, or `user_id` of users. */
export function isKey(node: Node | undefined, names: readonly string[]): boolean {
  if (node && 'TypeCast' in node) return isKey(node.TypeCast.arg, names);
  if (!node || !('ColumnRef' in node)) return false;
  const column = joined(node.ColumnRef.fields).split('.').at(-1) ?? '';
  const ofTable = names.some((name) => [`${name}_id`, `${name.replace(/s$/, '')}_id`].includes(column));
  return ofTable || ['id', 'ctid', 'uuid', 'guid', 'pk'].includes(column);
}

function holdsKey(node: Node | undefined, names: readonly string[]): boolean {
  return !!node && ('RowExpr' in node ? (node.RowExpr.args ?? []).some((arg) => isKey(arg, names)) : isKey(node, names));
}

/** A column that, judging by its name, holds when the row was written. */
function isPast(node: Node | undefined): boolean {
  return (
    !!node &&
    'ColumnRef' in node &&
    /^(?:.*\.)?(?:created|inserted|updated|modified)(?:_?(?:at|on|date))?$/.test(joined(node.ColumnRef.fields))
  );
}

/** now(), or later. */
export function isNow(node: Node | undefined): boolean {
  if (!node) return false;
  if ('SQLValueFunction' in node) return true;
  if ('FuncCall' in node) return ['now', 'clock_timestamp', 'statement_timestamp'].includes(joined(node.FuncCall.funcname));
  return 'A_Expr' in node && joined(node.A_Expr.name) === '+' && isNow(node.A_Expr.lexpr);
}

function isColumn(node: Node | undefined): boolean {
  return !!node && 'ColumnRef' in node;
}

/** The text of a constant, the same wherever it is written. */
export function constant(node: Node | undefined): string | undefined {
  if (!node || !('A_Const' in node)) return undefined;
  return withoutPlaces(node.A_Const);
}

/** Whether two expressions are written alike. */
export function isAlike(one: Node | undefined, other: Node | undefined): boolean {
  return !!one && !!other && withoutPlaces(one) === withoutPlaces(other);
}

/** A condition as text, without the names of its table: the same wherever it is written. Empty for no condition. */
export function written(where: Node | undefined, names: readonly string[]): string {
  const isOwn = (first: Node | undefined) => !!first && names.includes(joined([first]));
  return where
    ? withoutPlaces(
        JSON.parse(JSON.stringify(where), (key, inner) =>
          key === 'fields' && inner.length === 2 && isOwn(inner[0]) ? inner.slice(1) : inner,
        ),
      )
    : '';
}

/** The rows of several tables that meet conditions, as text: the same for `FROM a JOIN b ON ... WHERE ...` and `FROM a, b WHERE ... AND ...`. */
export function rowsFound(from: readonly Node[], where: Node | undefined): string {
  const joins = from.map(innerJoin);
  const tables = joins.flatMap((join) => join.tables.map(withoutPlaces));
  const conditions = [where, ...joins.flatMap((join) => join.conditions)].flatMap(partsOf).map(withoutPlaces);
  return [...tables.sort(), ...conditions.sort()].join(' ');
}

interface InnerJoin {
  readonly tables: readonly Node[];
  readonly conditions: readonly (Node | undefined)[];
}

/** The tables that inner joins combine. */
export function joinedTables(from: readonly Node[]): readonly Node[] {
  return from.flatMap((one) => innerJoin(one).tables);
}

function innerJoin(from: Node): InnerJoin {
  const { jointype, larg, rarg, quals, isNatural, usingClause } = as(from, 'JoinExpr') ?? {};
  if (jointype !== 'JOIN_INNER' || isNatural || usingClause || !larg || !rarg) return { tables: [from], conditions: [] };
  const sides = [innerJoin(larg), innerJoin(rarg)];
  return { tables: sides.flatMap(({ tables }) => tables), conditions: [quals, ...sides.flatMap(({ conditions }) => conditions)] };
}

/** The conditions that are all true for the same rows. */
export function partsOf(where: Node | undefined): readonly Node[] {
  const { boolop, args = [] } = as(where, 'BoolExpr') ?? {};
  return boolop === 'AND_EXPR' ? args.flatMap(partsOf) : where ? [where] : [];
}

function withoutPlaces(value: unknown): string {
  return JSON.stringify(value, (key, inner) => (key === 'location' ? undefined : inner));
}

/** Whether an expression reads no column, so every row gets the same value. */
export function readsNothing(node: Node): boolean {
  return !/"ColumnRef"|"SubLink"/.test(JSON.stringify(node));
}

/** NULL, an empty text, list or document, or the column's default: the old value is lost. */
export function isEmpty(node: Node | undefined): boolean {
  return apply(EMPTY, node) ?? false;
}

const EMPTY: Rules<boolean> = {
  SetToDefault: () => true,
  TypeCast: ({ arg }) => isEmpty(arg),
  A_ArrayExpr: ({ elements }) => !elements?.length,
  // (email, phone) = (NULL, NULL)
  MultiAssignRef: ({ source, colno = 1 }) => {
    const row = as(source, 'RowExpr');
    return isEmpty(row ? row.args?.[colno - 1] : selectedBy(source, colno - 1));
  },
  SubLink: (query) => isEmpty(selectedBy({ SubLink: query }, 0)),
  CoalesceExpr: ({ args = [] }) => args.every(isEmpty),
  FuncCall: ({ funcname, args = [] }) => {
    const name = joined(funcname);
    return name === 'left' || name === 'right'
      ? numberOf(args[1]) === 0
      : !args.length && /^jsonb?_build_(?:object|array)$/.test(systemName(funcname));
  },
  A_Expr: ({ kind, lexpr, rexpr }) => kind === 'AEXPR_NULLIF' && isAlike(lexpr, rexpr),
  CaseExpr: ({ args, defresult }) =>
    (!defresult || isEmpty(defresult)) && only(args, 'CaseWhen').every(({ result }) => isEmpty(result)),
  A_Const: ({ isnull, sval }) => !!isnull || (sval !== undefined && ['', '{}', '[]'].includes(sval.sval ?? '')),
};

/** The expression that a SELECT without FROM returns in a column. */
function selectedBy(node: Node | undefined, column: number): Node | undefined {
  const select = as(as(node, 'SubLink')?.subselect, 'SelectStmt');
  return select?.fromClause?.length ? undefined : as(select?.targetList?.[column], 'ResTarget')?.val;
}
