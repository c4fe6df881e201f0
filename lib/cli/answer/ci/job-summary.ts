import { appendFileSync } from 'node:fs';
import type { Terminal } from '../../screen/terminal';

/**
 * Adds Markdown to the summary of a GitHub job. A failure is only a warning: the command's result does not depend on it.
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
