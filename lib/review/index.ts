export { vagueDescription } from './description';
export { type Finding, type Review, type ReviewedRevision, SEVERITIES, type Severity } from './finding';
export { type ReviewInput, type ReviewOptions, RULE_SETTINGS, type RuleSetting } from './input';
export { review } from './review';
export { RULES } from './rules';
export type { RuleGroup, RuleInfo } from './rules/rule';
