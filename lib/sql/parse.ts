import { setFlagsFromString } from 'node:v8';
import type { Node } from 'libpg-query';
import { hasSqlDetails, loadModule, parsePlPgSQLSync, parseSync, scanSync } from 'libpg-query';
import { as, only } from './nodes';

// The parser is WebAssembly. To optimize it in the background takes four times as long as to parse a thousand statements.
setFlagsFromString('--liftoff-only');

/** One statement, parsed with PostgreSQL's own grammar. */
export interface SqlStatement {
  readonly text: string;
  /** Zero-based line within the text. */
  readonly line: number;
  /** Undefined when the grammar rejects it; `why` is the parser's message. */
  readonly node?: Node;
  readonly why?: string;
}

/** Loads the parser, which is WebAssembly. Call it once, before parsing. */
export const loadParser = loadModule;

/** The statements of a text. One that can't be parsed does not hide the others. */
export function parseStatements(sql: string): readonly SqlStatement[] {
  const text = withoutPlaceholders(sql);
  try {
    return parseText(text, 0);
  } catch {
    return splitText(text).flatMap(({ text: part, line }) => {
      try {
        return parseText(part, line);
      } catch (error) {
        return [{ text: part, line, why: hasSqlDetails(error) ? error.message : String(error) }];
      }
    });
  }
}

/** A single expression or constraint, such as the output of pg_get_constraintdef; undefined if it can't be parsed. */
export function parseNode(sql: string): Node | undefined {
  try {
    return parseSync(sql).stmts?.[0]?.stmt;
  } catch {
    return undefined;
  }
}

/** Whether PostgreSQL would truncate a name: it keeps 63 bytes. */
export function isTooLong(name: string): boolean {
  return Buffer.byteLength(name) > 63;
}

/** Names that PostgreSQL would truncate. */
export function longNames(sql: string): readonly string[] {
  try {
    return scanSync(withoutPlaceholders(sql))
      .tokens.filter(({ tokenName }) => tokenName === 'IDENT')
      .map(({ text }) => text.replace(/^"|"$/g, ''))
      .filter(isTooLong);
  } catch {
    return [];
  }
}

/** One statement in the body of a PL/pgSQL block or function. */
export interface BlockStatement {
  readonly kind: 'statement' | 'execute' | 'assign' | 'refuse';
  /** The statement; for `execute` and `assign`, the expression that is executed or assigned; for `refuse`, the test that raises an exception. */
  readonly query: string;
  /** The variables that receive the result. */
  readonly into?: readonly string[];
  readonly inLoop?: true;
  /** Whether it runs under a condition only. */
  readonly mayBeSkipped?: true;
  /** The innermost IF and its branch: of two branches of an IF, one runs at most. */
  readonly branch?: { readonly of: object; readonly at: number };
}

/** The statements of a `DO` or a `CREATE FUNCTION ... LANGUAGE plpgsql`. Throws the parser's error if the body is invalid. */
export function blockStatements(sql: string): readonly BlockStatement[] {
  const tree: object = parsePlPgSQLSync(sql);
  const variables = (tree as Block).plpgsql_funcs?.[0]?.PLpgSQL_function?.datums ?? [];
  const nameOf = (name: string) => variables[Number(name)]?.PLpgSQL_var?.refname ?? name;
  return statementsWithin(tree).map((one) => (one.kind === 'assign' && one.into ? { ...one, into: one.into.map(nameOf) } : one));
}

/** The parts of the parser's tree that are read. */
interface Block {
  readonly plpgsql_funcs?: readonly {
    readonly PLpgSQL_function?: { readonly datums?: readonly { readonly PLpgSQL_var?: BlockNode }[] };
  }[];
}

/** The parts of a node that are read. */
interface BlockNode {
  readonly refname?: string;
  readonly default_val?: Expression;
  readonly expr?: Expression;
  readonly cond?: Expression;
  readonly then_body?: readonly { readonly PLpgSQL_stmt_raise?: { readonly elog_level?: number } }[];
  readonly elsif_list?: readonly unknown[];
  readonly else_body?: readonly unknown[];
  readonly body?: unknown;
  readonly target?: Target;
  readonly var?: Target;
  readonly varno?: number;
}

interface Expression {
  readonly PLpgSQL_expr?: { readonly query?: string };
}

interface Target {
  readonly PLpgSQL_row?: { readonly fields?: readonly { readonly name: string }[] };
  readonly PLpgSQL_rec?: { readonly refname: string };
}

function statementsWithin(value: unknown): readonly BlockStatement[] {
  if (!value || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([kind, node]) => (STATEMENTS[kind] ?? statementsWithin)(node));
}

