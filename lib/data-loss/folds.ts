import type { Node } from 'libpg-query';
import { constant, isEmpty } from './conditions';
import { joined, type Made } from './made';
import { isOwnColumn } from './parts';

/**
 * Whether an UPDATE, or several of a revision together, give rows with different values the same one: `SET role = 'user' WHERE role IN
 * ('editor', 'viewer')`.
 *
 * @param names the table and its aliases
 */
export function folds(
  where: Node | undefined,
  column: string,
  value: Node | undefined,
  names: readonly string[],
  made: Made,
): boolean {
  const to = constantOf(value);
  const from = to === undefined ? undefined : valuesIn(where, column, names);
  if (!from || to === undefined) return false;
  const of = `${names[0]}.${column}`;
  // Rows that had these values before have others from now on.
  for (const one of from) made.given.delete(`${of} ${one}`);
  const sources = new Set([...(made.given.get(`${of} ${to}`) ?? []), ...from.filter((one) => one !== to)]);
  made.given.set(`${of} ${to}`, sources);
  return sources.size > 1;
}

/** The values of a column for which a condition is true; undefined if it is true for others too, or tests anything else. */
function valuesIn(where: Node | undefined, column: string, names: readonly string[]): readonly string[] | undefined {
  if (!where) return undefined;
  if ('BoolExpr' in where) {
    const parts = (where.BoolExpr.args ?? []).map((part) => valuesIn(part, column, names));
    return where.BoolExpr.boolop === 'OR_EXPR' && !parts.includes(undefined) ? parts.flatMap((part) => part ?? []) : undefined;
  }
  if (!('A_Expr' in where)) return undefined;
  const { kind, name, lexpr, rexpr } = where.A_Expr;
  if (joined(name) !== '=' || !isOwnColumn(lexpr, column, names)) return undefined;
  const listed = kind === 'AEXPR_OP' ? [rexpr] : elements(rexpr);
  // No value is no information.
  const values = listed.filter((one) => !isEmpty(one)).map(constantOf);
  return values.length && !values.includes(undefined) ? values.map((one) => one ?? '') : undefined;
}

/** IN ('a', 'b'), = ANY (ARRAY['a', 'b']) */
function elements(node: Node | undefined): readonly Node[] {
  if (!node) return [];
  if ('TypeCast' in node) return elements(node.TypeCast.arg);
  if ('List' in node) return node.List.items ?? [];
  return 'A_ArrayExpr' in node ? (node.A_ArrayExpr.elements ?? []) : [];
}

function constantOf(node: Node | undefined): string | undefined {
  return node && 'TypeCast' in node ? constantOf(node.TypeCast.arg) : constant(node);
}
