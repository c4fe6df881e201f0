import path from 'node:path';
import type { Report, TableFacts, WantedRevision } from '../../../contract/facts';
import type { Changes } from '../../../local/git';
import { mustHave, readGraph } from '../../../local/python/observe';
import type { Observer } from '../../../local/python/observer';
import type { Observation } from '../../../local/python/with-observer';
import { type Backfill, fillColumn } from '../../../review';
import { scratchStart } from '../replay/review-revisions';
import { changesOf, chooseRevisions } from '../review/choose-revisions';
import type { Session } from '../session';
import type { CreateArguments } from './arguments';
import { onScratch } from './refusals';
import { standingDrift } from './standing-drift';

/** What was written, before its review. */
export interface Written {
  readonly revision: string;
  readonly file: string;
  /** All of the new revisions, in their order: a change that needs several files has them before the last one. */
  readonly all: readonly { readonly revision: string; readonly file: string }[];
  /** Descriptions of differences that are not written. */
  readonly left: readonly string[];
  /** How many differences were not written because the default branch, of this name, has them already. */
  readonly standing?: { readonly count: number; readonly since: string } | undefined;
  /** Why it is not known which differences the default branch, of this name, has already. */
  readonly unknown?: { readonly failure: string; readonly since: string } | undefined;
  /** Ids of earlier revisions that the default branch does not have. */
  readonly unreleased: readonly string[];
  /** Why a post_write_hook failed, if one did. */
  readonly hookFailure?: string | undefined;
}

/** Writes a revision as it was asked for: the models' changes, a backfill, what a rename left to this release, or nothing. */
export async function writeRevision(
  session: Session,
  given: CreateArguments,
  observation: Observation,
  fill: Backfill | undefined,
): Promise<Written> {
  const { observer } = observation;
  const { message, asIs, withDrift, renames, noRename, keepDropped } = given;
  const empty = given.empty || fill !== undefined;
  const changes = asIs ? undefined : await changesOf(session.project, {});
  const earlierUnreleased = changes ? await unreleasedBefore(observer, session.project, changes) : [];
  // What is written by hand is for the schema as it is.
  const unreleased = empty ? [] : earlierUnreleased;
  const placement = placementIn(session.project, given);
  const found = changes && !empty && !withDrift ? await standingDrift(session, given, observation, changes) : undefined;
  const [standing, unknown] = found && 'failure' in found ? [undefined, found] : [found, undefined];
  const options = { message, placement, empty, asIs, renames, askRenames: !noRename, keepDropped, fill, unreleased, standing };
  const reports: Report[] = [];
  await observer
    .ask({ ask: 'create', ...options, ...scratchStart(session, given) }, (report) => reports.push(report))
    .catch((error) => {
      throw onScratch(error);
    });
  const created = mustHave(reports, 'created');
  const { revision, file, earlier, left, table, nextRelease, hookFailure } = created;
  const all = [...earlier, { revision, file }];
  session.unreviewed.push(...all.map((one) => path.join(session.project, one.file)));
  const bodies = fill && table ? backfillBodies(fill, table) : nextRelease && bodiesOf(nextRelease);
  const failed = bodies && (await writeBodies(observer, { revision, file, message }, bodies));
  return {
    revision,
    file,
    all,
    left,
    standing: standing && created.standing ? { count: created.standing, since: standing.since } : undefined,
    unknown,
    unreleased: earlierUnreleased,
    hookFailure: hookFailure ?? failed,
  };
}

/** Where the revision goes, with its folder relative to the project. */
function placementIn(project: string, { placement }: CreateArguments): CreateArguments['placement'] {
  const { versionPath } = placement;
  if (versionPath === undefined) return placement;
  return { ...placement, versionPath: path.relative(project, path.resolve(versionPath)) || '.' };
}

/** Ids of the revisions that the default branch does not have. */
async function unreleasedBefore(observer: Observer, project: string, changes: Changes): Promise<readonly string[]> {
  return chooseRevisions(await readGraph(observer), project, { named: [], all: true }, changes).unreleased;
}

type Bodies = Pick<WantedRevision, 'imports' | 'upgrade' | 'downgrade'>;

function backfillBodies(fill: Backfill, table: TableFacts): Bodies {
  return {
    imports: ['time'],
    upgrade: { pieces: [{ code: fillColumn(fill.table, fill.column, fill.expression, table) }] },
    downgrade: { pieces: [], nothing: 'The filled values do no harm to the revision before.' },
  };
}

function bodiesOf({ upgrade, downgrade }: { readonly upgrade: string; readonly downgrade: string }): Bodies {
  return { upgrade: { pieces: [{ code: upgrade }] }, downgrade: { pieces: [{ code: downgrade }] } };
}

/** Writes the functions of an empty revision. Returns why a post_write_hook failed, if one did. */
async function writeBodies(
  observer: Observer,
  { file, ...revision }: Pick<WantedRevision, 'revision' | 'file' | 'message'>,
  bodies: Bodies,
): Promise<string | undefined> {
  const reports: Report[] = [];
  await observer.ask({ ask: 'compose', file, revisions: [{ ...revision, file, ...bodies }] }, (report) => reports.push(report));
  await observer.ask({ ask: 'write', files: mustHave(reports, 'composed').files }, (report) => reports.push(report));
  return mustHave(reports, 'written').failure;
}
