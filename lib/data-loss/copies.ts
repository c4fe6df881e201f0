import type { Node } from 'libpg-query';
import { copiedColumn, cutsOff } from './conversions';
import { joined, type Made } from './made';
import { removedKeys } from './parts';

/**
 * Notes that an UPDATE of every row gives a column that the revision added the values of others: those can be dropped then.
 *
 * @param column with its table
 * @param value undefined: not all rows get it
 * @param names the table and its aliases
 */
export function noteCopies(column: string, value: Node | undefined, names: readonly string[], made: Made): void {
  for (const [from, copy] of made.copies) if (copy === column) made.copies.delete(from);
  if (made.narrow.has(column) || !made.has('column', column)) return;
  for (const source of sourcesOf(value)) {
    const dot = source.split('->', 1).join().lastIndexOf('.');
    const of = dot < 0 ? names[0] : source.slice(0, dot);
    if (names.includes(of ?? '')) made.copies.set(`${names[0]}.${source.slice(dot + 1)}`, column);
  }
}

/** Whether the revision has copied what an UPDATE takes away from a column, or the keys that it removes. */
export function isCopied(table: string, column: string, value: Node | undefined, made: Made): boolean {
  const name = `${table}.${column}`;
  const keys = removedKeys(value, column);
  return made.keepsCopy(name) || (keys.length > 0 && keys.every((key) => made.keepsCopy(`${name}->${key}`)));
}

/** The columns and keys that a value has all of: `name`, `settings -> 'theme'`, `jsonb_build_object('age', age, 'bio', bio)`. */
function sourcesOf(value: Node | undefined): readonly string[] {
  const own = copiedColumn(value);
  if (!value || own !== undefined) return own === undefined ? [] : [own];
  if ('TypeCast' in value) return cutsOff(value.TypeCast.typeName) ? [] : sourcesOf(value.TypeCast.arg);
  if ('A_Expr' in value) {
    const { name, lexpr, rexpr } = value.A_Expr;
    const of = copiedColumn(lexpr);
    const key = rexpr && 'A_Const' in rexpr ? rexpr.A_Const.sval?.sval : undefined;
    if (['->', '->>'].includes(joined(name))) return of === undefined || key === undefined ? [] : [`${of}->${key}`];
    // Of two texts, `||` forgets where one ends.
    return joined(name) === '||' ? [lexpr, rexpr].flatMap((side) => (side && 'FuncCall' in side ? sourcesOf(side) : [])) : [];
  }
  if (!('FuncCall' in value)) return [];
  const { funcname, args = [] } = value.FuncCall;
  const name = joined(funcname).replace(/^pg_catalog\./, '');
  if (/^jsonb?_build_object$/.test(name)) return args.filter((_, at) => at % 2 === 1).flatMap(sourcesOf);
  return /^(?:to_jsonb?|jsonb?_build_array)$/.test(name) ? args.flatMap(sourcesOf) : [];
}
