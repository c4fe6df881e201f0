import type { Plan, Unproved } from '../../../review';

/** The search for what can be proved of one revision. */
export interface Attempt {
  /** Whether the plan is proved, apart from the other revisions. */
  readonly isProved: boolean;
  /** Whether each part must be reviewed, because the review of all is no better and does not say why. */
  readonly needsReview: boolean;
  /** What to prove next; undefined: nothing is left. */
  plan(): Plan | undefined;
  accept(): void;
  /** `all`: whether the reason applies to the whole revision. */
  reject(unproved: Unproved, all?: boolean): void;
}
