import type { Finding } from '../finding';
import { unqualifiedName } from '../revision/tables';
import type { FormPart } from './form';
import type { Fixable } from './plan/plan';
import { objectsOf } from './plan/statements';

/** Why fixes are not proved. */
export interface Unproved {
  readonly reason: string;
  /** The statement that failed. @default - the reason names what differs */
  readonly clue?: string | undefined;
  /** The findings that the review has not lost. @default - unknown */
  readonly left?: readonly Finding[];
  /** A table without rows in the proof: nothing that fills it is proved. @default - there is none */
  readonly emptied?: string;
  /** Whether only a review shows it. @default false */
  readonly seenInReview?: boolean;
}

/** The fixes that a failure is probably about. */
export interface Blamed {
  readonly fixable: readonly Fixable[];
  /** Whether it is about all of them: their own statement failed, for example. @default false */
  readonly isCertain?: boolean;
}

/** Finds the fixes that a failure is about. */
export function blame(fixable: readonly Fixable[], { reason, clue = reason, left, emptied }: Unproved): Blamed {
  if (left) return { fixable: fixable.filter(({ finding }) => left.includes(finding)), isCertain: true };
  if (emptied !== undefined) {
    const fills = ({ phase, up }: FormPart) => phase === 'fill' && namesTable(up.join('\n'), emptied);
    return { fixable: fixable.filter(({ form }) => form.parts.some(fills)), isCertain: true };
  }
  const words = wordsOf(clue);
  const own = fixable.filter(({ form }) => form.parts.some(({ up, down = [] }) => hasWords([...up, ...down], words)));
  if (own.length > 0) return { fixable: own, isCertain: true };
  const named = new Set(words.split(' '));
  const onTable = fixable.filter(({ step: { action } }) => 'table' in action && named.has(unqualifiedName(action.table)));
  const onObject = onTable.filter(({ step }) => objectsOf(step).some((name) => named.has(lastName(name))));
  return { fixable: onObject.length > 0 ? onObject : onTable };
}

/** What fixes of the same kind have in common: the rule, the action, and the code of the form without its literals, which hold all names. */
export function shapeOf({ finding: { rule }, step: { action }, form }: Fixable): string {
  const code = form.parts.map(({ phase, up, down = [] }) => [phase, ...up, ...down].join('\n')).join('\n');
  const type = action.does === 'change type' ? action.type : '';
  return [rule, action.does, type, code.replace(/"(?:[^"\\]|\\.)*"/g, '_')].join('\n');
}

/** Whether SQL, or code with it, names a table. One that is not in `public` has its schema before it. */
export function namesTable(text: string, table: string): boolean {
  return ` ${wordsOf(text)} `.includes(` ${wordsOf(table)} `);
}

function hasWords(code: readonly string[], words: string): boolean {
  return words.includes(' ') && ` ${wordsOf(code.join(' '))} `.includes(` ${words} `);
}

/** The words of a text, so that a statement can be found in the Python code that has it as a literal of several lines. */
function wordsOf(text: string): string {
  return (text.match(/[\p{L}\p{N}_]+/gu) ?? []).join(' ');
}

function lastName(name: string): string {
  return name.slice(Math.max(name.lastIndexOf('.'), name.lastIndexOf(' ')) + 1);
}
