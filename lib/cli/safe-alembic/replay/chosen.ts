/** The revisions to review. */
export interface Chosen {
  /** Ids, in order of application. */
  readonly revisions: readonly string[];
  /** Why these were chosen, for a message. */
  readonly why: string;
  /**
   * Ids of revisions that the base branch does not have. Empty if git can't determine it: each revision is its own release
   * then.
   */
  readonly unreleased: readonly string[];
  /** Files of revisions that differ from the base branch. */
  readonly edited: readonly { readonly file: string; readonly how: 'changed' | 'removed' }[];
}
