import type { BodyFacts } from '../../../contract/facts';
import { type FixableRevision, type NotFixed, withoutOwnCommits } from '../../../review';
import type { Attempt } from './attempt';
import { FixSearch } from './fix-search';
import { Repair } from './repair';

/** A revision that fails is repaired first. `notFixed` gets the findings that are left, with the reasons. */
export function startAttempt(given: FixableRevision, bodies: BodyFacts, notFixed: NotFixed[]): Attempt {
  const { one, notFixed: staying } = withoutOwnCommits(given, bodies);
  notFixed.push(...staying);
  return one.broken.length > 0 ? new Repair(one, bodies, notFixed) : new FixSearch(one, bodies, notFixed);
}
