import { type RevisionFacts, UNKNOWN_VALUE } from '../contract/facts';
import { acknowledge, unusedAcknowledgements } from './acknowledge';
import { type Finding, type Review, type ReviewedRevision, SEVERITIES } from './finding';
import type { ReviewInput, ReviewOptions } from './input';
import { notChecked } from './not-checked';
import { type Change, understandChange } from './revision/change';
import { parseAhead, type Reviewed } from './revision/reviewed';
import { CHECKS } from './rules';
import type { Found, Rule } from './rules/rule';
import { overBudget } from './sizes/budgets';
import { measuredOf } from './sizes/measured';
import { withSize } from './sizes/size';
import { loadParser } from './sql/parse';
import { squawk } from './squawk';

/** Parses a revision's statements, so that `review` need not. */
export async function readAhead(facts: RevisionFacts): Promise<void> {
  await loadParser();
  parseAhead(facts);
}

/** Judges what the replay observed. */
export async function review(input: ReviewInput, options: ReviewOptions): Promise<Review> {
  await loadParser();
  const change = understandChange(input);
  const off = new Set(offRules(options));
  const others = squawk(change);
  others.catch(() => {}); // It is awaited below.
  const own = CHECKS.flatMap((rule) => [...findingsOf(rule, change, options)]);
  const more = await others;
  const over = overBudget(change.revisions, own, input, options);
  const all = without(distinct([...own, ...(more ?? []), ...over]), off);
  const acknowledged = acknowledge(all, change);
  const unused = without(unusedAcknowledgements(all, change, off), off);
  const each = [...acknowledged, ...acknowledge(unused, change)].map((finding) => withSetting(finding, options));
  const findings = withoutHabits(inOrder(oneErrorEach(each, options), input));
  const open = findings.filter((finding) => finding.acknowledged === undefined);
  const errors = open.filter(({ severity }) => severity === 'error').length;
  const warnings = open.filter(({ severity }) => severity === 'warning').length;
  const unchecked = notChecked(input, change.revisions, options.allowNotReplayed ?? false);
  return {
    review: 1,
    version: options.version,
    ...(input.postgres === undefined ? {} : { postgres: input.postgres }),
    squawk: more !== undefined,
    graph: input.graph,
    revisions: change.revisions.map((revision) => shown(revision, input, options)),
    findings,
    summary: {
      revisions: change.revisions.length,
      replayed: change.revisions.filter(({ upgrade }) => upgrade.replayed).length,
      ...(input.restored ? { restored: input.restored } : {}),
      errors,
      warnings,
      ...(options.sizes ? { notes: open.length - errors - warnings } : {}),
      acknowledged: findings.length - open.length,
      milliseconds: Date.now() - input.started,
    },
    ...(unchecked === undefined ? {} : { notChecked: unchecked }),
    ...(input.drift?.reason === undefined ? {} : { notCompared: input.drift.reason }),
    failed:
      unchecked !== undefined || (options.failOn !== 'never' && errors > 0) || (options.failOn === 'warning' && warnings > 0),
  };
}

function offRules({ rules }: ReviewOptions): readonly string[] {
  const optional = CHECKS.filter((rule) => rule.optional && rules[rule.id] === undefined).map(({ id }) => id);
  return [...optional, ...Object.keys(rules).filter((rule) => rules[rule] === 'off')];
}

/** A statement gets the error of its worst rule; the others become warnings, until that one is acknowledged. */
function oneErrorEach(findings: readonly Finding[], { rules }: ReviewOptions): readonly Finding[] {
  const rank = ({ rule }: Finding) => {
    const at = CHECKS.findIndex(({ id }) => id === rule);
    return CHECKS[at]?.group === 'data loss' ? at - CHECKS.length : at;
  };
  const key = ({ revision, line, direction, statement }: Finding) => [revision, line, direction, statement].join('\n');
  const errors = findings.filter(
    ({ severity, acknowledged, statement }) => severity === 'error' && acknowledged === undefined && statement !== undefined,
  );
  const worst = new Map([...errors].sort((one, other) => rank(other) - rank(one)).map((error) => [key(error), error.rule]));
  return findings.map((finding) =>
    errors.includes(finding) && finding.rule !== worst.get(key(finding)) && rules[finding.rule] !== 'error'
      ? { ...finding, severity: 'warning' }
      : finding,
  );
}

/** If a project breaks a convention more often than this, only the first finding is shown, with the count. */
const HABIT = 5;

