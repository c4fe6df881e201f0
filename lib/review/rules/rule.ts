import type { Finding, Severity } from '../finding';
import type { Change } from '../revision/change';
import type { Reviewed } from '../revision/reviewed';

export const GROUPS = [
  'locking',
  'data loss',
  'reversibility',
  'compatibility',
  'graph',
  'transactions',
  'env.py',
  'data migrations',
  'conventions',
  'drift',
  'review',
] as const;
export type RuleGroup = (typeof GROUPS)[number];

/** What the documentation and the settings know of a rule. */
export interface RuleInfo {
  readonly id: string;
  readonly group: RuleGroup;
  /** Where the project's settings say nothing else. */
  readonly severity: Severity;
  /** One line. */
  readonly title: string;
}

/** A finding before the rule's severity, the revision and its acknowledgements are known. */
export interface Found extends Pick<Finding, 'line' | 'direction' | 'message' | 'instead' | 'seen' | 'statement'> {
  /** It is a warning also where the rule is an error. */
  readonly atMost?: 'warning';
}

/** Looks at one revision, or at the graph, env.py and the models. */
export interface Rule extends RuleInfo {
  check?(revision: Reviewed, change: Change): Iterable<Found>;
  checkProject?(change: Change): Iterable<Found & { readonly file: string; readonly revision?: string }>;
}
