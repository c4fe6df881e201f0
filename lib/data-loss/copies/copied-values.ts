import type { Node } from 'libpg-query';
import { UNKNOWN_VALUE as UNKNOWN } from '../../contract/facts';
import { apply, as, joined, only, type Rules, systemName } from '../../sql/nodes';
import { readsNoColumn } from '../conditions';
import { copiedColumn, encodedBoolean, mayTruncate } from '../conversions';
import type { RevisionState } from '../revision-state';

/** The columns and keys that a value copies completely: `name`, `settings -> 'theme'`, `jsonb_build_object('age', age, 'bio', bio)`. */
export function copiedSources(value: Node | undefined): readonly string[] {
  const own = copiedColumn(value);
  return own === undefined ? (apply(COPY_RULES, value) ?? []) : [own];
}

const COPY_RULES: Rules<readonly string[]> = {
  TypeCast: ({ typeName, arg }) => (mayTruncate(typeName) ? [] : copiedSources(arg)),
  CaseExpr: (node) => [encodedBoolean(node)].flatMap((column) => column ?? []),
  // Only NULL gets the constant.
  CoalesceExpr: ({ args: [first, ...others] = [] }) => (others.every(readsNoColumn) ? copiedSources(first) : []),
  // NOT active
  BoolExpr: ({ boolop, args = [] }) => (boolop === 'NOT_EXPR' ? args.flatMap(copiedSources) : []),
  A_ArrayExpr: ({ elements = [] }) => elements.flatMap(copiedSources),
  A_Expr: ({ name, lexpr, rexpr }) => {
    const operator = joined(name);
    if (['->', '->>'].includes(operator)) {
      const of = copiedColumn(lexpr);
      const key = as(rexpr, 'A_Const')?.sval?.sval;
      return of === undefined || key === undefined ? [] : [`${of}->${key}`];
    }
    if (isReversed(operator, rexpr)) return copiedSources(lexpr);
    if (isReversed(operator, lexpr)) return copiedSources(rexpr);
    // Two texts joined by `||` can't be separated again.
    return operator === '||' ? [lexpr, rexpr].flatMap((side) => (as(side, 'FuncCall') ? copiedSources(side) : [])) : [];
  },
  FuncCall: ({ funcname, args = [] }) => {
    const name = systemName(funcname);
    if (/^jsonb?_build_object$/.test(name)) return args.filter((_, at) => at % 2 === 1).flatMap(copiedSources);
    // at AT TIME ZONE 'UTC'
    if (name === 'timezone') return args[0] && readsNoColumn(args[0]) ? copiedSources(args[1]) : [];
    if (COPIES_ALL.test(name)) return args.flatMap(copiedSources);
    return COPIES_FIRST.test(name) && args.slice(1).every(readsNoColumn) ? copiedSources(args[0]) : [];
  },
};

/** Functions whose result has all their arguments: a range keeps both bounds, a point both coordinates. */
const COPIES_ALL = /^(?:to_jsonb?|jsonb?_build_array|(?:int[48]|num|ts|tstz|date)range|point|st_(?:make)?point)$/;

/** Functions whose result can be converted back. */
const COPIES_FIRST = /^(?:string_to_array|array_to_json|hstore_to_jsonb?|encode|decode|st_setsrid)$/;

/** Whether another calculation with the constant operand restores the value: `total * 100`, `at + interval '1 day'`, `'+' || phone`. */
function isReversed(operator: string, operand: Node | undefined): boolean {
  const { ival, fval, sval } = as(operand, 'A_Const') ?? {};
  const isInterval = systemName(as(operand, 'TypeCast')?.typeName?.names) === 'interval';
  if (operator === '*') return (ival?.ival ?? Number(fval?.fval ?? 0)) !== 0;
  // A document, an array or an hstore would replace keys, or could not be told from the elements before.
  if (operator === '||') return sval !== undefined && !/^\s*[{[]|=>/.test(sval.sval ?? '');
  // `settings - 'theme'` and `steps - 1` remove a part of a document.
  return (operator === '+' && ival !== undefined) || (/^[-+]$/.test(operator) && (fval !== undefined || isInterval));
}

/** A column, or a key of one, without its table; undefined if it is another table's. */
export function columnOfTable(source: string | undefined, names: readonly string[]): string | undefined {
  if (source === undefined) return undefined;
  const dot = source.split('->', 1).join().lastIndexOf('.');
  return dot < 0 || names.includes(source.slice(0, dot)) ? source.slice(dot + 1) : undefined;
}

/** Whether a copy can hold the whole value. A copy with a narrow type and the name of its source probably has the source's type. */
export function holdsWholeValue(source: string, copy: string, state: RevisionState): boolean {
  const name = copy.slice(copy.lastIndexOf('.') + 1);
  return !state.narrowColumns.has(copy) || source === name || /(?:^|_)id$/.test(source);
}

/** The column of `WHERE name IS NOT NULL`. */
export function columnTestedNotNull(where: Node | undefined): string | undefined {
  const { nulltesttype, arg } = as(where, 'NullTest') ?? {};
  return nulltesttype === 'IS_NOT_NULL' ? copiedColumn(arg) : undefined;
}

/** Records the columns that Python reads to compute a value for another column. */
export function recordPythonReads(column: string, value: Node | undefined, state: RevisionState): void {
  JSON.stringify(value ?? {}, (key, inner) => {
    const reads = key === 'FuncCall' && joined(inner.funcname).startsWith(UNKNOWN) ? only(inner.args, 'ColumnRef') : [];
    for (const { fields } of reads) if (joined(fields) !== column) state.readByPython.add(joined(fields));
    return inner;
  });
}
