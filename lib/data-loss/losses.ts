import type { DataLossRule } from '../contract';
import { UNKNOWN_VALUE as UNKNOWN } from '../contract/facts';

/** What a statement destroys, or what could not be determined. */
export interface Loss {
  readonly rule: DataLossRule;
  /** Such as `DROP TABLE users`. */
  readonly what: string;
}

/** A line of an upgrade that destroys data, or may do so. */
export interface DestroyedData extends Loss {
  /** The line in the revision's file. */
  readonly line: number;
}

/** A loss, unless the revision keeps what it is about. */
export function unless(isKept: boolean, loss: Loss, { excused }: { readonly excused: Loss[] }): readonly Loss[] {
  if (!isKept) return [loss];
  excused.push(loss);
  return [];
}

export function unreadable(text: string): Loss {
  const start = text.replaceAll(UNKNOWN, '...').replace(/\s+/g, ' ').slice(0, 60);
  return { rule: 'unread-sql', what: `runs SQL that can't be read: ${start}` };
}
