import type { Finding } from './finding';
import type { Change } from './revision/change';
import { CHECKS, UNUSED_ACKNOWLEDGEMENT } from './rules';
import { BUDGET } from './sizes/budgets';

/** Adds the reason to each finding that a comment in the revision's file acknowledges. */
export function acknowledge(findings: readonly Finding[], change: Change): readonly Finding[] {
  const comments = new Map(change.revisions.map(({ facts }) => [facts.revision, facts.source.acknowledgements]));
  return findings.map((finding) => {
    const own = comments.get(finding.revision ?? '')?.filter(({ rule }) => rule === finding.rule) ?? [];
    // The last one above it, if the file has several.
    const comment = own.findLast(({ line }) => line <= finding.line) ?? own[0];
    return comment === undefined ? finding : { ...finding, acknowledged: comment.reason };
  });
}

/** Findings about acknowledging comments that match no finding: they would hide the rule's next finding. */
export function unusedAcknowledgements(
  findings: readonly Finding[],
  change: Change,
  off: ReadonlySet<string>,
): readonly Finding[] {
  const used = new Set(findings.map(({ revision, rule }) => `${revision} ${rule}`));
  return change.revisions.flatMap(({ facts, upgrade }) =>
    facts.source.acknowledgements.flatMap(({ rule, line }): Finding[] => {
      const known = CHECKS.some(({ id }) => id === rule) || rule.startsWith('squawk-');
      if (used.has(`${facts.revision} ${rule}`) || off.has(rule)) return [];
      // Whether it finds something depends on how the review runs: with `--measure`, or with the sizes of production.
      if (rule === BUDGET.id) return [];
      // Without a replay, what the rule would have found is unknown.
      if (known && !upgrade.replayed) return [];
      return [
        {
          rule: UNUSED_ACKNOWLEDGEMENT.id,
          severity: UNUSED_ACKNOWLEDGEMENT.severity,
          revision: facts.revision,
          file: facts.file,
          line,
          message: known
            ? `${rule} is acknowledged and finds nothing here: the comment would hide a later finding, so remove it`
            : `${rule} is acknowledged, but no rule has that name: the comment acknowledges nothing`,
          seen: 'source',
        },
      ];
    }),
  );
}
