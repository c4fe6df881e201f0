import { appendFileSync } from 'node:fs';
import type { Review } from '../../review/finding';
import { githubReport } from '../../review/reports/github';
import { markdownReport } from '../../review/reports/markdown';
import type { Terminal } from '../screen/terminal';

type Environment = Readonly<Record<string, string | undefined>>;

/** Annotations and the summary of the job, where GitHub runs this process. */
export function reviewOnGitHub(notes: Terminal, review: Review, folder: string, environment: Environment = process.env): void {
  const { GITHUB_ACTIONS, GITHUB_STEP_SUMMARY: file } = environment;
  if (GITHUB_ACTIONS !== 'true') return;
  const annotations = githubReport(review, folder).trimEnd();
  if (annotations !== '') notes.line(annotations);
  if (!file) return;
  try {
    appendFileSync(file, markdownReport(review));
  } catch (error) {
    notes.warning(`the job summary can't be written: ${(error as Error).message}`);
  }
}
