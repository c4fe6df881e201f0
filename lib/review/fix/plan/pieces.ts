import type { BodyUnit, WantedPiece } from '../../../contract/facts';
import { autocommit, execute } from '../../advice/python';
import type { PlainStep } from '../../revision/steps';
import type { Phase } from '../form';

export const AUTOCOMMIT = 'with op.get_context().autocommit_block():';

export function addPiece(pieces: Map<Phase, WantedPiece[]>, phase: Phase, piece: WantedPiece): void {
  pieces.set(phase, [...(pieces.get(phase) ?? []), piece]);
}

/** A piece of code in its block: pieces in a row share one `with` or `if`. */
export function newPiece(lines: readonly string[], condition: string, outside = false): WantedPiece {
  if (!outside || !condition) return { code: lines.join('\n'), within: outside ? AUTOCOMMIT : condition };
  return { code: autocommit(...lines), within: condition };
}

/** One statement of a call that makes several, as SQL; undefined if it has parameters. */
export function statementPiece({ action, sql: own }: PlainStep, condition: string, sql = own): WantedPiece | undefined {
  return action.does === 'unparsed' || /\$1\b/.test(sql) ? undefined : newPiece([execute(sql)], condition);
}

export function keptPiece({ code, within, opened, isApart }: BodyUnit): WantedPiece {
  return { code, within, opened, isApart };
}

/** Moves statements in autocommit to the front: they commit everything before them. */
export function withAutocommitFirst(pieces: readonly WantedPiece[]): readonly WantedPiece[] {
  const firstStatement = (code: string) => code.split('\n').find((line) => !/^\s*(?:#|$)/.test(line));
  const outside = ({ within, code }: WantedPiece) =>
    within?.includes('autocommit_block') || firstStatement(code)?.startsWith(AUTOCOMMIT);
  return [...pieces.filter(outside), ...pieces.filter((piece) => !outside(piece))];
}
