/** The revisions to review. */
export interface Chosen {
  /** Ids, in the order in which they are applied. */
  readonly revisions: readonly string[];
  /** Why these, in words. */
  readonly why: string;
  /** Ids of revisions that the base branch does not have. Empty if git does not know: then each revision is its own release. */
  readonly unreleased: readonly string[];
  /** Files of revisions that differ from the base branch. */
  readonly edited: readonly { readonly file: string; readonly how: 'changed' | 'removed' }[];
}
