import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { folderInRepository } from '../local/git';
import { readGraph } from '../local/observe';
import type { Review } from '../review/finding';
import { githubReport } from '../review/reports/github';
import { gitlabReport } from '../review/reports/gitlab';
import { jsonReport } from '../review/reports/json';
import { markdownReport } from '../review/reports/markdown';
import { sarifReport } from '../review/reports/sarif';
import { chooseRevisions } from './choose-revisions';
import { EXIT } from './exit-codes';
import type { Format } from './migrate-arguments';
import { type MigrateSession, withBackend } from './migrate-session';
import { reviewRevisions } from './review-revisions';
import type { Screen } from './screen';
import { showReview } from './show-review';

/** `migrate review` */
export async function review(session: MigrateSession): Promise<number> {
  const { screen, project, arguments: given } = session;
  const started = Date.now();
  const reviewed = await withBackend(session, 'scratch', async (observation) => {
    const graph = await readGraph(observation.observer);
    const chosen = await chooseRevisions(project, graph, given);
    screen.notes.fact('project', path.relative(process.cwd(), project) || '.');
    screen.notes.fact('reviewed', chosen.why);
    return reviewRevisions(session, observation, graph, chosen, started);
  });
  await report(session, reviewed);
  return reviewed.failed ? EXIT.failed : EXIT.done;
}

const REPORTS: Record<Exclude<Format, 'terminal'>, (review: Review, folder: string) => string> = {
  json: jsonReport,
  markdown: markdownReport,
  sarif: sarifReport,
  github: githubReport,
  gitlab: gitlabReport,
};

async function report({ screen, project, arguments: given }: MigrateSession, reviewed: Review): Promise<void> {
  const { format, output } = given;
  if (format === 'terminal' || output !== undefined) showReview(terminalOf(screen, given), reviewed);
  if (format === 'terminal') return;
  const text = REPORTS[format](reviewed, await folderInRepository(project));
  if (output === undefined) process.stdout.write(text);
  else writeFileSync(output, text);
}

/** A document alone on stdout is what a program reads. */
function terminalOf({ data, notes }: Screen, { format, output }: MigrateSession['arguments']) {
  return format === 'terminal' || output !== undefined ? data : notes;
}
