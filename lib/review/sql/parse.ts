import type { Node } from 'libpg-query';
import { hasSqlDetails, loadModule, parsePlPgSQLSync, parseSync, scanSync } from 'libpg-query';
import type { Action } from './action';
import { actionsOf } from './statements';

/** One statement of a text, by PostgreSQL's own grammar. */
export interface ParsedStatement {
  readonly text: string;
  /** Lines before it within the text. */
  readonly line: number;
  /** What it does, one action for each part of an ALTER TABLE; `unparsed` when the grammar refuses it. */
  readonly actions: readonly Action[];
}

/** Loads the parser, which is WebAssembly: once, before anything is parsed. */
export const loadParser = loadModule;

/** The statements of a text. What can't be parsed is kept as `unparsed`. */
export function parseSql(sql: string): readonly ParsedStatement[] {
  const text = withoutPlaceholders(sql);
  try {
    return parseText(text, 0);
  } catch {
    return splitText(text).flatMap(({ text: part, line }) => {
      try {
        return parseText(part, line);
      } catch (error) {
        const why = hasSqlDetails(error) ? error.message : String(error);
        return [{ text: part, line, actions: [{ does: 'unparsed', why }] }];
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

function parseText(text: string, line: number): readonly ParsedStatement[] {
  const bytes = Buffer.from(text);
  return (parseSync(text).stmts ?? []).flatMap(({ stmt, stmt_location: start = 0, stmt_len: length }) => {
    if (!stmt) return [];
    const own = bytes.subarray(start, length ? start + length : undefined).toString();
    const before = bytes.subarray(0, start).toString() + (/^\s*/.exec(own)?.[0] ?? '');
    const trimmed = own.trim();
    // A node's locations count from the beginning of the text that was parsed.
    const node = before === '' ? stmt : (parseNode(trimmed) ?? stmt);
    const actions = 'DoStmt' in node ? blockActions(trimmed) : actionsOf(node, trimmed);
    return [{ text: trimmed, line: line + newlines(before), actions }];
  });
}

/** What the statements of an anonymous block do. Statements that it builds at run time are not known. */
function blockActions(block: string): readonly Action[] {
  let parsed: unknown;
  try {
    parsed = parsePlPgSQLSync(block);
  } catch (error) {
    return [{ does: 'unparsed', why: String(error) }];
  }
  return queriesOf(parsed).flatMap((query) => parseSql(query).flatMap(({ actions }) => actions));
}

function queriesOf(value: unknown): readonly string[] {
  if (!value || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, child]) => {
    if (key === 'PLpgSQL_stmt_execsql') return [child?.sqlstmt?.PLpgSQL_expr?.query ?? ''];
    if (key === 'PLpgSQL_stmt_dynexecute') {
      const literal = /^\s*'((?:[^']|'')*)'\s*$/.exec(child?.query?.PLpgSQL_expr?.query ?? '');
      return literal?.[1] ? [literal[1].replaceAll("''", "'")] : [];
    }
    return queriesOf(child);
  });
}

// Strings, quoted names, dollar-quoted bodies and comments are matched first, so that nothing within them is replaced.
const PLACEHOLDERS =
  /'(?:[^']|'')*'|"[^"]*"|(\$\w*\$)[\s\S]*?\1|--[^\n]*|\/\*[\s\S]*?\*\/|%\(\w+\)s|%s\b|(?<![:\w]):[A-Za-z_]\w*\b|%%/g;

/** Drivers write parameters in their own ways, which the grammar does not know. */
function withoutPlaceholders(sql: string): string {
  return sql.replace(PLACEHOLDERS, (found) => {
    if (found === '%%') return '%';
    return /^(?:%|:)/.test(found) ? '$1' : found;
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

function newlines(text: string): number {
  return text.split('\n').length - 1;
}
