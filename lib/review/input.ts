import type { DriftFacts, EnvironmentFacts, GraphFacts, RevisionFacts } from '../contract/facts';
import type { FailOn, RuleLevel } from '../local/settings';

/** What a review is made of. */
export interface ReviewInput {
  readonly graph: GraphFacts;
  /** The revisions to judge, in the order in which they are applied. */
  readonly revisions: readonly RevisionFacts[];
  /**
   * Ids of revisions that go to production together, because the base branch has none of them: a table that one of them makes is
   * new for the others.
   */
  readonly unreleased: readonly string[];
  /** Files of revisions that the base branch has and that are not the same here, relative to the project's folder. */
  readonly edited: readonly { readonly file: string; readonly how: 'changed' | 'removed' }[];
  readonly environment?: EnvironmentFacts;
  readonly drift?: DriftFacts;
  /** Of the server that the revisions were replayed on, such as `18.4`. */
  readonly postgres?: string;
  /** When the review was begun, as `Date.now()` gives it. */
  readonly started: number;
}

export interface ReviewOptions {
  /** Whether revisions that can't be replayed may pass on their source alone. @default false */
  readonly allowNotReplayed?: boolean;
  /** Of the package. */
  readonly version: string;
  /** What a project makes of a rule, by its id. */
  readonly rules: Readonly<Record<string, RuleLevel>>;
  readonly failOn: FailOn;
}
