import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Report, TableFacts, WantedRevision } from '../../../contract/facts';
import { MigrateError } from '../../../contract/failure';
import { mustHave, readGraph } from '../../../local/python/observe';
import type { Observer } from '../../../local/python/observer';
import {
  type Backfill,
  backfillCode,
  type Finding,
  hasSafeForm,
  loadParser,
  type Review,
  type ReviewInput,
  readBackfill,
  startingPoint,
  vagueDescription,
} from '../../../review';
import { printDocument } from '../documents';
import { fix } from '../fix/fix';
import { showLeft } from '../fix/show-fixes';
import { exitCodeOfReview } from '../replay/exit-code';
import { judge, replay, scratchStart } from '../replay/review-revisions';
import { showReview } from '../replay/show-review';
import { changesOf, chooseRevisions } from '../review/choose-revisions';
import { type Session, withScratchDatabase } from '../session';
import type { CreateArguments } from './arguments';

/** Writes a revision in the safe form, and reviews it. */
export async function create(session: Session, given: CreateArguments): Promise<number> {
  const { screen, project, common } = session;
  const { message, asIs, renames, noRename, keepDropped } = given;
  if (vagueDescription(message)) throw vague(message);
  const started = Date.now();
  await loadParser();
  const fill = given.backfill === undefined ? undefined : readBackfill(given.backfill);
  if (given.backfill !== undefined && !fill) throw noAssignment(given.backfill);
  const empty = given.empty || fill !== undefined;
  const { versionPath } = given.placement;
  const placement = {
    ...given.placement,
    ...(versionPath === undefined ? {} : { versionPath: path.relative(project, path.resolve(versionPath)) || '.' }),
  };
  const { data } = screen;
  const [created, review, hookFailure] = await withScratchDatabase(session, given.databaseUrl, async (observation) => {
    const { observer } = observation;
    const reports: Report[] = [];
    const before = asIs ? [] : await unreleasedBefore(observer, project);
    // What is written by hand is for the schema as it is.
    const unreleased = empty ? [] : before;
    const options = { message, placement, empty, asIs, renames, askRenames: !noRename, keepDropped, fill, unreleased };
    await observer
      .ask({ ask: 'create', ...options, ...scratchStart(session, given) }, (report) => reports.push(report))
      .catch((error) => {
        throw onScratch(error);
      });
    const { revision, file, earlier, left, table, nextRelease, hookFailure } = mustHave(reports, 'created');
    const written = [...earlier, { revision, file }];
    session.unreviewed.push(...written.map((one) => path.join(project, one.file)));
    const bodies = fill && table ? backfillBodies(fill, table) : nextRelease && bodiesOf(nextRelease);
    const filled = bodies && (await writeBodies(observer, { revision, file, message }, bodies));
    const graph = await readGraph(observer);
    const revisions = written.map((one) => one.revision);
    const chosen = { revisions, why: 'the new one', unreleased: [...before, ...revisions], edited: [] };
    const input = await replay(session, given, { observer }, graph, chosen, started);
    const found = await judge(session, given, input);
    const blocked = asIs || given.empty ? undefined : inOneTransaction(input, found);
    if (blocked) throw blocked;
    const reviewed = asIs ? found : await fix({ session, given, observation }, input, found, false);
    session.unreviewed.length = 0;
    const files = written.flatMap((one) => seriesOf(one.file, reviewed));
    return [{ revision, file, files, left }, reviewed, hookFailure ?? filled ?? reviewed.fixes?.hookFailure] as const;
  });
  screen.status?.clear();
  for (const file of created.files) {
    data.line(`${data.paint('green', '✓')} created ${path.relative(process.cwd(), path.join(project, file))}`);
    data.line();
    for (const line of readFileSync(path.join(project, file), 'utf8').trimEnd().split('\n')) data.line(`  ${line}`);
    data.line();
  }
  if (hookFailure !== undefined) data.warning(`a post_write_hook failed: ${hookFailure}`);
  for (const difference of created.left) data.warning(`not written: ${difference}`);
  const notFixed = review.fixes?.notFixed.filter(({ finding }) => hasSafeForm(finding.rule)) ?? [];
  showLeft(data, { ...review.fixes, notFixed });
  showReview(data, review);
  const exitCode = exitCodeOfReview(review);
  if (common.json) {
    printDocument({ create: 1, created: { ...created, hookFailure }, review, exitCode });
  }
  return exitCode;
}

/** An earlier revision that fails on the scratch database may need a role, an extension or tables that it does not have. */
function onScratch(error: unknown): unknown {
  if (!(error instanceof MigrateError) || error.code !== 'migration_failed') return error;
  return new MigrateError(error.code, error.message, startingPoint(error) ?? 'fix it and run this again', error);
}

/** Ids of the revisions that the default branch does not have, as far as git knows. */
async function unreleasedBefore(observer: Observer, project: string): Promise<readonly string[]> {
  const changes = await changesOf(project, {});
  if (!changes) return [];
  return chooseRevisions(await readGraph(observer), project, { named: [], all: true }, changes).unreleased;
}

/** The files of a new revision, of which the last one keeps its name. */
function seriesOf(file: string, { fixes }: Review): readonly string[] {
  const changed = fixes?.files ?? [];
  const last = changed.findIndex((one) => one.file === file);
  const first = changed.findLastIndex(({ isNew }, at) => at < last && !isNew) + 1;
  return last < 0 ? [file] : changed.slice(first, last + 1).map((one) => one.file);
}

type Bodies = Pick<WantedRevision, 'imports' | 'upgrade' | 'downgrade'>;

function backfillBodies(fill: Backfill, table: TableFacts): Bodies {
  return {
    imports: ['time'],
    upgrade: { pieces: [{ code: backfillCode(fill, table) }] },
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

/** Why a revision can't be written in the safe form where env.py begins the transaction; undefined: it can, or needs none. */
function inOneTransaction({ environment }: ReviewInput, { findings }: Review): MigrateError | undefined {
  const outer = findings.find(({ rule }) => rule === 'env-outer-transaction');
  const needs = ({ rule, severity, direction }: Finding) =>
    severity === 'error' && (rule === outer?.rule || (hasSafeForm(rule) && direction !== 'downgrade'));
  if (!environment?.transaction || !outer || !findings.some(needs)) return undefined;
  return new MigrateError(
    'one_transaction',
    `this change is safe only in several transactions, and ${outer.file}:${outer.line} runs all revisions in one that Alembic can't commit; nothing was written`,
    `${environment.transaction.words} and run this again, or pass --as-is to write what Alembic would`,
  );
}

function noAssignment(given: string): MigrateError {
  return new MigrateError(
    'invalid_usage',
    `${JSON.stringify(given)} does not assign an SQL expression to a column of a table`,
    'write it like "users.full_name = name"',
  );
}

function vague(message: string): MigrateError {
  return new MigrateError(
    'vague_description',
    `the description ${JSON.stringify(message)} does not say what changes; nothing was started`,
    'say what changes and where, for example "Add index on users.email"',
  );
}
