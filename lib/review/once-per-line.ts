import type { Finding, Review } from './finding';
import { nameList } from './rules/name-list';

/** A line with more findings of one rule is a loop: one finding names the others. */
const MAX_PER_LINE = 3;

/** The review for a reader: what a loop does to each of many objects is one finding. `--fix` needs each of them. */
export function oncePerLine<Reviewed extends Pick<Review, 'findings' | 'summary'>>(review: Reviewed): Reviewed {
  const byLine = new Map<string, Finding[]>();
  for (const finding of review.findings) byLine.set(lineKey(finding), [...(byLine.get(lineKey(finding)) ?? []), finding]);
  const findings = review.findings.flatMap((finding) => {
    const [first = finding, ...more] = byLine.get(lineKey(finding)) ?? [];
    if (more.length < MAX_PER_LINE) return [finding];
    return finding === first ? [{ ...first, message: `${first.message} (${alsoFor(first, more)})` }] : [];
  });
  const count = (severity: Finding['severity']) =>
    findings.filter((finding) => finding.severity === severity && finding.acknowledged === undefined).length;
  return { ...review, findings, summary: { ...review.summary, errors: count('error'), warnings: count('warning') } };
}

function lineKey({ rule, severity, file, line, direction, acknowledged }: Finding): string {
  return [rule, severity, file, line, direction, acknowledged].join('\n');
}

/** `also for users.email, users.age, users.plan and 9 more`: the first word in which each message differs. */
function alsoFor({ message }: Finding, more: readonly Finding[]): string {
  const words = message.split(' ');
  const differing = more.map((other) => other.message.split(' ').find((word, at) => word !== words[at]) ?? '');
  const names = [...new Set(differing.map((word) => word.replace(/[,;:]$/, '')))];
  return `also for ${nameList(names)}`;
}
