import { withImports } from '../advice/batch-loop';
import { autocommit } from '../advice/python';
import type { PlainStep } from '../revision/steps';

/**
 * The revisions of a series, in order. Each is a transaction of its own, so that no lock is held while rows are read.
 *
 * - `values`: adds values to enums, outside of a transaction.
 * - `first`: drops indexes.
 * - `add`: changes the catalog only, and runs the project's own statements.
 * - `fill`: writes rows in batches.
 * - `guard`: adds a CHECK that unfilled rows would break.
 * - `build`: builds indexes outside of a transaction.
 * - `validate`: reads rows while writes continue.
 * - `require`: sets what is proved by then.
 * - `contract`: removes what served the running code. It belongs to the next release, so it is proved with the others and not written.
 */
export const PHASES = ['values', 'first', 'add', 'fill', 'guard', 'build', 'validate', 'require', 'contract'] as const;
export type Phase = (typeof PHASES)[number];

/** The messages of the revisions of a series, if the revision that they replace has none. */
export const TITLES: Readonly<Record<Phase, string>> = {
  values: 'Add enum values',
  first: 'Drop indexes concurrently',
  add: 'Change the catalog only',
  fill: 'Fill rows in batches',
  guard: 'Add checks for new rows',
  build: 'Build indexes concurrently',
  validate: 'Validate constraints',
  require: 'Set what is proved',
  contract: 'Drop what is replaced',
};

/** The docstring of a downgrade that has nothing to undo. */
export const NOTHING_TO_UNDO: Partial<Record<Phase, string>> = {
  values: 'An unused value does no harm to the revision before.',
  fill: 'The filled values are dropped with their column.',
  validate: 'A validated constraint does no harm to the revision before.',
};

export interface FormPart {
  readonly phase: Phase;
  /** Lines of Python. */
  readonly up: readonly string[];
  /** @default - nothing to undo */
  readonly down?: readonly string[];
  /** Whether it runs outside of Alembic's transaction. @default false */
  readonly autocommit?: boolean;
  /** Whether a second column takes over a name, which a later statement may mean. @default false */
  readonly takesName?: boolean;
}

/** The safe form of one statement. */
export interface SafeForm {
  readonly parts: readonly FormPart[];
  /** Whether a statement of the downgrade undoes the unsafe one, and is replaced as well. */
  readonly undoneBy: (step: PlainStep) => boolean;
  /** Whether another statement of the upgrade is part of the unsafe form. @default - none is */
  readonly replaces?: (step: PlainStep) => boolean;
  /** What to run before the statement instead, which then stays, if it is one of its own in an autocommit block. @default - it is replaced */
  readonly before?: readonly string[];
  /** Whether the statement stays, after the parts. @default false */
  readonly keeps?: boolean;
  /** The parts in a condition, which stays: the first part replaces the statement there. @default - the condition can't stay */
  readonly inCondition?: readonly FormPart[];
  /** Whether it is in a condition, with these parts. @default false */
  readonly isInCondition?: boolean;
  /** Whether its statement stays, and each table that the revision locks gets revisions of its own. @default false */
  readonly splits?: boolean;
  /** Whether it holds the values of parameters, so that these must be constants in the source. @default false */
  readonly hasValues?: boolean;
}

/** A statement for which there is no safe form, and why. */
export interface NoSafeForm {
  readonly reason: string;
}

/** The upgrades of the revisions that belong to this release, as advice. */
export function thisRelease({ parts }: SafeForm): string {
  const revisions = parts
    .filter(({ phase }) => phase !== 'contract')
    .map(({ up, autocommit: outside }) => (outside ? autocommit(...up) : withImports(up.join('\n'))));
  return revisions.join('\n# in the next revision:\n');
}
