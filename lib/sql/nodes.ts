import type { Node, RangeVar } from 'libpg-query';

type KeysOf<Union> = Union extends Union ? keyof Union : never;
type Content<One, Kind> = One extends Node ? (Kind extends keyof One ? One[Kind] : never) : never;

/** A kind of node of the syntax tree, such as `SelectStmt`. */
export type NodeKind = KeysOf<Node>;
export type Of<Kind extends NodeKind> = Content<Node, Kind>;

/** A node's content if the node is of this kind. */
export function as<Kind extends NodeKind>(node: Node | undefined, kind: Kind): Of<Kind> | undefined {
  return (node as { readonly [Key in Kind]?: Of<Kind> } | undefined)?.[kind];
}

/** The content of those nodes that are of this kind. */
export function only<Kind extends NodeKind>(nodes: readonly Node[] | undefined, kind: Kind): readonly Of<Kind>[] {
  return (nodes ?? []).flatMap((node) => as(node, kind) ?? []) as readonly Of<Kind>[];
}

/** A rule per kind of node. */
export type Rules<Result, Given extends readonly unknown[] = []> = {
  readonly [Kind in NodeKind]?: (content: Of<Kind>, ...given: Given) => Result;
};

/** What the rule for the node's kind says; undefined if there is none. */
export function apply<Result, Given extends readonly unknown[]>(
  rules: Rules<Result, Given>,
  node: Node | undefined,
  ...given: Given
): Result | undefined {
  for (const [kind, content] of Object.entries(node ?? {})) {
    const rule = rules[kind as NodeKind] as ((content: unknown, ...given: Given) => Result) | undefined;
    if (rule) return rule(content, ...given);
  }
  return undefined;
}

type With = Of<'SelectStmt'>['withClause'];

/** A FROM with the SELECTs of a WITH in place of their names. */
export function inPlace(from: readonly Node[] | undefined, clause: With): Node[] {
  const parts = only(clause?.ctes, 'CommonTableExpr');
  return (from ?? []).map((source) => {
    const { relname = '', schemaname, alias } = as(source, 'RangeVar') ?? {};
    const subquery = schemaname ? undefined : parts.find(({ ctename }) => ctename === relname)?.ctequery;
    if (!as(subquery, 'SelectStmt')) return source;
    return { RangeSubselect: { subquery, alias: alias ?? { aliasname: relname } } };
  });
}

/** The queries of a WITH as they read alone, such as the UPDATE in `WITH batch AS (SELECT ...), filled AS (UPDATE ... FROM batch)`. */
export function queriesOf(clause: With): readonly { readonly name: string; readonly query: Node }[] {
  return only(clause?.ctes, 'CommonTableExpr').flatMap(({ ctename: name = '', ctequery: query }) => {
    const update = as(query, 'UpdateStmt');
    const deletion = as(query, 'DeleteStmt');
    if (update) return [{ name, query: { UpdateStmt: { ...update, fromClause: inPlace(update.fromClause, clause) } } }];
    if (deletion) return [{ name, query: { DeleteStmt: { ...deletion, usingClause: inPlace(deletion.usingClause, clause) } } }];
    return query ? [{ name, query }] : [];
  });
}

/** Joins the parts of a name. */
export function joined(names: readonly Node[] = []): string {
  const parts = names.map((name) => ('String' in name ? (name.String.sval ?? '') : ''));
  return (parts.length > 1 && parts[0] === 'public' ? parts.slice(1) : parts).join('.');
}

/** The name of a function, a type or an operator, without `pg_catalog`. */
export function systemName(names: readonly Node[] | undefined): string {
  return joined(names).replace(/^pg_catalog\./, '');
}

/** A table's name, without `public`. */
export function nameOf(relation: RangeVar | undefined): string {
  const { schemaname, relname = '' } = relation ?? {};
  return schemaname && schemaname !== 'public' ? `${schemaname}.${relname}` : relname;
}

/** A table's name and its alias. */
export function namesOf(relation: RangeVar | undefined): readonly string[] {
  return [nameOf(relation), ...(relation?.alias?.aliasname ? [relation.alias.aliasname] : [])];
}

/** What the parser sets for a SELECT without clauses, too. */
const EVERY_SELECT = ['op', 'limitOption', 'groupDistinct'];

/** A table, also as a subquery with all of its rows: `(SELECT * FROM users) s`, `(SELECT id, name FROM users) AS s`. */
export function wholeTable(source: Node | undefined): RangeVar | undefined {
  const { subquery, alias } = as(source, 'RangeSubselect') ?? {};
  if (!subquery) return as(source, 'RangeVar');
  const { targetList = [], fromClause = [], ...more } = as(subquery, 'SelectStmt') ?? {};
  const relation = fromClause.length === 1 ? as(fromClause[0], 'RangeVar') : undefined;
  const isPlain =
    Object.keys(more).every((key) => EVERY_SELECT.includes(key)) &&
    only(targetList, 'ResTarget').every(({ name, val }) => !name && as(val, 'ColumnRef'));
  return relation && isPlain && alias && !alias.colnames ? { ...relation, alias } : undefined;
}
