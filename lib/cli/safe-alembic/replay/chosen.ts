/** What is reviewed. */
export interface Chosen {
  /** Ids, in the order in which they are applied. */
  readonly revisions: readonly string[];
  /** Why these, in words. */
  readonly why: string;
  /** Ids of revisions that the base branch does not have; none where git does not know: then each counts as a release of its own. */
  readonly unreleased: readonly string[];
  /** Files of revisions that the base branch has and that are not the same here. */
  readonly edited: readonly { readonly file: string; readonly how: 'changed' | 'removed' }[];
}