function withoutHabits(findings: readonly Finding[]): readonly Finding[] {
  const conventions = new Set(CHECKS.filter(({ group }) => group === 'conventions').map(({ id }) => id));
  const open = findings.filter(({ rule, acknowledged }) => conventions.has(rule) && acknowledged === undefined);
  const habits = new Map<string, readonly Finding[]>();
  for (const { rule } of open) {
    const all = open.filter((finding) => finding.rule === rule);
    if (all.length > HABIT) habits.set(rule, all);
  }
  return findings.flatMap((finding) => {
    const all = finding.acknowledged === undefined ? habits.get(finding.rule) : undefined;
    if (!all) return [finding];
    if (all[0] !== finding) return [];
    return [{ ...finding, message: `${finding.message} (and in ${all.length - 1} more revisions)` }];
  });
}

function* findingsOf(rule: Rule, change: Change, { sizes }: ReviewOptions): Iterable<Finding> {
  for (const revision of change.revisions) {
    const { facts } = revision;
    const measured = measuredOf(facts, change.input.measured, sizes);
    const typeOf = (table: string, column: string) =>
      [facts.after, facts.before].flatMap((all) => all[table]?.columns ?? []).find(({ name }) => name === column)?.type;
    const sized = (finding: Finding, { cost }: Found) => (sizes ? withSize(finding, cost, sizes, typeOf, measured) : finding);
    for (const found of rule.check?.(revision, change) ?? []) {
      yield sized(finding(rule, found, facts.revision, facts.file), found);
    }
  }
  for (const found of rule.checkProject?.(change) ?? []) yield finding(rule, found, found.revision, found.file);
}

function finding(rule: Rule, found: Found, revision: string | undefined, file: string): Finding {
  const { line, direction, message, instead, seen, statement, atMost } = found;
  // Downgrades of production are rare and watched: their locks are worth a warning and do not stop a release.
  const severity = direction === 'downgrade' && rule.group === 'locking' ? 'warning' : (atMost ?? rule.severity);
  return {
    rule: rule.id,
    severity,
    ...(revision === undefined ? {} : { revision }),
    file,
    line,
    ...(direction === undefined ? {} : { direction }),
    message: withoutUnknown(message),
    ...(instead === undefined ? {} : { instead: withoutUnknown(instead) }),
    seen,
    ...(statement ? { statement: withoutUnknown(statement) } : {}),
  };
}

/** What the source does not tell, such as a name that comes from the database. */
function withoutUnknown(text: string): string {
  return text.replaceAll(`${UNKNOWN_VALUE}.`, '').replaceAll(UNKNOWN_VALUE, '...');
}

function withSetting(found: Finding, { rules }: ReviewOptions): Finding {
  const setting = rules[found.rule];
  return setting === 'warn' || setting === 'error' ? { ...found, severity: setting === 'warn' ? 'warning' : 'error' } : found;
}

function distinct(findings: readonly Finding[]): readonly Finding[] {
  // Two indexes that a batch builds have one line and one message, and each its own advice.
  const key = ({ rule, revision, line, direction, message, instead }: Finding) =>
    [rule, revision, line, direction, message, instead].join('\n');
  return [...new Map(findings.map((found) => [key(found), found])).values()];
}

function without(findings: readonly Finding[], off: ReadonlySet<string>): readonly Finding[] {
  return findings.filter(({ rule }) => !off.has(rule));
}

function inOrder(findings: readonly Finding[], { revisions }: ReviewInput): readonly Finding[] {
  const order = new Map(revisions.map(({ revision }, at) => [revision, at]));
  const rank = (found: Finding) => [
    found.acknowledged === undefined ? 0 : 1,
    SEVERITIES.indexOf(found.severity),
    found.revision === undefined ? -1 : (order.get(found.revision) ?? revisions.length),
    found.line,
  ];
  return [...findings].sort((one, other) => {
    const [left, right] = [rank(one), rank(other)];
    return left.map((value, at) => value - (right[at] ?? 0)).find((difference) => difference !== 0) ?? 0;
  });
}

function shown({ facts, upgrade }: Reviewed, input: ReviewInput, { sizes }: ReviewOptions): ReviewedRevision {
  const { revision, message, file, downRevisions, upgrade: up, downgrade } = facts;
  const measured = measuredOf(facts, input.measured, sizes);
  const notReplayed = upgrade.replayed ? undefined : (up.failure?.message ?? up.reason ?? 'it was not run');
  return {
    revision,
    message,
    file,
    downRevisions,
    upgrade: up,
    downgrade,
    ...(measured ? { measured } : {}),
    ...(notReplayed === undefined ? {} : { notReplayed }),
  };
}
