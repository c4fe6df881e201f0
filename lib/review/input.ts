import type { DriftFacts, EnvironmentFacts, GraphFacts, MeasuredFacts, RevisionFacts } from '../contract/facts';
import type { Budgets } from '../local/limits';
import type { FailOn, RuleLevel } from '../local/settings';
import type { Sizes } from './sizes/size';

/** What a review needs. */
export interface ReviewInput {
  readonly graph: GraphFacts;
  /** The revisions to judge, in the order in which they are applied. */
  readonly revisions: readonly RevisionFacts[];
  /**
   * Ids of revisions that go to production together, because the base branch has none of them: a table that one of them creates is
   * new for the others.
   */
  readonly unreleased: readonly string[];
  /** Files of revisions that differ from the base branch, relative to the project's folder. */
  readonly edited: readonly { readonly file: string; readonly how: 'changed' | 'removed' }[];
  readonly environment?: EnvironmentFacts;
  /** Whether `alembic upgrade` runs the revisions in production, and not the runner, which sets `lock_timeout`. @default false */
  readonly plainAlembic?: boolean;
  readonly drift?: DriftFacts;
  /** Of revisions that were run on filled tables. @default - none */
  readonly measured?: readonly MeasuredFacts[];
  /** Version of the server that replayed the revisions, such as `18.4`. */
  readonly postgres?: string;
  /** How many earlier revisions were restored from the cache instead of run. @default 0 */
  readonly restored?: number;
  /** When the review started, as `Date.now()` returns it. */
  readonly started: number;
}

export interface ReviewOptions {
  /** Whether revisions that can't be replayed may pass on their source. @default false */
  readonly allowNotReplayed?: boolean;
  /** Of the package. */
  readonly version: string;
  /** The project's setting for each rule, by id. */
  readonly rules: Readonly<Record<string, RuleLevel>>;
  readonly failOn: FailOn;
  /** Sizes of production. @default - locks are judged whatever the size of their tables */
  readonly sizes?: Sizes;
  /** What an upgrade may do to production at most. @default - anything */
  readonly budgets?: Budgets;
}
