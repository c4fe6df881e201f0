import { createHash } from 'node:crypto';
import type { WantedBody, WantedPiece, WantedRevision } from '../../contract/facts';
import { NOTHING_TO_UNDO, type Phase, TITLES } from './form';
import { revisionCode } from './next-release';
import type { Plan } from './plan/plan';

/** Alembic's version table holds ids of at most this length. */
const LONGEST_ID = 32;

/** The revisions that replace one, in order. The last one keeps its id: a database that has applied it needs no change. */
export function seriesOf({ revision: { facts }, phases }: Plan, taken: ReadonlySet<string>): readonly WantedRevision[] {
  const ids = phases.map((_, at) => (at === phases.length - 1 ? facts.revision : newId(facts.revision, at + 1, taken)));
  return phases.map(({ phase, up, down }, at) => ({
    revision: ids[at] as string,
    file: fileName(facts.file, facts.revision, ids[at] as string, at + 1),
    message: phases.length > 1 ? `${titleOf(facts.message, phase)} (${at + 1} of ${phases.length})` : facts.message,
    ...(at > 0 ? { down: ids[at - 1] as string } : {}),
    ...(up.some(({ code }) => /\btime\./.test(code)) ? { imports: ['time'] } : {}),
    upgrade: { pieces: up },
    downgrade: body(down, phase),
  }));
}

/** Without a message, Alembic writes "empty message", or a revision begins with its id. */
function titleOf(message: string, phase: Phase): string {
  return /^(?:empty message|Revision ID:.*)?$/.test(message) ? TITLES[phase] : message;
}

/** The series including the revision of the next release. */
export function wholeSeriesOf(plan: Plan, taken: ReadonlySet<string>): readonly WantedRevision[] {
  return seriesOf({ ...plan, phases: [...plan.phases, ...(plan.later ? [plan.later] : [])] }, taken);
}

/** The functions of the next release's revision. */
export function laterCode({ later }: Plan): string | undefined {
  const lines = (pieces: readonly WantedPiece[]) => pieces.flatMap(({ code }) => code.split('\n'));
  return later && revisionCode({ up: lines(later.up), down: lines(later.down) }).join('\n');
}

function body(pieces: readonly WantedPiece[], phase: Phase): WantedBody {
  const nothing = NOTHING_TO_UNDO[phase];
  return { pieces, ...(pieces.length || nothing === undefined ? {} : { nothing }) };
}

/** An id that is the same in each run, so that a dry run shows the file that is written later. */
function newId(revision: string, step: number, taken: ReadonlySet<string>): string {
  const plain = `${revision}_${step}`;
  if (!/^[0-9a-f]{12}$/.test(revision) && plain.length <= LONGEST_ID && !taken.has(plain)) return plain;
  for (let attempt = 0; ; attempt++) {
    const id = createHash('sha256').update(`${revision} ${step} ${attempt}`).digest('hex').slice(0, 12);
    if (!taken.has(id)) return id;
  }
}

/** A file name in the project's own style, with the id in the same place. */
function fileName(file: string, revision: string, id: string, step: number): string {
  // Without a message, Alembic ends the name with its separator.
  const stem = file.slice(file.lastIndexOf('/') + 1).replace(/_?\.py$/, '');
  const named = stem.includes(revision) ? stem.replace(revision, id) : stem;
  const isNumbered = named !== stem && id.endsWith(`_${step}`);
  return `${isNumbered ? named : `${named}_${step}`}.py`;
}
