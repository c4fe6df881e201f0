import type { RevisionFacts } from '../contract/facts';
import { readable } from '../data-loss/find-losses';
import { acknowledge, unusedAcknowledgements } from './acknowledge';
import { type Finding, type Review, type ReviewedRevision, SEVERITIES } from './finding';
import type { ReviewInput, ReviewOptions } from './input';
import { notChecked, whyNotRun } from './not-checked';
import { type AnalyzedRevision, parseAhead } from './revision/analyzed-revision';
import { analyzeChange, type Change } from './revision/change';
import { CHECKS } from './rules';
import type { Rule, RuleFinding } from './rules/rule';
import { overBudget } from './sizes/budgets';
import { measurementOf } from './sizes/measured';
import { withSize } from './sizes/size';
import { loadParser } from './sql/parse';
import { squawk } from './squawk';

/** Parses a revision's statements ahead of `review`. */
export async function readAhead(facts: RevisionFacts): Promise<void> {
  await loadParser();
  parseAhead(facts);
}

/** Applies all rules to the revisions, the graph, env.py and the models. */
export async function review(input: ReviewInput, options: ReviewOptions): Promise<Review> {
  await loadParser();
  const change = analyzeChange(input);
  const off = new Set(disabledRules(options));
  const squawkFindings = squawk(change);
  squawkFindings.catch(() => {}); // It is awaited below.
  const own = CHECKS.flatMap((rule) => [...findingsOf(rule, change, options)]);
  const fromSquawk = await squawkFindings;
  const over = overBudget(change.revisions, own, input, options);
  const all = withoutRules(distinctFindings([...own, ...(fromSquawk ?? []), ...over]), off);
  const acknowledged = acknowledge(all, change);
  const unused = withoutRules(unusedAcknowledgements(all, change, off), off);
  const each = [...acknowledged, ...acknowledge(unused, change)].map((finding) => withConfiguredSeverity(finding, options));
  const findings = summarizeRepeated(sorted(oneErrorPerStatement(each, options), input));
  const open = findings.filter((finding) => finding.acknowledged === undefined);
  const errors = open.filter(({ severity }) => severity === 'error').length;
  const warnings = open.filter(({ severity }) => severity === 'warning').length;
  const unchecked = notChecked(input, change.revisions, options.allowNotReplayed ?? false);
  return {
    review: 1,
    version: options.version,
    ...(input.postgres === undefined ? {} : { postgres: input.postgres }),
    squawk: fromSquawk !== undefined,
    graph: input.graph,
    revisions: change.revisions.map((revision) => reviewedRevision(revision, input, options)),
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

function disabledRules({ rules }: ReviewOptions): readonly string[] {
  const optional = CHECKS.filter((rule) => rule.optional && rules[rule.id] === undefined).map(({ id }) => id);
  return [...optional, ...Object.keys(rules).filter((rule) => rules[rule] === 'off')];
}

/** Keeps one error per statement, that of its worst rule; the others are warnings until that one is acknowledged. */
function oneErrorPerStatement(findings: readonly Finding[], { rules }: ReviewOptions): readonly Finding[] {
  const groupOf = ({ rule }: Finding) => CHECKS.find(({ id }) => id === rule)?.group;
  const rank = (finding: Finding) => {
    const at = CHECKS.findIndex(({ id }) => id === finding.rule);
    return groupOf(finding) === 'data loss' ? at - CHECKS.length : at;
  };
  // An operation that was only read from the source has no statement. One may rename a column and make it NOT NULL, in two statements.
  const isOfStatement = (finding: Finding) =>
    finding.statement !== undefined ||
    (finding.seen === 'source' && (/^(?:locking|data loss)$/.test(groupOf(finding) ?? '') || finding.rule === 'required-column'));
  const key = ({ revision, line, direction, statement }: Finding) => [revision, line, direction, statement].join('\n');
  const errors = findings.filter(
    (finding) => finding.severity === 'error' && finding.acknowledged === undefined && isOfStatement(finding),
  );
  const worst = new Map([...errors].sort((one, other) => rank(other) - rank(one)).map((error) => [key(error), error.rule]));
  return findings.map((finding) =>
    errors.includes(finding) && finding.rule !== worst.get(key(finding)) && rules[finding.rule] !== 'error'
      ? { ...finding, severity: 'warning' }
      : finding,
  );
}

/** If a habit has more findings than this, only the first one is shown, with the count. */
const MAX_SHOWN = 5;

function summarizeRepeated(findings: readonly Finding[]): readonly Finding[] {
  const byHabit = new Map<string, Finding[]>();
  for (const finding of findings) {
    const habit = habitOf(finding);
    if (habit !== undefined) byHabit.set(habit, [...(byHabit.get(habit) ?? []), finding]);
  }
  return findings.flatMap((finding) => {
    const [first, ...others] = byHabit.get(habitOf(finding) ?? '') ?? [];
    if (others.length < MAX_SHOWN) return [finding];
    return first === finding ? [{ ...finding, message: `${finding.message} (${othersOf(first, others)})` }] : [];
  });
}

function habitOf({ rule, message, acknowledged }: Finding): string | undefined {
  const { group, habit } = CHECKS.find(({ id }) => id === rule) ?? {};
  if (acknowledged !== undefined || !(habit || group === 'conventions')) return undefined;
  return habit === 'of the message' ? `${rule}\n${message}` : rule;
}

function othersOf({ revision }: Finding, others: readonly Finding[]): string {
  const elsewhere = new Set(others.map((other) => other.revision).filter((other) => other !== revision)).size;
  if (!elsewhere) return `and ${others.length} more`;
  return `and in ${elsewhere === 1 ? '1 more revision' : `${elsewhere} more revisions`}`;
}

function* findingsOf(rule: Rule, change: Change, { sizes }: ReviewOptions): Iterable<Finding> {
  for (const revision of change.revisions) {
    const { facts } = revision;
    const measured = measurementOf(facts, change.input.measured, sizes);
    const typeOf = (table: string, column: string) =>
      [facts.after, facts.before].flatMap((all) => all[table]?.columns ?? []).find(({ name }) => name === column)?.type;
    const sized = (finding: Finding, { cost }: RuleFinding) =>
      sizes ? withSize(finding, cost, sizes, typeOf, measured) : finding;
    for (const found of oncePerLock(rule.check?.(revision, change) ?? [])) {
      yield sized(toFinding(rule, found, facts.revision, facts.file), found);
    }
  }
  for (const found of rule.checkProject?.(change) ?? []) yield toFinding(rule, found, found.revision, found.file);
}

/** Columns of one ALTER TABLE share its lock, its scan and its rewrite: only the first may be an error. */
function* oncePerLock(all: Iterable<RuleFinding>): Iterable<RuleFinding> {
  const locks = new Set<string>();
  for (const found of all) {
    const { line, direction, statement, cost } = found;
    const lock = [line, direction, statement, ...(cost?.tables ?? [])].join('\n');
    const isSame = statement !== undefined && cost !== undefined && locks.has(lock);
    locks.add(lock);
    yield isSame ? { ...found, atMost: 'warning' } : found;
  }
}

function toFinding(rule: Rule, found: RuleFinding, revision: string | undefined, file: string): Finding {
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
    message: readable(message),
    ...(instead === undefined ? {} : { instead: readable(instead) }),
    seen,
    ...(statement ? { statement: readable(statement) } : {}),
  };
}

function withConfiguredSeverity(found: Finding, { rules }: ReviewOptions): Finding {
  const setting = rules[found.rule];
  return setting === 'warn' || setting === 'error' ? { ...found, severity: setting === 'warn' ? 'warning' : 'error' } : found;
}

function distinctFindings(findings: readonly Finding[]): readonly Finding[] {
  // Two indexes that a batch builds have one line and one message, and each its own advice.
  const key = ({ rule, revision, line, direction, message, instead }: Finding) =>
    [rule, revision, line, direction, message, instead].join('\n');
  return [...new Map(findings.map((found) => [key(found), found])).values()];
}

function withoutRules(findings: readonly Finding[], off: ReadonlySet<string>): readonly Finding[] {
  return findings.filter(({ rule }) => !off.has(rule));
}

function sorted(findings: readonly Finding[], { revisions }: ReviewInput): readonly Finding[] {
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

function reviewedRevision({ facts, upgrade }: AnalyzedRevision, input: ReviewInput, { sizes }: ReviewOptions): ReviewedRevision {
  const { revision, message, file, downRevisions, upgrade: up, downgrade } = facts;
  const measured = measurementOf(facts, input.measured, sizes);
  const notReplayed = upgrade.replayed ? undefined : whyNotRun(facts);
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
