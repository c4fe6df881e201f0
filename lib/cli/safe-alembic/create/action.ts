import { readFileSync } from 'node:fs';
import path from 'node:path';
import { readGraph } from '../../../local/python/observe';
import type { Observation } from '../../../local/python/with-observer';
import { hasSafeForm, loadParser, type Review, readBackfill, vagueDescription } from '../../../review';
import { printDocument } from '../documents';
import { fix } from '../fix/fix';
import { showLeft } from '../fix/show-fixes';
import { exitCodeOfReview } from '../replay/exit-code';
import { judge, replay } from '../replay/review-revisions';
import { showReview } from '../replay/show-review';
import { type Session, withScratchDatabase } from '../session';
import type { CreateArguments } from './arguments';
import { inOneTransaction, noAssignment, vague } from './refusals';
import { type Written, writeRevision } from './write-revision';

/** Writes a revision in the safe form, and reviews it. */
export async function create(session: Session, given: CreateArguments): Promise<number> {
  if (vagueDescription(given.message)) throw vague(given.message);
  const started = Date.now();
  await loadParser();
  const fill = given.backfill === undefined ? undefined : readBackfill(given.backfill);
  if (given.backfill !== undefined && !fill) throw noAssignment(given.backfill);
  const [written, review] = await withScratchDatabase(session, given.databaseUrl, async (observation) => {
    const found = await writeRevision(session, given, observation, fill);
    return [found, await inSafeForm({ session, given, observation }, found, started)] as const;
  });
  session.screen.status?.clear();
  return show(session, written, review);
}

/** Reviews the written revisions, and fixes them unless they should be as Alembic writes them. */
async function inSafeForm(
  { given, observation, ...bench }: { session: Session; given: CreateArguments; observation: Observation },
  { all, unreleased, left, standing }: Written,
  started: number,
): Promise<Review> {
  const session = left.length > 0 || standing ? withoutRule('drift', bench.session) : bench.session;
  const { observer } = observation;
  const graph = await readGraph(observer);
  const revisions = all.map(({ revision }) => revision);
  const chosen = { revisions, why: 'the new one', unreleased: [...unreleased, ...revisions], edited: [] };
  const input = await replay(session, given, { observer }, graph, chosen, started);
  const found = await judge(session, given, input);
  const blocked = given.asIs || given.empty ? undefined : inOneTransaction(input, found);
  if (blocked) throw blocked;
  const reviewed = given.asIs ? found : await fix({ session, given, observation, isNew: true }, input, found, false);
  session.unreviewed.length = 0;
  return reviewed;
}

/** What differs and is not written is said once, by `left`. */
function withoutRule(rule: string, session: Session): Session {
  return { ...session, settings: { ...session.settings, rules: { ...session.settings.rules, [rule]: 'off' } } };
}

function show({ screen: { data }, project, common }: Session, written: Written, review: Review): number {
  const { revision, file, left, standing, unknown } = written;
  const files = written.all.flatMap((one) => seriesOf(one.file, review));
  const hookFailure = written.hookFailure ?? review.fixes?.hookFailure;
  for (const one of files) {
    data.line(`${data.paint('green', '✓')} created ${path.relative(process.cwd(), path.join(project, one))}`);
    data.line();
    for (const line of readFileSync(path.join(project, one), 'utf8').trimEnd().split('\n')) data.line(`  ${line}`);
    data.line();
  }
  if (hookFailure !== undefined) data.warning(`a post_write_hook failed: ${hookFailure}`);
  for (const difference of left) data.warning(`not written: ${difference}`);
  if (standing) {
    const { count, since } = standing;
    data.warning(
      `not written: ${count} ${count === 1 ? 'difference' : 'differences'} that ${since} has too; --with-drift writes all`,
    );
  }
  if (unknown) {
    const { since, failure } = unknown;
    data.warning(`the models of ${since} could not be loaded, so differences that it has too are written: ${failure}`);
  }
  const notFixed = review.fixes?.notFixed.filter(({ finding }) => hasSafeForm(finding.rule)) ?? [];
  showLeft(data, { ...review.fixes, notFixed });
  showReview(data, review);
  const exitCode = exitCodeOfReview(review);
  if (common.json) {
    printDocument({
      create: 1,
      created: { revision, file, files, left, standing: standing?.count, hookFailure },
      review,
      exitCode,
    });
  }
  return exitCode;
}

/** The files of a new revision; the last one keeps its name. */
function seriesOf(file: string, { fixes }: Review): readonly string[] {
  const changed = fixes?.files ?? [];
  const last = changed.findIndex((one) => one.file === file);
  const first = changed.findLastIndex(({ isNew }, at) => at < last && !isNew) + 1;
  return last < 0 ? [file] : changed.slice(first, last + 1).map((one) => one.file);
}
