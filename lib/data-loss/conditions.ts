import type { A_Expr, BoolExpr, Node, SelectStmt, SubLink } from 'libpg-query';
import { UNKNOWN_VALUE as UNKNOWN } from '../contract/facts';
import { apply, as, joined, nameOf, only, type Rules, systemName } from '../sql/nodes';

/**
 * Whether a condition is true for every row, or is missing.
 *
 * @param names the table, its aliases, and CTEs with all of its rows
 */
export function matchesEveryRow(where: Node | undefined, names: readonly string[]): boolean {
  if (!where || isConstantTrue(where)) return true;
  if ('BoolExpr' in where) return combinationMatchesEveryRow(where.BoolExpr, names);
  if ('NullTest' in where) return where.NullTest.nulltesttype === 'IS_NOT_NULL' && isKey(where.NullTest.arg, names);
  if ('SubLink' in where) return subqueryMatchesEveryRow(where.SubLink, names);
  return 'A_Expr' in where && operatorMatchesEveryRow(where.A_Expr, names);
}

function combinationMatchesEveryRow({ boolop, args = [] }: BoolExpr, names: readonly string[]): boolean {
  if (boolop === 'NOT_EXPR') return args.some((arg) => isConstantFalse(arg) || isNullKey(arg, names));
  if (boolop === 'AND_EXPR') return args.every((arg) => matchesEveryRow(arg, names));
  return args.some((arg) => matchesEveryRow(arg, names) || args.some((other) => isOpposite(arg, other)));
}

function subqueryMatchesEveryRow({ subLinkType, subselect, testexpr }: SubLink, names: readonly string[]): boolean {
  if (!subselect || !('SelectStmt' in subselect)) return false;
  if (subLinkType === 'EXISTS_SUBLINK') return existsForEveryRow(subselect.SelectStmt, names);
  return subLinkType === 'ANY_SUBLINK' && includesKey(testexpr, names) && selectsWholeTable(subselect.SelectStmt, names);
}

function operatorMatchesEveryRow({ name = [], lexpr, rexpr, kind }: A_Expr, names: readonly string[]): boolean {
  const operator = joined(name);
  switch (kind) {
    case 'AEXPR_BETWEEN': {
      const [least, most] = listItems(rexpr);
      return isKey(lexpr, names) && isBelowEveryKey(least) && isAboveEveryKey(most);
    }
    case 'AEXPR_IN':
      // id IN (users.id): the key of each row that a query returned.
      return operator === '=' && listItems(rexpr).some((item) => isSameColumn(lexpr, item, names));
    case 'AEXPR_OP_ANY': {
      if (operator !== '=') break;
      // ctid = ANY (ARRAY (SELECT ctid FROM users LIMIT 1000)), id = ANY (users.id)
      const query = rexpr && 'SubLink' in rexpr ? rexpr.SubLink.subselect : undefined;
      if (!query) return isSameColumn(lexpr, rexpr, names);
      return isKey(lexpr, names) && 'SelectStmt' in query && selectsWholeTable(query.SelectStmt, names);
    }
    case 'AEXPR_LIKE':
    case 'AEXPR_ILIKE':
      return isColumn(lexpr) && /^\{"sval":\{"sval":"%+"\}\}$/.test(constantText(rexpr) ?? '');
  }
  return comparisonMatchesEveryRow(operator, lexpr, rexpr, names);
}

function comparisonMatchesEveryRow(
  operator: string,
  lexpr: Node | undefined,
  rexpr: Node | undefined,
  names: readonly string[],
): boolean {
  if (operator === '~' || operator === '~*') return isColumn(lexpr) && constantText(rexpr) === '{"sval":{"sval":".*"}}';
  if (operator === '=') return isSameColumn(lexpr, rexpr, names);
  // WHERE id > 0, WHERE 0 < id
  if (['>', '>=', '<>'].includes(operator) && isKey(lexpr, names) && isBelowEveryKey(rexpr)) return true;
  if (['<', '<=', '<>'].includes(operator) && isKey(rexpr, names) && isBelowEveryKey(lexpr)) return true;
  return ['<', '<='].includes(operator) && isWriteTimestamp(lexpr) && isCurrentTime(rexpr);
}

function listItems(node: Node | undefined): readonly Node[] {
  return node && 'List' in node ? (node.List.items ?? []) : [];
}

