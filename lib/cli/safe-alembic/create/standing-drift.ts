import { mkdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import type { Report, StandingFacts } from '../../../contract/facts';
import { type Changes, checkOut, folderInRepository } from '../../../local/git';
import { isProject } from '../../../local/project';
import { mustHave } from '../../../local/python/observe';
import type { Observation } from '../../../local/python/with-observer';
import { scratchStart } from '../replay/review-revisions';
import type { Session } from '../session';
import type { CreateArguments } from './arguments';

/** What the default branch has already, or why that is not known. */
export type StandingDrift = { readonly since: string } & (StandingFacts | { readonly failure: string });

/**
 * How the models of the default branch differ from its migrations; undefined if it has no Alembic project, or on a scratch database
 * that was given.
 */
export async function standingDrift(
  session: Session,
  given: CreateArguments,
  { another, folder }: Observation,
  { base, since }: Changes,
): Promise<StandingDrift | undefined> {
  if (!another) return undefined;
  const checkout = path.join(realpathSync(folder), 'default-branch');
  try {
    mkdirSync(checkout);
    const repository = await checkOut(session.project, base, checkout);
    const copy = path.join(checkout, await folderInRepository(session.project));
    if (!isProject(path.dirname(path.join(copy, session.config ?? 'alembic.ini')))) return undefined;
    const observer = another.start(copy);
    const reports: Report[] = [];
    const { baseline } = scratchStart(session, given);
    await observer.ask({ ask: 'standing', repository, checkout, baseline }, (report) => reports.push(report));
    await observer.end();
    return { ...mustHave(reports, 'standing').standing, since };
  } catch (error) {
    return { failure: (error as Error).message, since };
  }
}
