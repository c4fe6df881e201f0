import type { Finding } from './finding';
import type { Change } from './revision/change';
import { CHECKS, UNUSED_ACKNOWLEDGEMENT } from './rules';
import { BUDGET } from './sizes/budgets';

/** Adds the reason to each finding that a comment in the revision's file acknowledges. */
export function acknowledge(findings: readonly Finding[], change: Change): readonly Finding[] {
  const reasons = new Map(
    change.revisions.flatMap(({ facts }) =>
      facts.source.acknowledgements.map(({ rule, reason }) => [`${facts.revision} ${rule}`, reason] as const),
    ),
  );
  return findings.map((finding) => {
    const reason = reasons.get(`${finding.revision} ${finding.rule}`);
    return reason === undefined ? finding : { ...finding, acknowledged: reason };
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
