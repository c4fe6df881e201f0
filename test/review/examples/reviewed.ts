import { type Finding, type Review, type ReviewOptions, RULES } from '../../../lib/review';
import type { Case } from './project';

/** Off until a project turns them on: each is asked of its own examples only. */
const OFF = RULES.filter(({ optional }) => optional).map(({ id }) => id);
const OPTIONAL = [...OFF, 'budget'];

/** Every rule is on. */
export const ALL_RULES: ReviewOptions = {
  version: '0.0.0',
  rules: Object.fromEntries(OFF.map((id) => [id, 'warn' as const])),
  failOn: 'error',
  budgets: { rewrites: false },
};

/** What is open in the revisions of an example. */
export function findingsOf({ findings }: Review, one: Case): readonly Finding[] {
  return findings.filter(
    ({ rule, revision, acknowledged }) =>
      acknowledged === undefined && one.revisions.includes(revision ?? '') && (rule === one.rule || !OPTIONAL.includes(rule)),
  );
}
