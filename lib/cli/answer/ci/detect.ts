import type { Terminal } from '../../screen/terminal';
import { GitHubReport } from './github';
import { GitLabReport } from './gitlab';
import type { CiReport } from './report';

type Environment = Readonly<Record<string, string | undefined>>;

/** The report for the CI system that runs this process, detected by its environment variables. */
export function ciReport(notes: Terminal, environment: Environment = process.env): CiReport {
  if (environment.GITHUB_ACTIONS === 'true') return new GitHubReport(notes, environment.GITHUB_STEP_SUMMARY);
  if (environment.GITLAB_CI === 'true') return new GitLabReport(notes);
  return { section: (_, run) => run(), end: () => {} };
}
