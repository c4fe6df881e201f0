import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Report } from '../../contract/facts';
import { mustHave, readGraph } from '../../local/observe';
import { vagueDescription } from '../../review';
import { EXIT } from '../answer/exit-codes';
import { MigrateEnd } from './error';
import { reviewRevisions, scratchOf } from './review-revisions';
import { type MigrateSession, withBackend } from './session';
import { showReview } from './show-review';

/** `safe-alembic create` */
export async function create(session: MigrateSession): Promise<number> {
  const { screen, project, arguments: given } = session;
  const [message = ''] = given.named;
  if (vagueDescription(message)) throw vague(message);
  const started = Date.now();
  const [created, review] = await withBackend(session, 'scratch', async (observation) => {
    const { observer } = observation;
    const reports: Report[] = [];
    const ask = { ask: 'create', message, empty: given.empty, ...scratchOf(session) } as const;
    await observer.ask(ask, (report) => reports.push(report));
    const { revision, file } = mustHave(reports, 'created');
    screen.status?.clear();
    screen.data.line(`${screen.data.paint('green', '✓')} created ${path.relative(process.cwd(), path.join(project, file))}`);
    screen.data.line();
    for (const line of readFileSync(path.join(project, file), 'utf8').trimEnd().split('\n')) screen.data.line(`  ${line}`);
    screen.data.line();
    const chosen = { revisions: [revision], why: 'the new one', unreleased: [revision], edited: [] };
    const reviewed = await reviewRevisions(session, observation, await readGraph(observer), chosen, started);
    return [{ revision, file }, reviewed] as const;
  });
  showReview(screen.data, review);
  const exitCode = review.failed ? EXIT.failed : EXIT.done;
  if (given.json) process.stdout.write(`${JSON.stringify({ created, review, exitCode }, undefined, 2)}\n`);
  return exitCode;
}

function vague(message: string): MigrateEnd {
  return new MigrateEnd(
    'vague_description',
    `the description ${JSON.stringify(message)} does not say what changes; nothing was started`,
    'say what changes and where, such as "Add index on users.email"',
  );
}
