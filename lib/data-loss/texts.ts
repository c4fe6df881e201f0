import type { Node } from 'libpg-query';
import { UNKNOWN_VALUE as UNKNOWN } from '../contract/facts';
import { parseStatements } from '../sql/parse';

/** A statement of a text; without a node the grammar refuses it. */
export interface Parsed {
  readonly text: string;
  readonly line: number;
  readonly node?: Node;
  /** Whether a value that is not known was left out: where it stands, a condition may stand. */
  readonly isCut: boolean;
}

/** A value that is not known may stand where no identifier can: then a number, or nothing, is tried in its place. */
export function statementsOf(sql: string): readonly Parsed[] {
  const attempts = sql.includes(UNKNOWN) ? [UNKNOWN, '1', ''] : [UNKNOWN];
  const found = attempts.map((value) =>
    parseStatements(sql.replaceAll(UNKNOWN, value)).map((one) => ({ ...one, isCut: value === '' })),
  );
  const parsed = found.find((statements) => statements.every(({ node }) => node)) ?? found[0] ?? [];
  const first = parsed[0];
  const unknown: readonly Parsed[] = first?.isCut && STARTS_UNKNOWN.test(sql) ? [{ text: sql, line: 0, isCut: true }] : [];
  // psql's own commands are not the server's.
  return [...unknown, ...parsed].filter(({ node, text }) => node ?? !/^\\[a-z]/i.test(text));
}

/** What a statement does is not known when its first word is not. */
export const STARTS_UNKNOWN = new RegExp(`(?:^|;)\\s*${UNKNOWN}`);
