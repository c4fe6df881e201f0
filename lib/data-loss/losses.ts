import type { DataLossRule } from '../contract';
import { UNKNOWN_VALUE as UNKNOWN } from '../contract/facts';

/** What a statement destroys, or that nobody can tell. */
export interface Loss {
  readonly rule: DataLossRule;
  /** Such as `DROP TABLE users`. */
  readonly what: string;
}

/** A place in an upgrade that destroys data, or of which nobody can tell. */
export interface DestroyedData extends Loss {
  /** In the revision's file. */
  readonly line: number;
}

export function unreadable(text: string): Loss {
  const start = text.replaceAll(UNKNOWN, '...').replace(/\s+/g, ' ').slice(0, 60);
  return { rule: 'unread-sql', what: `runs SQL that can't be read: ${start}` };
}
