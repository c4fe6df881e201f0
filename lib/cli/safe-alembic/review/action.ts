import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { folderInRepository } from '../../../local/git';
import { readGraph } from '../../../local/python/observe';
import type { Observation } from '../../../local/python/with-observer';
import type { Review } from '../../../review/finding';
import { oncePerLine } from '../../../review/once-per-line';
import { githubReport } from '../../../review/reports/github';
import { gitlabReport } from '../../../review/reports/gitlab';
import { htmlReport } from '../../../review/reports/html';
import { jsonReport } from '../../../review/reports/json';
import { markdownReport } from '../../../review/reports/markdown';
import { sarifReport } from '../../../review/reports/sarif';
import { fix } from '../fix/fix';
import { showFixes } from '../fix/show-fixes';
import { exitCodeOfReview } from '../replay/exit-code';
import { requireSizes } from '../replay/measure';
import { judge, replay, reviewRevisions } from '../replay/review-revisions';
import { showReview } from '../replay/show-review';
import { type Session, withScratchDatabase } from '../session';
import type { ReportFormat, ReviewArguments } from './arguments';
import { changesOf, chooseRevisions } from './choose-revisions';
import { onGitHub } from './on-github';

/** Reviews revisions, and writes the reports. */
export async function review(session: Session, given: ReviewArguments): Promise<number> {
  const { screen, project } = session;
  requireSizes(session.settings, given);
  const started = Date.now();
  // While the backend's Python starts.
  const changes = changesOf(project, given);
  changes.catch(() => {}); // It is awaited below.
  const reviewWith = async (observation: Observation) => {
    const graph = await readGraph(observation.observer);
    const chosen = chooseRevisions(graph, project, given, await changes);
    screen.notes.fact('project', path.relative(process.cwd(), project) || '.');
    screen.notes.fact('reviewed', chosen.why);
    if (!given.fix) return reviewRevisions(session, given, observation, graph, chosen, started);
    const input = await replay(session, given, { observer: observation.observer }, graph, chosen, started);
    const found = await judge(session, given, input);
    return fix({ session, given, observation, isNew: false }, input, found, given.dryRun);
  };
  const written = given.reports.map(({ file }) => path.resolve(file));
  // With --all there is no earlier revision; a fix replays other files.
  const keep = given.cache && !given.all && !given.fix ? { written } : undefined;
  const each = await withScratchDatabase(session, given.databaseUrl, reviewWith, { keep, large: given.measure });
  const reviewed = oncePerLine(each);
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
  if (given.format === 'terminal') {
    showFixes(screen.data, reviewed);
    showReview(screen.data, reviewed);
  } else process.stdout.write(REPORTS[given.format](reviewed, folder));
  for (const { format, file } of given.reports) writeFileSync(file, REPORTS[format](reviewed, folder));
  if (given.format !== 'github') onGitHub(screen.notes, reviewed, folder);
}
