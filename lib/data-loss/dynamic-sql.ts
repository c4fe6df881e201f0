import type { Node } from 'libpg-query';
import { UNKNOWN_VALUE as UNKNOWN } from '../contract/facts';
import { apply, as, joined, only, type Rules } from '../sql/nodes';
import { type BlockStatement, parseNode } from '../sql/parse';

/** The expressions that a block assigns to its variables, by name. */
export type Variables = ReadonlyMap<string, readonly string[]>;

const MAX_TEXTS = 16;
const MAX_DEPTH = 4;

/** The possible texts of an EXECUTE, with UNKNOWN for each unknown part; undefined for a text that starts with one. */
export function dynamicSql(expression: string, variables: Variables): readonly (string | undefined)[] {
  const [value] = selectExpressions(`SELECT ${expression}`);
  const texts = value ? possibleTexts(value, variables, 0) : [UNKNOWN];
  return texts.map((text) => (text.trim().startsWith(UNKNOWN) ? undefined : text));
}

/** The columns that a SELECT returns. */
function selectedColumns(query: string): readonly { readonly name: string | undefined; readonly expression: string }[] {
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

function selectExpressions(sql: string): readonly Node[] {
  const node = parseNode(sql);
  const list = (node && 'SelectStmt' in node && node.SelectStmt.targetList) || [];
  return list.flatMap((target) => ('ResTarget' in target && target.ResTarget.val ? [target.ResTarget.val] : []));
}

/** Every possible text of an expression. */
function possibleTexts(node: Node, variables: Variables, depth: number): readonly string[] {
  return (
    apply(
      TEXT_RULES,
      node,
      (one, deeper = 0) => possibleTexts(one, variables, depth + deeper),
      depth < MAX_DEPTH ? variables : NO_VARIABLES,
    ) ?? [UNKNOWN]
  );
}

const NO_VARIABLES: Variables = new Map();

type PossibleTexts = (node: Node, deeper?: number) => readonly string[];

const TEXT_RULES: Rules<readonly string[], [textsOf: PossibleTexts, variables: Variables]> = {
  A_Const: ({ sval, ival }) => [sval?.sval ?? String(ival?.ival ?? UNKNOWN)],
  TypeCast: ({ arg }, textsOf) => (arg ? textsOf(arg) : [UNKNOWN]),
  ColumnRef: ({ fields }, textsOf, variables) => {
    const set = variables.get(joined(fields).toLowerCase()) ?? [];
    const texts = set.flatMap((one) => selectExpressions(`SELECT ${one}`).flatMap((value) => textsOf(value, 1)));
    return texts.length ? texts.slice(0, MAX_TEXTS) : [UNKNOWN];
  },
  A_Expr: ({ name, lexpr, rexpr }, textsOf) =>
    joined(name) === '||' && lexpr && rexpr
      ? combinations([textsOf(lexpr), textsOf(rexpr)]).map((parts) => parts.join(''))
      : [UNKNOWN],
  SubLink: ({ subselect }, textsOf) => {
    const first = as(as(subselect, 'SelectStmt')?.targetList?.[0], 'ResTarget')?.val;
    return first ? textsOf(first) : [UNKNOWN];
  },
  CoalesceExpr: ({ args = [] }, textsOf) => args.flatMap((arg) => textsOf(arg)),
  CaseExpr: ({ args, defresult }, textsOf) =>
    [...only(args, 'CaseWhen').map(({ result }) => result), defresult].flatMap((result) => (result ? textsOf(result) : [])),
  FuncCall: ({ funcname, args = [] }, textsOf) =>
    TEXT_FUNCTIONS.get(joined(funcname))?.(combinations(args.map((arg) => textsOf(arg)))) ?? [UNKNOWN],
};

/** The texts that a function returns, one for each combination of its arguments' texts. */
const TEXT_FUNCTIONS: ReadonlyMap<string, (all: readonly (readonly string[])[]) => readonly string[]> = new Map([
  ['format', (all) => all.map(([pattern = '', ...values]) => format(pattern, values))],
  ['string_agg', (all) => all.map(([text = UNKNOWN]) => text)],
  ['quote_ident', (all) => all.map((texts) => texts.join(''))],
  ['concat', (all) => all.map((texts) => texts.join(''))],
  ['concat_ws', (all) => all.map(([between = '', ...texts]) => texts.join(between))],
]);

function format(pattern: string, values: readonly string[]): string {
  let next = 0;
  return pattern.replace(/%(?:(\d+)\$)?([sIL%])/g, (_, position, kind) => {
    if (kind === '%') return '%';
    const text = values[position ? Number(position) - 1 : next++] ?? UNKNOWN;
    return kind === 'L' ? `'${text.replaceAll("'", "''")}'` : text;
  });
}

/** All combinations of one text from each list. */
function combinations(choices: readonly (readonly string[])[]): readonly (readonly string[])[] {
  return choices.reduce<readonly (readonly string[])[]>(
    (found, texts) => found.flatMap((before) => texts.map((text) => [...before, text])).slice(0, MAX_TEXTS),
    [[]],
  );
}

/** The expressions that a block's statements assign. */
export function variablesOf(statements: readonly BlockStatement[]): Variables {
  const found = new Map<string, string[]>();
  for (const [name, expression] of statements.flatMap(assignments)) {
    const key = name.toLowerCase();
    found.set(key, [...(found.get(key) ?? []), expression]);
  }
  return found;
}

/** The variables that a statement sets, each with its expression: `FOR row IN SELECT ... AS command`, `SELECT ... INTO command`. */
function assignments({ kind, query, into = [] }: BlockStatement): readonly (readonly [name: string, expression: string])[] {
  const [first = '', ...more] = into;
  if (kind === 'assign') return [[first, query]];
  const columns = kind === 'statement' && into.length ? selectedColumns(query) : [];
  const fields = first && !more.length ? columns.filter(({ name }) => name) : [];
  return [
    ...fields.map(({ name, expression }) => [`${first}.${name}`, expression] as const),
    ...columns.slice(0, into.length).map(({ expression }, index) => [into[index] ?? '', expression] as const),
  ];
}
