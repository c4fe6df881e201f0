import { type ScanToken, scanSync } from 'libpg-query';

/** A name in SQL, quoted if necessary. */
export function quoted(name: string): string {
  if (/^[a-z_][a-z0-9_$]*$/.test(name) && !isKeyword(name)) return name;
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as an SQL literal. */
export function literal(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

/** The name of a relation, with its schema where that is not `public`. */
export function quotedTable(name: string): string {
  return name.split('.').map(quoted).join('.');
}

/** The call that finds the sequence of a serial or an identity column. */
export function serialSequence(table: string, column: string): string {
  return `pg_get_serial_sequence(${literal(quotedTable(table))}, ${literal(column)})`;
}

export function quotedList(names: readonly string[]): string {
  return names.map(quoted).join(', ');
}

function isKeyword(name: string): boolean {
  const kind = scanSync(name).tokens[0]?.keywordKind ?? 0;
  return kind >= 3; // reserved, or reserved but for functions and types
}

/** Splits `ALTER TABLE name a, b` into separate statements. Empty for any other statement. */
export function alterTableCommands(sql: string): readonly string[] {
  const text = new SqlText(sql);
  const head =
    /^\s*ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?(?:(?:"(?:[^"]|"")+"|[\w$]+)\s*\.\s*)?(?:"(?:[^"]|"")+"|[\w$]+)\s+/i.exec(
      sql,
    );
  if (!head) return [];
  const commands: string[] = [];
  const all = Buffer.byteLength(sql);
  for (let start = Buffer.byteLength(head[0]); start < all; ) {
    const end = text.clauseEnd(start);
    commands.push(`${head[0].trim()} ${text.slice(start, end)}`);
    start = end + 1;
  }
  return commands;
}

/** A statement's text with its tokens, without comments. Positions are bytes, as in PostgreSQL. */
export class SqlText {
  readonly #bytes: Buffer;
  readonly #tokens: readonly ScanToken[];

  constructor(sql: string) {
    this.#bytes = Buffer.from(sql);
    const { tokens } = scanSync(sql);
    const isComment = ({ tokenName }: ScanToken) => /COMMENT/.test(tokenName);
    // A slice becomes part of one line, where a comment would hide the rest.
    for (const { start, end } of tokens.filter(isComment)) this.#bytes.fill(' ', start, end);
    this.#tokens = tokens.filter((token) => !isComment(token));
  }

  slice(start: number, end?: number): string {
    return this.#bytes.subarray(start, end).toString().trim();
  }

  /** Where the clause that starts at a position ends: at a comma or semicolon outside of parentheses, or at the end of the text. */
  clauseEnd(start: number): number {
    let depth = 0;
    for (const { text, start: at } of this.#tokens) {
      if (at < start) continue;
      if (text === '(' || text === '[') depth += 1;
      if (text === ')' || text === ']') depth -= 1;
      if (depth < 0 || (depth === 0 && (text === ',' || text === ';'))) return at;
    }
    return this.#bytes.length;
  }

  /** The first of the words outside of parentheses, from a position on. */
  find(words: readonly string[], start = 0, end = Number.POSITIVE_INFINITY): ScanToken | undefined {
    let depth = 0;
    for (const token of this.#tokens) {
      if (token.start < start) continue;
      if (token.start >= end) return undefined;
      if (depth === 0 && words.includes(token.text.toUpperCase())) return token;
      if (token.text === '(' || token.text === '[') depth += 1;
      if (token.text === ')' || token.text === ']') depth -= 1;
    }
    return undefined;
  }

  /** The text within the first pair of parentheses after a position. */
  within(start: number): string {
    let depth = 0;
    let open = start;
    for (const { text, start: at, end } of this.#tokens) {
      if (at < start) continue;
      if (text === '(') {
        if (depth === 0) open = end;
        depth += 1;
      }
      if (text === ')') {
        depth -= 1;
        if (depth === 0) return this.slice(open, at);
      }
    }
    return '';
  }
}
