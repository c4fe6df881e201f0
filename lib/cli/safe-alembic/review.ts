import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { folderInRepository } from '../../local/git';
import { readGraph } from '../../local/observe';
import type { Review } from '../../review/finding';
import { githubReport } from '../../review/reports/github';
import { gitlabReport } from '../../review/reports/gitlab';
import { htmlReport } from '../../review/reports/html';
import { jsonReport } from '../../review/reports/json';
import { markdownReport } from '../../review/reports/markdown';
import { sarifReport } from '../../review/reports/sarif';
import { EXIT } from '../answer/exit-codes';
import type { ReportFormat } from './arguments';
import { chooseRevisions } from './choose-revisions';
import { reviewOnGitHub } from './review-on-github';
import { reviewRevisions } from './review-revisions';
import { type MigrateSession, withBackend } from './session';
import { showReview } from './show-review';

/** `safe-alembic review` */
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

const REPORTS: Record<ReportFormat, (review: Review, folder: string) => string> = {
  json: jsonReport,
  markdown: markdownReport,
  sarif: sarifReport,
  github: githubReport,
  gitlab: gitlabReport,
  html: htmlReport,
};

async function report({ screen, project, arguments: given }: MigrateSession, reviewed: Review): Promise<void> {
  const folder = await folderInRepository(project);
  if (given.format === 'terminal') showReview(screen.data, reviewed);
  else process.stdout.write(REPORTS[given.format](reviewed, folder));
  for (const { format, file } of given.reports) writeFileSync(file, REPORTS[format](reviewed, folder));
  if (given.format !== 'github') reviewOnGitHub(screen.notes, reviewed, folder);
}
