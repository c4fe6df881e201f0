import type { Review } from '../../../review/finding';
import { githubReport } from '../../../review/reports/github';
import { markdownReport } from '../../../review/reports/markdown';
import { addToJobSummary } from '../../answer/ci/job-summary';
import type { Terminal } from '../../screen/terminal';

type Environment = Readonly<Record<string, string | undefined>>;

/** Annotations and the job summary, if GitHub runs this process. */
export function onGitHub(notes: Terminal, review: Review, folder: string, environment: Environment = process.env): void {
  const { GITHUB_ACTIONS, GITHUB_STEP_SUMMARY: file } = environment;
  if (GITHUB_ACTIONS !== 'true') return;
  const annotations = githubReport(review, folder).trimEnd();
  if (annotations !== '') notes.line(annotations);
  addToJobSummary(notes, markdownReport(review), file);
}
