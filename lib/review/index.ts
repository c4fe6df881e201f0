export { type Backfill, readBackfill } from './advice/backfill';
export { fillColumn } from './advice/batch-loop';
export { isVagueDescription as vagueDescription } from './description';
export { type Finding, type Fixes, type Review, type ReviewedRevision, SEVERITIES, type Severity } from './finding';
export {
  blame,
  draftFixes,
  type FixableRevision,
  hasSafeForm,
  isFixedInOneTransaction,
  isUpgraded,
  laterCode,
  type NotFixed,
  namesTable,
  type Plan,
  type Planned,
  plan,
  seriesOf,
  shapeOf,
  type Unproved,
  whatFails,
  wholeSeriesOf,
  whyDifferent,
  whyNoBetter,
  whyNotUndone,
  withoutOwnCommits,
} from './fix';
export type { ReviewInput, ReviewOptions } from './input';
export { readAhead, review } from './review';
export { startingPoint } from './revision/starting-point';
export { RULES } from './rules';
export type { RuleGroup, RuleInfo } from './rules/rule';
export { loadParser } from './sql/parse';
