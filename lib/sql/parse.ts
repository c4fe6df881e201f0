import type { Node } from 'libpg-query';
import { hasSqlDetails, loadModule, parsePlPgSQLSync, parseSync, scanSync } from 'libpg-query';

/** One statement of a text, by PostgreSQL's own grammar. */
export interface SqlStatement {
  readonly text: string;
  /** Lines before it within the text. */
  readonly line: number;
  /** Undefined when the grammar refuses it; `why` says what it says. */
  readonly node?: Node;
  readonly why?: string;
}

/** Loads the parser, which is WebAssembly: once, before anything is parsed. */
export const loadParser = loadModule;

/** The statements of a text. One that can't be parsed does not keep the others from being seen. */
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

/** A node of a single expression or constraint, such as what pg_get_constraintdef gives; undefined if it can't be parsed. */
export function parseNode(sql: string): Node | undefined {
  try {
    return parseSync(sql).stmts?.[0]?.stmt;
  } catch {
    return undefined;
  }
}

/** Names in a text that PostgreSQL would cut: it keeps 63 bytes. */
export function longNames(sql: string): readonly string[] {
  try {
    return scanSync(withoutPlaceholders(sql))
      .tokens.filter(({ tokenName }) => tokenName === 'IDENT')
      .map(({ text }) => text.replace(/^"|"$/g, ''))
      .filter((name) => Buffer.byteLength(name) > 63);
  } catch {
    return [];
  }
}

/** What the body of a PL/pgSQL block or function does. */
export interface BlockStatement {
  readonly kind: 'statement' | 'execute' | 'assign';
  /** The statement; with `execute` and `assign` the expression that gives what is executed or assigned. */
  readonly query: string;
  /** The variables that get what it gives. */
  readonly into?: readonly string[];
}

/** The statements of a `DO` or of a `CREATE FUNCTION ... LANGUAGE plpgsql`. Throws what the parser says of a body that it refuses. */
export function blockStatements(sql: string): readonly BlockStatement[] {
  return statementsWithin(parsePlPgSQLSync(sql));
}

function statementsWithin(value: unknown): readonly BlockStatement[] {
  if (!value || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, child]) => {
    if (key === 'PLpgSQL_var') {
      const query = child?.default_val?.PLpgSQL_expr?.query;
      return query ? [{ kind: 'assign' as const, query, into: [child.refname] }] : [];
    }
    if (key === 'PLpgSQL_stmt_assign') {
      const [, name, query] = ASSIGNMENT.exec(child?.expr?.PLpgSQL_expr?.query ?? '') ?? [];
      return name && query ? [{ kind: 'assign' as const, query, into: [name] }] : [];
    }
    const kind = SENDS[key];
    if (!kind) return statementsWithin(child);
    const query = Object.values<{ PLpgSQL_expr?: { query?: string } }>(child).find((part) => part?.PLpgSQL_expr)?.PLpgSQL_expr
      ?.query;
    const target = child?.target ?? child?.var;
    const into = target?.PLpgSQL_row?.fields?.map((field: { name: string }) => field.name) ?? [target?.PLpgSQL_rec?.refname];
    return [...(query ? [{ kind, query, ...(target ? { into } : {}) }] : []), ...statementsWithin(child?.body)];
  });
}

const ASSIGNMENT = /^\s*([\w.]+)\s*:?=\s*([\s\S]+)$/;

const SENDS: Readonly<Record<string, BlockStatement['kind']>> = {
  PLpgSQL_stmt_execsql: 'statement',
  PLpgSQL_stmt_perform: 'statement',
  PLpgSQL_stmt_fors: 'statement',
  PLpgSQL_stmt_return_query: 'statement',
  PLpgSQL_stmt_call: 'statement',
  PLpgSQL_stmt_dynexecute: 'execute',
  PLpgSQL_stmt_dynfors: 'execute',
};

function parseText(text: string, line: number): readonly SqlStatement[] {
  const bytes = Buffer.from(text);
  return (parseSync(text).stmts ?? []).flatMap(({ stmt, stmt_location: start = 0, stmt_len: length }) => {
    if (!stmt) return [];
    const own = bytes.subarray(start, length ? start + length : undefined).toString();
    const before = bytes.subarray(0, start).toString() + (SPACE_AND_COMMENTS.exec(own)?.[0] ?? '');
    const trimmed = own.trim();
    // A node's locations count from the beginning of the text that was parsed.
    const node = start === 0 && own.startsWith(trimmed) ? stmt : (parseNode(trimmed) ?? stmt);
    return [{ text: trimmed, line: line + newlines(before), node }];
  });
}

// Strings, quoted names, dollar-quoted bodies and comments are matched first, so that nothing within them is replaced.
const PLACEHOLDERS =
  /'(?:[^']|'')*'|"[^"]*"|(\$\w*\$)[\s\S]*?\1|--[^\n]*|\/\*[\s\S]*?\*\/|%\(\w+\)s|%s\b|(?<![:\w]):[A-Za-z_]\w*\b|%%/g;
const LIST = /\bIN\s+$/i;

/** Drivers write parameters in their own ways, which the grammar does not know. */
function withoutPlaceholders(sql: string): string {
  // \: is a colon that SQLAlchemy's text() does not take for a parameter's.
  const text = sql.replaceAll('\\:', ':');
  return text.replace(PLACEHOLDERS, (found, _tag: string | undefined, place: number) => {
    if (found === '%%') return '%';
    if (!/^(?:%|:)/.test(found)) return found;
    // WHERE id IN :ids, of which SQLAlchemy makes a list.
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
    // what can't even be split is one part
  }
  add(bytes.length);
  return parts;
}

const SPACE_AND_COMMENTS = /^(?:\s|--[^\n]*|\/\*[\s\S]*?\*\/)*/;

function newlines(text: string): number {
  return text.split('\n').length - 1;
}
