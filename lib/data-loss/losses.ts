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

/** The loss, unless the revision keeps the data: then it is recorded as avoided. */
export function lossUnless(isKept: boolean, loss: Loss, { avoided }: { readonly avoided: Loss[] }): readonly Loss[] {
  if (!isKept) return [loss];
  avoided.push(loss);
  return [];
}

export function unreadableSql(text: string): Loss {
  const start = text.replaceAll(UNKNOWN, '...').replace(/\s+/g, ' ').slice(0, 60);
  return { rule: 'unread-sql', what: `runs SQL that can't be read: ${start}` };
}
