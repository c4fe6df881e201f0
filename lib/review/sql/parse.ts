import { blockStatements, parseStatements } from '../../sql/parse';
import type { Action } from './action';
import { actionsOf } from './statements';

export { loadParser, longNames, parseNode } from '../../sql/parse';

/** One statement of a text, by PostgreSQL's own grammar. */
export interface ParsedStatement {
  readonly text: string;
  /** Lines before it within the text. */
  readonly line: number;
  /** What it does, one action for each part of an ALTER TABLE; `unparsed` when the grammar refuses it. */
  readonly actions: readonly Action[];
}

/** Those that were parsed: a revision's statements are read while the next one is replayed, and judged in the end. */
const known = new Map<string, readonly ParsedStatement[]>();

/** The statements of a text. What can't be parsed is kept as `unparsed`. */
export function parseSql(sql: string): readonly ParsedStatement[] {
  const parsed = known.get(sql) ?? parse(sql);
  known.set(sql, parsed);
  return parsed;
}

function parse(sql: string): readonly ParsedStatement[] {
  return parseStatements(sql).map(({ text, line, node, why = '' }) => {
    if (!node) return { text, line, actions: [{ does: 'unparsed', why }] };
    return { text, line, actions: 'DoStmt' in node ? blockActions(text) : actionsOf(node, text) };
  });
}

function inALoop(action: Action): Action {
  return action.does === 'update' || action.does === 'delete' ? { ...action, inLoop: true } : action;
}

/** What the statements of an anonymous block do. Statements that it puts together at run time can't be told. */
function blockActions(block: string): readonly Action[] {
  try {
    return blockStatements(block).flatMap(({ kind, query, inLoop }) => {
      if (kind === 'assign' || kind === 'refuse') return [];
      const literal = kind === 'execute' ? /^\s*'((?:[^']|'')*)'\s*$/.exec(query)?.[1]?.replaceAll("''", "'") : query;
      const actions = literal ? parseSql(literal).flatMap((statement) => statement.actions) : [];
      return inLoop ? actions.map(inALoop) : actions;
    });
  } catch (error) {
    return [{ does: 'unparsed', why: String(error) }];
  }
}
