import { appendFileSync } from 'node:fs';
import type { Terminal } from '../../screen/terminal';

/**
 * Adds Markdown to the summary of a GitHub job. If that fails, a warning says so: the result of the command does not depend on it.
 *
 * @param file GITHUB_STEP_SUMMARY
 */
export function addToJobSummary(notes: Terminal, markdown: string, file: string | undefined): void {
  if (!file) return;
  try {
    appendFileSync(file, markdown);
  } catch (error) {
    notes.warning(`the job summary can't be written: ${(error as Error).message}`);
  }
}
