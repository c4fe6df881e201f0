import { mkdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import type { Report, StandingFacts } from '../../../contract/facts';
import { type Changes, checkOut, folderInRepository } from '../../../local/git';
import { mustHave } from '../../../local/python/observe';
import type { Observation } from '../../../local/python/with-observer';
import { scratchStart } from '../replay/review-revisions';
import type { Session } from '../session';
import type { CreateArguments } from './arguments';

/**
 * How the models of the default branch differ from its migrations; undefined if they can't be loaded beside this branch's, or on a
 * scratch database that was given.
 */
export async function standingDrift(
  session: Session,
  given: CreateArguments,
  { another, folder }: Observation,
  { base, since }: Changes,
): Promise<(StandingFacts & { readonly since: string }) | undefined> {
  if (!another) return undefined;
  const checkout = path.join(realpathSync(folder), 'default-branch');
  try {
    mkdirSync(checkout);
    const repository = await checkOut(session.project, base, checkout);
    const observer = another.start(path.join(checkout, await folderInRepository(session.project)));
    const reports: Report[] = [];
    const { baseline } = scratchStart(session, given);
    await observer.ask({ ask: 'standing', repository, checkout, baseline }, (report) => reports.push(report));
    await observer.end();
    return { ...mustHave(reports, 'standing').standing, since };
  } catch {
    return undefined;
  }
}
