import type { Finding, Severity } from '../finding';
import type { AnalyzedRevision } from '../revision/analyzed-revision';
import type { Change } from '../revision/change';
import type { Cost } from '../sizes/cost';

const GROUPS = [
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

/** A rule's entry in the documentation and the settings. */
export interface RuleInfo {
  readonly id: string;
  readonly group: RuleGroup;
  /** The severity of its findings, unless the project's settings say otherwise. */
  readonly severity: Severity;
  /** Whether the rule is off until the project's settings turn it on. */
  readonly optional?: true;
  /**
   * If its findings show a habit of the whole project, many of them are shown as one: all of the rule, as always in the group
   * `conventions`, or those with the same message.
   */
  readonly habit?: 'of the rule' | 'of the message';
  /** One line. */
  readonly title: string;
}

/** A finding before its severity, revision and acknowledgement are known. */
export interface RuleFinding extends Pick<Finding, 'line' | 'direction' | 'message' | 'instead' | 'seen' | 'statement'> {
  /** Limits the severity to a warning. */
  readonly atMost?: 'warning';
  /** The work on rows while the lock is held. */
  readonly cost?: Cost;
}

/** Checks one revision, or the graph, env.py and the models. */
export interface Rule extends RuleInfo {
  check?(revision: AnalyzedRevision, change: Change): Iterable<RuleFinding>;
  checkProject?(change: Change): Iterable<RuleFinding & { readonly file: string; readonly revision?: string }>;
}