/** EXISTS (SELECT 1), EXISTS (SELECT 1 FROM users u WHERE u.id = users.id) */
function existsForEveryRow({ fromClause = [], whereClause }: SelectStmt, names: readonly string[]): boolean {
  const [from, ...more] = fromClause;
  if (!from) return matchesEveryRow(whereClause, names);
  const isOwn = !more.length && 'RangeVar' in from && names.includes(nameOf(from.RangeVar));
  return isOwn && matchesEveryRow(whereClause, [...names, from.RangeVar.alias?.aliasname ?? '']);
}

/** SELECT id FROM table [LIMIT n], as in a DELETE in batches. */
export function selectsWholeTable({ fromClause = [], whereClause, havingClause }: SelectStmt, names: readonly string[]): boolean {
  const [from, ...more] = fromClause;
  return (
    !havingClause &&
    !more.length &&
    !!from &&
    'RangeVar' in from &&
    names.includes(nameOf(from.RangeVar)) &&
    matchesEveryRow(whereClause, names)
  );
}

function isConstantTrue(node: Node): boolean {
  if ('TypeCast' in node && node.TypeCast.arg)
    return isConstantTrue(node.TypeCast.arg) || /^\{"sval":\{"sval":"t(?:rue)?"\}\}$/.test(constantText(node.TypeCast.arg) ?? '');
  if ('BooleanTest' in node)
    return node.BooleanTest.booltesttype === 'IS_TRUE' && !!node.BooleanTest.arg && isConstantTrue(node.BooleanTest.arg);
  if ('CoalesceExpr' in node) return !!node.CoalesceExpr.args?.[0] && isConstantTrue(node.CoalesceExpr.args[0]);
  if ('A_Const' in node) return !!node.A_Const.boolval?.boolval;
  if (!('A_Expr' in node)) return false;
  const { name = [], lexpr, rexpr } = node.A_Expr;
  const [left, right] = [constantText(lexpr), constantText(rexpr)];
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

function isConstantFalse(node: Node): boolean {
  return 'A_Const' in node && !!node.A_Const && 'boolval' in node.A_Const && !node.A_Const.boolval?.boolval;
}

function isNullKey(node: Node, names: readonly string[]): boolean {
  return 'NullTest' in node && node.NullTest.nulltesttype === 'IS_NULL' && isKey(node.NullTest.arg, names);
}

/** active, NOT active; email IS NULL, email IS NOT NULL; active IS TRUE, active IS NOT TRUE. */
function isOpposite(one: Node, other: Node): boolean {
  const [written, against] = [withoutLocations(one), withoutLocations(other)];
  if (written.includes(UNKNOWN)) return false;
  if ('BoolExpr' in other && other.BoolExpr.boolop === 'NOT_EXPR')
    return other.BoolExpr.args?.length === 1 && withoutLocations(other.BoolExpr.args[0]) === written;
  if (!('NullTest' in other || 'BooleanTest' in other)) return false;
  return written !== against && written.replace(/"(IS)_(NULL|TRUE|FALSE|UNKNOWN)"/, '"$1_NOT_$2"') === against;
}

/** Whether two expressions are the same column of the same row; under two names of the table, only a key identifies the row. */
function isSameColumn(one: Node | undefined, other: Node | undefined, names: readonly string[]): boolean {
  if (!(one && other && 'ColumnRef' in one && 'ColumnRef' in other) || withoutLocations(one).includes(UNKNOWN)) return false;
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

function isBelowEveryKey(node: Node | undefined): boolean {
  return numberOf(node) <= 1 || isEmptyText(node) || (!!node && 'A_Const' in node && !!node.A_Const.fval?.fval?.startsWith('-'));
}

function isEmptyText(node: Node | undefined): boolean {
  return !!node && 'A_Const' in node && !!node.A_Const.sval && !node.A_Const.sval.sval;
}

/** Whether a number is at least the maximum of an integer. */
function isAboveEveryKey(node: Node | undefined): boolean {
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

function includesKey(node: Node | undefined, names: readonly string[]): boolean {
  return !!node && ('RowExpr' in node ? (node.RowExpr.args ?? []).some((arg) => isKey(arg, names)) : isKey(node, names));
}

/** A column that, judging by its name, holds the time when the row was written. */
function isWriteTimestamp(node: Node | undefined): boolean {
  return (
    !!node &&
    'ColumnRef' in node &&
    /^(?:.*\.)?(?:created|inserted|updated|modified)(?:_?(?:at|on|date))?$/.test(joined(node.ColumnRef.fields))
  );
}

/** now(), or now() plus an interval. */
export function isCurrentTime(node: Node | undefined): boolean {
  if (!node) return false;
  if ('SQLValueFunction' in node) return true;
  if ('FuncCall' in node) return ['now', 'clock_timestamp', 'statement_timestamp'].includes(joined(node.FuncCall.funcname));
  return 'A_Expr' in node && joined(node.A_Expr.name) === '+' && isCurrentTime(node.A_Expr.lexpr);
}

function isColumn(node: Node | undefined): boolean {
  return !!node && 'ColumnRef' in node;
}

/** A constant as JSON, without its location; undefined for anything else. */
export function constantText(node: Node | undefined): string | undefined {
  if (!node || !('A_Const' in node)) return undefined;
  return withoutLocations(node.A_Const);
}

/** Whether two expressions are the same apart from their location. */
export function isSameExpression(one: Node | undefined, other: Node | undefined): boolean {
  return !!one && !!other && withoutLocations(one) === withoutLocations(other);
}

/** A condition as JSON, without locations and the names of its table. Empty for no condition. */
export function normalized(where: Node | undefined, names: readonly string[]): string {
  const isOwn = (first: Node | undefined) => !!first && names.includes(joined([first]));
  return where
    ? withoutLocations(
        JSON.parse(JSON.stringify(where), (key, inner) =>
          key === 'fields' && inner.length === 2 && isOwn(inner[0]) ? inner.slice(1) : inner,
        ),
      )
    : '';
}

/** The rows of several tables that meet conditions, as text: the same for `FROM a JOIN b ON ... WHERE ...` and `FROM a, b WHERE ... AND ...`. */
export function joinedRows(from: readonly Node[], where: Node | undefined): string {
  const joins = from.map(innerJoin);
  const tables = joins.flatMap((join) => join.tables.map(withoutLocations));
  const conditions = [where, ...joins.flatMap((join) => join.conditions)].flatMap(conjuncts).map(withoutLocations);
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

/** The operands of a condition's ANDs. */
export function conjuncts(where: Node | undefined): readonly Node[] {
  const { boolop, args = [] } = as(where, 'BoolExpr') ?? {};
  return boolop === 'AND_EXPR' ? args.flatMap(conjuncts) : where ? [where] : [];
}

function withoutLocations(value: unknown): string {
  return JSON.stringify(value, (key, inner) => (key === 'location' ? undefined : inner));
}

/** Whether an expression reads no column, so that every row gets the same value. */
export function readsNoColumn(node: Node): boolean {
  return !/"ColumnRef"|"SubLink"/.test(JSON.stringify(node));
}

/** Whether a value is NULL, an empty text, list or document, or the column's default. */
export function isEmptyValue(node: Node | undefined): boolean {
  return apply(EMPTY_RULES, node) ?? false;
}

const EMPTY_RULES: Rules<boolean> = {
  SetToDefault: () => true,
  TypeCast: ({ arg }) => isEmptyValue(arg),
  A_ArrayExpr: ({ elements }) => !elements?.length,
  // (email, phone) = (NULL, NULL)
  MultiAssignRef: ({ source, colno = 1 }) => {
    const row = as(source, 'RowExpr');
    return isEmptyValue(row ? row.args?.[colno - 1] : selectedExpression(source, colno - 1));
  },
  SubLink: (query) => isEmptyValue(selectedExpression({ SubLink: query }, 0)),
  CoalesceExpr: ({ args = [] }) => args.every(isEmptyValue),
  FuncCall: ({ funcname, args = [] }) => {
    const name = joined(funcname);
    return name === 'left' || name === 'right'
      ? numberOf(args[1]) === 0
      : !args.length && /^jsonb?_build_(?:object|array)$/.test(systemName(funcname));
  },
  A_Expr: ({ kind, lexpr, rexpr }) => kind === 'AEXPR_NULLIF' && isSameExpression(lexpr, rexpr),
  CaseExpr: ({ args, defresult }) =>
    (!defresult || isEmptyValue(defresult)) && only(args, 'CaseWhen').every(({ result }) => isEmptyValue(result)),
  A_Const: ({ isnull, sval }) => !!isnull || (sval !== undefined && ['', '{}', '[]'].includes(sval.sval ?? '')),
};

/** The expression that a SELECT without FROM returns in a column. */
function selectedExpression(node: Node | undefined, column: number): Node | undefined {
  const select = as(as(node, 'SubLink')?.subselect, 'SelectStmt');
  return select?.fromClause?.length ? undefined : as(select?.targetList?.[column], 'ResTarget')?.val;
}