/** The statements of each kind of node; any other kind has those of the nodes within it. */
const STATEMENTS: Readonly<Record<string, (node: BlockNode) => readonly BlockStatement[]>> = {
  PLpgSQL_var: ({ refname = '', default_val }) => assigned(refname, default_val?.PLpgSQL_expr?.query),
  PLpgSQL_stmt_assign: ({ expr }) => {
    const [, name = '', query] = ASSIGNMENT.exec(expr?.PLpgSQL_expr?.query ?? '') ?? [];
    return assigned(name, query);
  },
  PLpgSQL_stmt_if: (node) => {
    const raises = node.then_body?.[0]?.PLpgSQL_stmt_raise?.elog_level === EXCEPTION;
    const refused = raises ? [{ kind: 'refuse' as const, query: node.cond?.PLpgSQL_expr?.query ?? '' }] : [];
    const ways = [node.then_body, ...(node.elsif_list ?? []), node.else_body];
    const within = ways.flatMap((way, at) => inABranch(way).map((one) => ({ branch: { of: node, at }, ...one })));
    return [...refused, ...inABranch(node.cond), ...within];
  },
  PLpgSQL_stmt_case: inABranch,
  PLpgSQL_stmt_loop: inALoop,
  PLpgSQL_stmt_while: inALoop,
  PLpgSQL_stmt_fori: inALoop,
  PLpgSQL_stmt_forc: inALoop,
  // The tree names this loop's variable by its number only.
  PLpgSQL_stmt_foreach_a: (node) => [
    ...elementsOf(node.expr?.PLpgSQL_expr?.query).flatMap((element) => assigned(String(node.varno), element)),
    ...inALoop(node),
  ],
  PLpgSQL_stmt_execsql: (node) => sent('statement', node),
  PLpgSQL_stmt_perform: (node) => sent('statement', node),
  PLpgSQL_stmt_return_query: (node) => sent('statement', node),
  PLpgSQL_stmt_call: (node) => sent('statement', node),
  PLpgSQL_stmt_dynexecute: (node) => sent('execute', node),
  // The loops over a query are statements, too.
  PLpgSQL_stmt_fors: (node) => sent('statement', node),
  PLpgSQL_stmt_dynfors: (node) => sent('execute', node),
};

/** The texts of `ARRAY['users', 'orders']`, as literals. */
function elementsOf(array = ''): readonly string[] {
  const value = as(only(as(parseNode(`SELECT ${array}`), 'SelectStmt')?.targetList, 'ResTarget')[0]?.val, 'A_ArrayExpr');
  return only(value?.elements, 'A_Const').flatMap(({ sval }) => (sval?.sval ? `'${sval.sval.replaceAll("'", "''")}'` : []));
}

function assigned(name: string, query: string | undefined): readonly BlockStatement[] {
  return query ? [{ kind: 'assign', query, into: [name] }] : [];
}

function sent(kind: BlockStatement['kind'], node: BlockNode): readonly BlockStatement[] {
  const [query] = Object.values(node).flatMap((part: Expression | null) => part?.PLpgSQL_expr?.query ?? []);
  const target = node.target ?? node.var;
  const into = target?.PLpgSQL_row?.fields?.map(({ name }) => name) ?? [target?.PLpgSQL_rec?.refname ?? ''];
  return [...(query ? [{ kind, query, ...(target ? { into } : {}) }] : []), ...inALoop(node.body)];
}

function inABranch(node: unknown): readonly BlockStatement[] {
  return statementsWithin(node).map((statement) => ({ ...statement, mayBeSkipped: true as const }));
}

function inALoop(body: unknown): readonly BlockStatement[] {
  return statementsWithin(body).map((statement) => ({ ...statement, inLoop: true as const }));
}

/** ERROR of src/include/utils/elog.h */
const EXCEPTION = 21;

const ASSIGNMENT = /^\s*([\w.]+)\s*:?=\s*([\s\S]+)$/;

function parseText(text: string, line: number): readonly SqlStatement[] {
  const bytes = Buffer.from(text);
  return (parseSync(text).stmts ?? []).flatMap(({ stmt, stmt_location: start = 0, stmt_len: length }) => {
    if (!stmt) return [];
    const own = bytes.subarray(start, length ? start + length : undefined).toString();
    const before = bytes.subarray(0, start).toString() + (SPACE_AND_COMMENTS.exec(own)?.[0] ?? '');
    const trimmed = own.trim();
    // A node's locations are offsets into the whole parsed text, so a later statement is parsed again by itself.
    const node = start === 0 && own.startsWith(trimmed) ? stmt : (parseNode(trimmed) ?? stmt);
    return [{ text: trimmed, line: line + newlines(before), node }];
  });
}

// Matches strings, quoted names, dollar-quoted bodies and comments first, so placeholders inside them stay.
const PLACEHOLDERS =
  /'(?:[^']|'')*'|"[^"]*"|(\$\w*\$)[\s\S]*?\1|--[^\n]*|\/\*[\s\S]*?\*\/|%\(\w+\)s|%s\b|(?<![:\w]):[A-Za-z_]\w*\b|%%/g;
const LIST = /\bIN\s+$/i;

/** Replaces the parameters of Python drivers, which PostgreSQL's grammar does not accept. */
function withoutPlaceholders(sql: string): string {
  // SQLAlchemy's text() reads \: as a colon, not as the start of a parameter.
  const text = sql.replaceAll('\\:', ':');
  return text.replace(PLACEHOLDERS, (found, _tag: string | undefined, place: number) => {
    if (found === '%%') return '%';
    if (!/^(?:%|:)/.test(found)) return found;
    // SQLAlchemy expands :ids to a list in WHERE id IN :ids.
    return LIST.test(text.slice(Math.max(0, place - 10), place)) ? '($1)' : '$1';
  });
}

function splitText(text: string): readonly { text: string; line: number }[] {
  const bytes = Buffer.from(text);
  let start = 0;
  const parts: { text: string; line: number }[] = [];
  const add = (end: number) => {
    const part = bytes.subarray(start, end).toString();
    const line = newlines(bytes.subarray(0, start).toString() + (/^\s*/.exec(part)?.[0] ?? ''));
    if (part.trim()) parts.push({ text: part.trim(), line });
    start = end + 1;
  };
  try {
    for (const token of scanSync(text).tokens) if (token.text === ';') add(token.start);
  } catch {
    // A text that can't be split is one part.
  }
  add(bytes.length);
  return parts;
}

const SPACE_AND_COMMENTS = /^(?:\s|--[^\n]*|\/\*[\s\S]*?\*\/)*/;

function newlines(text: string): number {
  return text.split('\n').length - 1;
}
