import { type MigrateAnswer, MigrateError } from '../../../contract';
import { EXIT } from '../../../contract/exit-codes';
import { installation } from '../../../local/installation';
import { readGraph } from '../../../local/python/observe';
import type { Finding, Review } from '../../../review/finding';
import { count, plain, revisionNames, type Terminal } from '../../screen/terminal';
import { answerOrFailure, askRunner } from '../ask-runner';
import { type Check, printDocument } from '../documents';
import { findMatchingRevision, type MatchingRevision, readCatalog } from '../replay/matching-revision';
import type { ReplayArguments } from '../replay/options';
import { reviewRevisions } from '../replay/review-revisions';
import { changesOf, chooseRevisions } from '../review/choose-revisions';
import { type Session, withOwnDatabase, withScratchDatabase } from '../session';

/** The rules behind each check. */
const RULES = {
  'one-head': ['several-heads'],
  models: ['drift'],
  env: ['env-keeps-nothing', 'env-outer-transaction', 'env-refused'],
  'round-trip': ['downgrade-missing', 'drop-constraint-none', 'downgrade-fails', 'reupgrade-fails', 'downgrade-not-restoring'],
} as const;

const REASONS = 3;

/** Runs all checks and shows each result. */
export async function verify(session: Session, given: ReplayArguments): Promise<number> {
  const { screen, common } = session;
  const started = Date.now();
  // In sequence: the first check shows quickly whether the database is reachable.
  const [answer, catalog] = await withOwnDatabase(session, async ({ observer }) => {
    const found = await answerOrFailure(askRunner(observer, { command: 'current' }));
    const isUnstamped = !(found instanceof MigrateError) && found.status === 'pending' && !found.to.length;
    return [found, isUnstamped ? await readCatalog(observer) : undefined] as const;
  });
  let atHead = positionCheck(answer);
  const shown = new Set<string>();
  // What a new revision leaves to the next release is no difference yet.
  const changes = await changesOf(session.project, {});
  if (!catalog) show(screen.data, atHead, shown);
  const review = await withScratchDatabase(session, given.databaseUrl, async (observation) => {
    const graph = await readGraph(observation.observer);
    if (catalog) {
      atHead = withMatchingRevision(atHead, await findMatchingRevision(observation.observer, catalog, given.overwrite));
      show(screen.data, atHead, shown);
    }
    const { revisions, unreleased } = chooseRevisions(graph, session.project, { named: [], all: true }, changes);
    const chosen = { revisions, why: 'all', unreleased, edited: [] };
    return reviewRevisions(session, given, observation, graph, chosen, started);
  });
  const others = checksOf(review);
  for (const check of others) show(screen.data, check, shown);
  const checks = [atHead, ...others];
  const exitCode = checks.every(({ passed }) => passed) ? EXIT.done : EXIT.failed;
  if (common.json) printDocument({ verify: 1, checks, exitCode });
  return exitCode;
}

/** Shows the matching revision instead of the pending ones, for a database that already has the tables. */
function withMatchingRevision(check: Check, { found, next }: MatchingRevision): Check {
  const what = 'the database has tables and no recorded revision: it was probably created without Alembic (create_all)';
  return { ...check, what, reasons: [found, next] };
}

function positionCheck(answer: MigrateAnswer | MigrateError): Check {
  if (answer instanceof MigrateError) {
    const what = "the database's revision could not be determined";
    return { check: 'at-head', passed: false, what, reasons: [`${answer.code}: ${answer.message}`, answer.next] };
  }
  const { status, to, heads, pending, unknown } = answer;
  const passed = status === 'complete';
  const what = passed
    ? `the database is at head (${revisionNames(to)})`
    : `the database is at ${revisionNames(to)}, not at head (${revisionNames(heads)})`;
  const missing = pending.map(
    ({ revision, message }) => `${revision} ${message} is pending: \`${installation().command} apply\``,
  );
  const foreign = unknown.map((revision) => `${revision} is not known to this project`);
  return { check: 'at-head', passed, what, reasons: [...missing, ...foreign] };
}

type Judge = (check: keyof typeof RULES, holds: string, fails: string) => Check;

function checksOf({ findings, graph, summary, revisions, notChecked, notCompared }: Review): Check[] {
  const checkOf: Judge = (check, holds, fails) => {
    const rules: readonly string[] = RULES[check];
    const found = findings.filter(({ rule, acknowledged }) => acknowledged === undefined && rules.includes(rule));
    const passed = found.length === 0;
    return { check, passed, what: passed ? holds : fails, reasons: check === 'models' ? differences(found) : found.map(reason) };
  };
  const notReplayed = revisions.filter((revision) => revision.notReplayed !== undefined);
  const why = [...new Set(notReplayed.map((revision) => revision.notReplayed ?? ''))].slice(0, REASONS);
  const nothing = notChecked !== undefined && notChecked.code !== 'not_replayed';
  const models =
    notCompared === undefined && !nothing
      ? checkOf('models', 'models and migrations agree', 'models and migrations disagree')
      : unchecked('models', 'models and migrations were not compared', [notCompared ?? notChecked?.message ?? '']);
  if (nothing) {
    return [
      heads(graph, checkOf),
      models,
      unchecked('env', 'env.py was not checked', why),
      unchecked('round-trip', notChecked.message, [...why, notChecked.next]),
    ];
  }
  const trips = checkOf(
    'round-trip',
    `${count(summary.replayed)} restored the schema when downgraded, and can be applied again`,
    'not every revision can be downgraded and applied again',
  );
  return [
    heads(graph, checkOf),
    models,
    checkOf('env', 'env.py commits what it runs', 'env.py must be changed'),
    ...(notReplayed.length && trips.passed && !summary.replayed ? [] : [trips]),
    ...(notReplayed.length
      ? [unchecked('round-trip', `${count(notReplayed.length)} could not be replayed`, [...why, notChecked?.next ?? ''])]
      : []),
  ];
}

function heads({ heads: found, problem }: Review['graph'], checkOf: Judge): Check {
  if (problem !== undefined)
    return { check: 'one-head', passed: false, what: "Alembic can't load the revisions", reasons: [problem] };
  if (found.length === 0) return unchecked('one-head', 'the project has no revisions, so it has no head', []);
  const single =
    found.length === 1 ? `there is one head (${revisionNames(found)})` : `the ${found.length} heads are labeled branches`;
  return checkOf('one-head', single, `there are ${found.length} heads`);
}

function unchecked(check: Check['check'], what: string, reasons: readonly string[]): Check {
  return { check, passed: false, checked: false, what, reasons: reasons.filter((text) => text !== '') };
}

/** A difference belongs to no revision. */
function differences(found: readonly Finding[]): readonly string[] {
  const next = `\`${installation().command} create "..."\` writes a revision that ends ${found.length > 1 ? 'these differences' : 'this difference'}`;
  return found.length > 0 ? [...found.map(({ message }) => message), next] : [];
}

function reason({ rule, file, line, message }: Finding): string {
  return `${file}:${line}  ${rule}: ${message}`;
}

/** `said`: reasons that were already shown: one env.py can prevent several checks. */
function show(terminal: Terminal, { passed, checked, what, reasons }: Check, said: Set<string>): void {
  const failed = checked === false ? terminal.paint('yellow', '? not checked:') : terminal.paint('red', '✗');
  terminal.line(`${passed ? terminal.paint('green', '✓') : failed} ${plain(what)}`);
  for (const line of reasons.filter((text) => !said.has(text))) {
    said.add(line);
    terminal.line(`    ${plain(line)}`);
  }
}
