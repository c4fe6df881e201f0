/** The work of a statement on rows while it holds its lock. */
export interface Cost {
  readonly work: Work;
  /** The tables whose rows it reads or writes. */
  readonly tables: readonly string[];
  /** Columns of the index that it builds; an expression is null. */
  readonly columns?: readonly (string | null)[];
  /** The table that each row is looked up in. */
  readonly references?: string;
}

/**
 * - `scan`: reads every row
 * - `look up`: reads every row and looks it up in another table
 * - `index`: reads every row and builds an index
 * - `reindex`: builds the table's indexes again
 * - `rewrite`: writes every row and builds every index again
 * - `change`: changes rows one by one: how many, and so for how long, is not known
 */
export type Work = 'scan' | 'look up' | 'index' | 'reindex' | 'rewrite' | 'change';
