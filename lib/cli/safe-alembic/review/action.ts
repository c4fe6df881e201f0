import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { folderInRepository } from '../../../local/git';
import { readGraph } from '../../../local/python/observe';
import type { Review } from '../../../review/finding';
import { githubReport } from '../../../review/reports/github';
import { gitlabReport } from '../../../review/reports/gitlab';
import { htmlReport } from '../../../review/reports/html';
import { jsonReport } from '../../../review/reports/json';
import { markdownReport } from '../../../review/reports/markdown';
import { sarifReport } from '../../../review/reports/sarif';
import { exitCodeOfReview } from '../replay/exit-code';
import { reviewRevisions } from '../replay/review-revisions';
import { showReview } from '../replay/show-review';
import { type Session, withScratchDatabase } from '../session';
import type { ReportFormat, ReviewArguments } from './arguments';
import { chooseRevisions } from './choose-revisions';
import { onGitHub } from './on-github';

/** Reviews revisions, and writes the reports. */
export async function review(session: Session, given: ReviewArguments): Promise<number> {
  const { screen, project } = session;
  const started = Date.now();
  const reviewed = await withScratchDatabase(session, given.databaseUrl, async (observation) => {
    const graph = await readGraph(observation.observer);
    const chosen = await chooseRevisions(project, graph, given);
    screen.notes.fact('project', path.relative(process.cwd(), project) || '.');
    screen.notes.fact('reviewed', chosen.why);
    return reviewRevisions(session, given, observation, graph, chosen, started);
  });
  await report(session, given, reviewed);
  return exitCodeOfReview(reviewed);
}

const REPORTS: Record<ReportFormat, (review: Review, folder: string) => string> = {
  json: jsonReport,
  markdown: markdownReport,
  sarif: sarifReport,
  github: githubReport,
  gitlab: gitlabReport,
  html: htmlReport,
};

async function report({ screen, project }: Session, given: ReviewArguments, reviewed: Review): Promise<void> {
  const folder = await folderInRepository(project);
  if (given.format === 'terminal') showReview(screen.data, reviewed);
  else process.stdout.write(REPORTS[given.format](reviewed, folder));
  for (const { format, file } of given.reports) writeFileSync(file, REPORTS[format](reviewed, folder));
  if (given.format !== 'github') onGitHub(screen.notes, reviewed, folder);
}
