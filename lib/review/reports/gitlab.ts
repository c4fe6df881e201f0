import { plain } from '../../text/plain';
import type { Review } from '../finding';
import { withFingerprints } from './fingerprint';
import { explanationOf } from './phrases';
import { repositoryPath } from './repository-path';

const SEVERITIES = { error: 'critical', warning: 'minor', note: 'info' };

/**
 * Unacknowledged findings as GitLab Code Quality, which a merge request shows beside the lines.
 * https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
 *
 * @param folder the project's folder from the repository's root
 */
export function gitlabReport({ findings }: Review, folder: string): string {
  const issues = withFingerprints(findings)
    .filter(({ finding }) => finding.acknowledged === undefined)
    .map(({ fingerprint, finding: { rule, severity, file, line, message } }) => ({
      description: `${plain(message)} (more: ${explanationOf(rule)})`,
      check_name: rule,
      fingerprint,
      severity: SEVERITIES[severity],
      location: { path: repositoryPath(folder, file), lines: { begin: line } },
    }));
  return `${JSON.stringify(issues, null, 2)}\n`;
}
