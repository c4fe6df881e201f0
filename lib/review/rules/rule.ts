import type { Finding, Severity } from '../finding';
import type { Change } from '../revision/change';
import type { Reviewed } from '../revision/reviewed';
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

/** What the documentation and the settings know about a rule. */
export interface RuleInfo {
  readonly id: string;
  readonly group: RuleGroup;
  /** Unless the project's settings say otherwise. */
  readonly severity: Severity;
  /** Whether it finds nothing until the project's settings turn it on. */
  readonly optional?: true;
  /** One line. */
  readonly title: string;
}

/** A finding before its severity, revision and acknowledgement are known. */
export interface Found extends Pick<Finding, 'line' | 'direction' | 'message' | 'instead' | 'seen' | 'statement'> {
  /** A warning even if the rule is an error. */
  readonly atMost?: 'warning';
  /** What it does to rows while it holds its lock. */
  readonly cost?: Cost;
}

/** Checks one revision, or the graph, env.py and the models. */
export interface Rule extends RuleInfo {
  check?(revision: Reviewed, change: Change): Iterable<Found>;
  checkProject?(change: Change): Iterable<Found & { readonly file: string; readonly revision?: string }>;
}
