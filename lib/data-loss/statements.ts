import type { Node } from 'libpg-query';
import { UNKNOWN_VALUE as UNKNOWN } from '../contract/facts';
import { parseStatements } from '../sql/parse';

/** One statement; without a node, PostgreSQL's grammar rejects it. */
export interface ParsedStatement {
  readonly text: string;
  readonly line: number;
  readonly node?: Node;
  /** Whether an unknown value was left out: it may have been a condition. */
  readonly mayLackCondition: boolean;
}

/** Parses statements. Where the grammar rejects an unknown value as an identifier, tries a number, then nothing, in its place. */
export function statementsOf(sql: string): readonly ParsedStatement[] {
  const attempts = sql.includes(UNKNOWN) ? [UNKNOWN, '1', ''] : [UNKNOWN];
  const found = attempts.map((value) =>
    parseStatements(sql.replaceAll(UNKNOWN, value)).map((one) => ({ ...one, mayLackCondition: value === '' })),
  );
  const parsed = found.find((statements) => statements.every(({ node }) => node)) ?? found[0] ?? [];
  const first = parsed[0];
  const unknown: readonly ParsedStatement[] =
    first?.mayLackCondition && UNKNOWN_FIRST_WORD.test(sql) ? [{ text: sql, line: 0, mayLackCondition: true }] : [];
  // psql runs its own commands; the server never sees them.
  return [...unknown, ...parsed].filter(({ node, text }) => node ?? !/^\\[a-z]/i.test(text));
}

/** A statement with an unknown first word could do anything. */
export const UNKNOWN_FIRST_WORD = new RegExp(`(?:^|;)\\s*${UNKNOWN}`);
