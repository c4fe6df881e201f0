import type { RevisionFacts } from '../../contract/facts';
import type { ReviewInput } from '../input';
import { NOTHING_CREATED } from './created';
import { type Reviewed, understand } from './reviewed';

/** Everything that is reviewed together. */
export interface Change {
  readonly input: ReviewInput;
  readonly revisions: readonly Reviewed[];
  readonly isUnreleased: (revision: string) => boolean;
  /** Those that are applied before it. */
  readonly before: (revision: Reviewed) => readonly Reviewed[];
  /** Those that are applied after it. */
  readonly after: (revision: Reviewed) => readonly Reviewed[];
}

export function understandChange(input: ReviewInput): Change {
  const unreleased = new Set(input.unreleased);
  let made = NOTHING_CREATED;
  const revisions = input.revisions.map((facts: RevisionFacts) => {
    const understood = understand(facts, unreleased.has(facts.revision) ? made : NOTHING_CREATED);
    if (unreleased.has(facts.revision)) made = understood.made;
    return understood.reviewed;
  });
  return {
    input,
    revisions,
    isUnreleased: (revision) => unreleased.has(revision),
    before: (revision) => revisions.slice(0, revisions.indexOf(revision)),
    after: (revision) => revisions.slice(revisions.indexOf(revision) + 1),
  };
}
