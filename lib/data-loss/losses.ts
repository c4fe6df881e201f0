import type { DataLossRule } from '../contract';
import { UNKNOWN_VALUE as UNKNOWN } from '../contract/facts';

/** What a statement destroys, or what could not be determined. */
export interface Loss {
  readonly rule: DataLossRule;
  /** Such as `DROP TABLE users`. */
  readonly what: string;
  /** Absent if the object is unknown. */
  readonly of?: LostObject;
  /** Whether Python has read the values before, and may keep all of them. */
  readonly readBefore?: true;
}

/** An object, or a column of one: what a loss is about. */
export interface LostObject {
  /** `rows` if the table itself stays. */
  readonly kind: 'table' | 'rows' | 'type' | 'schema' | 'sequence' | 'view' | 'extension' | 'other';
  /** As it is written, such as `shop.orders`. The contract's UNKNOWN_VALUE replaces an unknown part. */
  readonly name: string;
  readonly column?: string;
}

/** A line of an upgrade that destroys data, or may do so. */
export interface DestroyedData extends Loss {
  /** The line in the revision's file. */
  readonly line: number;
  /** Whether it only runs after a statement has failed, which aborts the transaction. */
  readonly onFailure?: true;
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
