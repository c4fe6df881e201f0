import { INSTALL_BACKEND } from '../contract';
import type { GraphFacts, RevisionFacts } from '../contract/facts';
import type { NotChecked } from './finding';
import type { ReviewInput } from './input';
import type { AnalyzedRevision } from './revision/analyzed-revision';
import { startingPoint } from './revision/starting-point';
import { nameList } from './rules/name-list';

/** What a review could not check, and why; undefined if it checked everything. An incomplete review fails. */
export function notChecked(
  { graph, environment }: ReviewInput,
  revisions: readonly AnalyzedRevision[],
  allowNotReplayed: boolean,
): NotChecked | undefined {
  if (!graph.revisions.length && graph.problem === undefined) {
    return {
      code: 'no_revisions',
      message: 'the project has no revisions',
      next: 'check that script_location and version_locations in alembic.ini name the folder of the revisions',
    };
  }
  const notReplayed = revisions.filter(({ upgrade }) => !upgrade.replayed);
  if (!notReplayed.length) return undefined;
  const reason = environment?.failure ?? whyNotRun((notReplayed[0] as AnalyzedRevision).facts);
  if (revisions.every(({ facts }) => facts.upgrade.outcome === 'not_run')) {
    return {
      code: 'nothing_replayed',
      message: `no revision could be replayed: ${reason}`,
      next: nextStep(reason, environment?.next, graph),
    };
  }
  if (allowNotReplayed) return undefined;
  const failed = notReplayed.flatMap(
    ({
      facts: {
        upgrade: { failure },
      },
    }) => failure ?? [],
  )[0];
  const [earlier] = notReplayed.flatMap(({ facts: { unapplied = [] } }) => unapplied);
  const first = earlier === undefined ? '' : `review ${earlier} to see why it fails, or `;
  const start = failed && startingPoint(failed);
  const which = notReplayed.length === 1 ? '1 revision was' : `${notReplayed.length} revisions were`;
  return {
    code: 'not_replayed',
    message: `${which} not replayed, only judged from source and SQL`,
    next: `${first}${start ?? 'fix the cause'}, or pass --allow-not-replayed (or the setting "allowNotReplayed") to accept this`,
  };
}

/** Why an upgrade was not replayed. An earlier revision that could not be applied may be the cause. */
export function whyNotRun({ upgrade: { failure, reason }, unapplied = [] }: RevisionFacts): string {
  const why = failure?.message ?? reason ?? 'it was not run';
  return failure && unapplied.length ? `${why}; before it, ${nameList(unapplied)} could not be applied` : why;
}

/** The next step after env.py failed. @param next the runner's own next step */
function nextStep(
  reason: string,
  next: string | undefined,
  { command = 'alembic', problem, mayLoadElsewhere }: GraphFacts,
): string {
  if (/baseline/.test(reason)) return 'use a dump that was taken before these revisions as the baseline';
  if (next !== undefined) return next;
  // A name that is not in its module is a mistake in the code, such as a circular import.
  if (/ModuleNotFoundError|ImportError(?!: cannot import name)/.test(reason)) {
    return INSTALL_BACKEND;
  }
  if (problem !== undefined && !mayLoadElsewhere) return `fix the revision that it names, until \`${command} history\` works`;
  return `run \`${command} current\` with the same environment until it works, and put the variables it needs into the setting "environment"`;
}
