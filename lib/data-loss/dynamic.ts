import type { Node } from 'libpg-query';
import { UNKNOWN_VALUE as UNKNOWN } from '../contract/facts';
import { joined } from '../sql/nodes';
import { parseNode } from '../sql/parse';

/** The expressions that a block assigns to its variables, by name. */
export type Variables = ReadonlyMap<string, readonly string[]>;

const MOST_TEXTS = 16;
const DEEPEST = 4;

/** The possible texts of EXECUTE, with UNKNOWN for each unknown part; undefined when a text starts with one. */
export function dynamicSql(expression: string, variables: Variables): readonly (string | undefined)[] {
  const [value] = targets(`SELECT ${expression}`);
  const texts = value ? textsOf(value, variables, 0) : [UNKNOWN];
  return texts.map((text) => (text.trim().startsWith(UNKNOWN) ? undefined : text));
}

/** The columns that a SELECT returns. */
export function selected(query: string): readonly { readonly name: string | undefined; readonly expression: string }[] {
  const node = parseNode(query);
  const list = (node && 'SelectStmt' in node && node.SelectStmt.targetList) || [];
  const bytes = Buffer.from(query);
  const starts = list.map((target) => ('ResTarget' in target ? (target.ResTarget.location ?? 0) : 0));
  const from = /\bFROM\b/i.exec(query)?.index ?? query.length;
  return list.map((target, index) => {
    const end = starts[index + 1] ?? Buffer.byteLength(query.slice(0, from));
    const written = bytes
      .subarray(starts[index], end)
      .toString()
      .replace(/[,;\s]+$/, '');
    const name = 'ResTarget' in target ? target.ResTarget.name : undefined;
    return { name, expression: written.replace(/\s+(?:AS\s+)?\w+$/i, (alias) => (name ? '' : alias)) };
  });
}

function targets(sql: string): readonly Node[] {
  const node = parseNode(sql);
  const list = (node && 'SelectStmt' in node && node.SelectStmt.targetList) || [];
  return list.flatMap((target) => ('ResTarget' in target && target.ResTarget.val ? [target.ResTarget.val] : []));
}

/** Every possible text of an expression. */
function textsOf(node: Node, variables: Variables, depth: number): readonly string[] {
  const inner = (one: Node) => textsOf(one, variables, depth);
  if ('A_Const' in node) return [node.A_Const.sval?.sval ?? String(node.A_Const.ival?.ival ?? UNKNOWN)];
  if ('TypeCast' in node && node.TypeCast.arg) return inner(node.TypeCast.arg);
  if ('ColumnRef' in node && depth < DEEPEST) {
    const set = variables.get(joined(node.ColumnRef.fields).toLowerCase()) ?? [];
    const texts = set.flatMap((one) => targets(`SELECT ${one}`).flatMap((value) => textsOf(value, variables, depth + 1)));
    return texts.length ? texts.slice(0, MOST_TEXTS) : [UNKNOWN];
  }
  if ('A_Expr' in node && joined(node.A_Expr.name) === '||' && node.A_Expr.lexpr && node.A_Expr.rexpr)
    return combined([inner(node.A_Expr.lexpr), inner(node.A_Expr.rexpr)]).map((parts) => parts.join(''));
  if ('SubLink' in node) {
    const select = node.SubLink.subselect;
    const [first] = (select && 'SelectStmt' in select && select.SelectStmt.targetList) || [];
    return first && 'ResTarget' in first && first.ResTarget.val ? inner(first.ResTarget.val) : [UNKNOWN];
  }
  if ('CoalesceExpr' in node) return (node.CoalesceExpr.args ?? []).flatMap(inner);
  if ('CaseExpr' in node) {
    const { args = [], defresult } = node.CaseExpr;
    const results = args.flatMap((arg) => ('CaseWhen' in arg && arg.CaseWhen.result ? [arg.CaseWhen.result] : []));
    return [...results, ...(defresult ? [defresult] : [])].flatMap(inner);
  }
  return 'FuncCall' in node ? called(joined(node.FuncCall.funcname), node.FuncCall.args ?? [], inner) : [UNKNOWN];
}

function called(name: string, args: readonly Node[], textsOf: (node: Node) => readonly string[]): readonly string[] {
  const all = combined(args.map(textsOf));
  if (name === 'format') return all.map(([pattern = '', ...values]) => formatted(pattern, values));
  if (name === 'string_agg') return all.map(([text = UNKNOWN]) => text);
  if (name === 'quote_ident' || name === 'concat') return all.map((texts) => texts.join(''));
  return name === 'concat_ws' ? all.map(([between = '', ...texts]) => texts.join(between)) : [UNKNOWN];
}

function formatted(pattern: string, values: readonly string[]): string {
  let next = 0;
  return pattern.replace(/%(?:(\d+)\$)?([sIL%])/g, (_, position, kind) => {
    if (kind === '%') return '%';
    const text = values[position ? Number(position) - 1 : next++] ?? UNKNOWN;
    return kind === 'L' ? `'${text.replaceAll("'", "''")}'` : text;
  });
}

/** All combinations of one text from each list. */
function combined(choices: readonly (readonly string[])[]): readonly (readonly string[])[] {
  return choices.reduce<readonly (readonly string[])[]>(
    (found, texts) => found.flatMap((before) => texts.map((text) => [...before, text])).slice(0, MOST_TEXTS),
    [[]],
  );
}
