import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Report } from '../../../contract/facts';
import { MigrateError } from '../../../contract/failure';
import { mustHave, readGraph } from '../../../local/python/observe';
import { vagueDescription } from '../../../review';
import { exitCodeOfReview } from '../replay/exit-code';
import { reviewRevisions, scratchStart } from '../replay/review-revisions';
import { showReview } from '../replay/show-review';
import { type Session, withScratchDatabase } from '../session';
import type { CreateArguments } from './arguments';

/** Writes a revision, and reviews it. */
export async function create(session: Session, given: CreateArguments): Promise<number> {
  const { screen, project, common } = session;
  const { message, head, empty } = given;
  if (vagueDescription(message)) throw vague(message);
  const started = Date.now();
  const [created, review] = await withScratchDatabase(session, given.databaseUrl, async (observation) => {
    const { observer } = observation;
    const reports: Report[] = [];
    const ask = { ask: 'create', message, head, empty, ...scratchStart(session, given) } as const;
    await observer.ask(ask, (report) => reports.push(report));
    const { revision, file } = mustHave(reports, 'created');
    screen.status?.clear();
    screen.data.line(`${screen.data.paint('green', '✓')} created ${path.relative(process.cwd(), path.join(project, file))}`);
    screen.data.line();
    for (const line of readFileSync(path.join(project, file), 'utf8').trimEnd().split('\n')) screen.data.line(`  ${line}`);
    screen.data.line();
    const chosen = { revisions: [revision], why: 'the new one', unreleased: [revision], edited: [] };
    const reviewed = await reviewRevisions(session, given, observation, await readGraph(observer), chosen, started);
    return [{ revision, file }, reviewed] as const;
  });
  showReview(screen.data, review);
  const exitCode = exitCodeOfReview(review);
  if (common.json) process.stdout.write(`${JSON.stringify({ created, review, exitCode }, undefined, 2)}\n`);
  return exitCode;
}

function vague(message: string): MigrateError {
  return new MigrateError(
    'vague_description',
    `the description ${JSON.stringify(message)} does not say what changes; nothing was started`,
    'say what changes and where, for example "Add index on users.email"',
  );
}
