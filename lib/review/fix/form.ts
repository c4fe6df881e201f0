import type { Step } from '../revision/reviewed';

/**
 * The revisions of a series, in order. Each is a transaction of its own, so that no lock is held while rows are read.
 *
 * `first`: what must be committed before the rest. `add`: what changes the catalog only, and the project's own statements. `fill`: rows
 * in batches. `guard`: a CHECK that unfilled rows would break. `build`: indexes, without a transaction. `validate`: rows are read, writes continue. `require`: what is proved by then.
 */
export const PHASES = ['first', 'add', 'fill', 'guard', 'build', 'validate', 'require'] as const;
export type Phase = (typeof PHASES)[number];

/** What a downgrade says of a revision that it need not undo. */
export const NOTHING_TO_UNDO: Partial<Record<Phase, string>> = {
  first: 'A value that nobody uses does no harm to the revision before.',
  fill: 'What was filled goes with its column.',
  validate: 'What has been validated does no harm to the revision before.',
};

export interface FormPart {
  readonly phase: Phase;
  /** Lines of Python. */
  readonly up: readonly string[];
  /** @default - nothing to undo */
  readonly down?: readonly string[];
  /** Whether it runs outside of Alembic's transaction. @default false */
  readonly autocommit?: boolean;
}

/** The safe form of one statement. */
export interface Form {
  readonly parts: readonly FormPart[];
  /** Whether a statement of the downgrade undoes the unsafe one, and is replaced as well. */
  readonly undoneBy: (step: Step) => boolean;
}

/** A statement for which there is no safe form, and why. */
export interface NoForm {
  readonly reason: string;
}
