import { UNKNOWN_VALUE } from '../../contract/facts';
import { dynamicSql, variablesOf } from '../../data-loss/dynamic-sql';
import { blockStatements, parseStatements } from '../../sql/parse';
import type { Action } from './action';
import { actionsOf } from './statements';

export { isTooLong, loadParser, longNames, parseNode } from '../../sql/parse';

/** One statement of a text, by PostgreSQL's own grammar. */
export interface ParsedStatement {
  readonly text: string;
  /** Lines before it within the text. */
  readonly line: number;
  /** Its actions, one for each part of an ALTER TABLE; `unparsed` if the grammar rejects it. */
  readonly actions: readonly Action[];
}

/** Parsed texts: a revision is parsed while the next one is replayed, and reviewed in the end. */
const cache = new Map<string, readonly ParsedStatement[]>();

/** The statements of a text. What can't be parsed is kept as `unparsed`. */
export function parseSql(sql: string): readonly ParsedStatement[] {
  const parsed = cache.get(sql) ?? parse(sql);
  cache.set(sql, parsed);
  return parsed;
}

function parse(sql: string): readonly ParsedStatement[] {
  const statements = parseStatements(sql);
  // PostgreSQL rejects such a text as a whole. The END of a trigger's body for MySQL is no COMMIT.
  const isRejected = statements.some(({ node }) => !node);
  return statements.map(({ text, line, node, why = '' }) => {
    if (!node) return { text, line, actions: [{ does: 'unparsed', why }] };
    const actions = 'DoStmt' in node ? blockActions(text) : actionsOf(node, text);
    return { text, line, actions: isRejected ? actions.filter(({ does }) => does !== 'end transaction') : actions };
  });
}

function markInLoop(action: Action): Action {
  return action.does === 'update' || action.does === 'delete' ? { ...action, inLoop: true } : action;
}

/** The actions of an anonymous block's statements, also of those that it builds, with unknown names where only the database has them. */
function blockActions(block: string): readonly Action[] {
  try {
    const statements = blockStatements(block);
    const variables = variablesOf(statements);
    return statements.flatMap(({ kind, query, inLoop }) => {
      if (kind === 'assign' || kind === 'refuse') return [];
      const texts = kind === 'execute' ? dynamicSql(query, variables) : [query];
      const actions = texts.flatMap((text) => (text ? parseWithUnknown(text) : [])).flatMap((statement) => statement.actions);
      return inLoop ? actions.map(markInLoop) : actions;
    });
  } catch (error) {
    return [{ does: 'unparsed', why: String(error) }];
  }
}

/** Parses SQL with unknown values: as identifiers, or else as numbers. Statements that still can't be parsed are left out. */
export function parseWithUnknown(sql: string): readonly ParsedStatement[] {
  if (!sql.includes(UNKNOWN_VALUE)) return parseSql(sql);
  const isParsed = ({ actions }: ParsedStatement) => !actions.some(({ does }) => does === 'unparsed');
  const found = [UNKNOWN_VALUE, '1'].map((value) => parseSql(sql.replaceAll(UNKNOWN_VALUE, value)));
  return (found.find((parts) => parts.every(isParsed)) ?? found[0] ?? []).filter(isParsed);
}
