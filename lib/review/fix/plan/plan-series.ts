import type { BodyFacts, BodyUnit, WantedPiece } from '../../../contract/facts';
import type { AnalyzedRevision } from '../../revision/analyzed-revision';
import { DowngradePlan } from './downgrade';
import { keptPiece } from './pieces';
import type { Fixable, Planned, PlannedPhase } from './plan';
import { isBlock } from './statements';
import { Units } from './units';
import { UpgradePlan } from './upgrade';

/**
 * Distributes the statements of a revision over the phases.
 *
 * @param inOrder whether each statement runs after all parts of those before it: one that would run earlier starts another round
 */
export function planSeries(revision: AnalyzedRevision, found: readonly Fixable[], bodies: BodyFacts, inOrder = false): Planned {
  const leaveAll = (reason: string) => ({ notFixed: found.map(({ finding }) => ({ finding, reason })) });
  const { upgrade, downgrade } = revision;
  if (!upgrade.replayed) return leaveAll('nothing can be proved, because its upgrade does not run to its end: fix that first');
  if (!bodies.upgrade || !bodies.downgrade) return leaveAll('its functions are not written in the usual way');
  const units = { up: new Units(bodies.upgrade, upgrade), down: new Units(bodies.downgrade, downgrade) };
  const [line] = [units.up, units.down].flatMap((one) => one.earlyReturns());
  if (line !== undefined)
    return leaveAll(`line ${line} returns early: where it does, the rest must not run, and a step of its own would`);
  const blocked = found.flatMap((one) => {
    const reason = whyBlocked(one, units.up);
    return reason === undefined ? [] : [{ one, reason }];
  });
  const fixable = found
    .filter((one) => !blocked.some((other) => other.one === one))
    .map((one) => keepingCondition(keepingStatement(one, units.up), units.up));
  const notFixed = blocked.map(({ one: { finding }, reason }) => ({ finding, reason }));
  if (!fixable.length) return { notFixed };
  const up = new UpgradePlan(fixable, units.up, units.down, inOrder);
  const down = refusal(units.down) ? undefined : new DowngradePlan(fixable, units.down, up);
  const problem = down?.problem ?? up.problem;
  if (problem !== undefined) return leaveAll(problem);
  const phases = guarded(
    up.rounds.flatMap((round) => round.phases()),
    units.up,
    units.down,
  );
  const contracts = phases.filter(({ phase }) => phase === 'contract');
  const now = withRefusal(
    phases.filter((phase) => !contracts.includes(phase)),
    refusal(units.down),
  );
  const later = contracts.length > 0 && {
    phase: 'contract' as const,
    up: contracts.flatMap(({ up }) => up),
    down: contracts.toReversed().flatMap(({ down }) => down),
  };
  return { plan: { revision, fixed: fixable.map(({ finding }) => finding), phases: now, ...(later ? { later } : {}) }, notFixed };
}

/** A fix that leaves the statement where it is, if it can. */
function keepingStatement(one: Fixable, up: Units): Fixable {
  const unit = up.of(one.step);
  const { before } = one.form;
  const isAlone = unit?.kind === 'plain' && unit.within.includes('autocommit_block') && up.steps(unit).length === 1;
  if (!before || !isAlone) return one;
  return { ...one, form: { parts: [{ phase: 'build', autocommit: true, up: before }], undoneBy: () => false, keeps: true } };
}

/** A fix in a condition, which stays. */
function keepingCondition(one: Fixable, up: Units): Fixable {
  const { inCondition: parts } = one.form;
  if (!parts || !up.inner(one.step)) return one;
  return { ...one, form: { parts, undoneBy: () => false, isInCondition: true } };
}

/** Why the statement of the source can't be replaced; undefined if it can. */
function whyBlocked({ step, form }: Fixable, up: Units): string | undefined {
  if (isBlock(step.sql)) return 'it is in a DO block, whose conditions a series would not keep: write it there by hand, as shown';
  const unit = up.of(step);
  if (!up.isPlain(unit) && !(form.inCondition && up.inner(step)))
    return `it is in ${blockName(unit)} on line ${unit?.line ?? step.line}, which is not rewritten: write it there by hand, as shown`;
  if (form.hasValues && !unit?.isConstant) return 'its values are computed when it runs: write it by hand, as shown';
  return undefined;
}

function blockName(unit: BodyUnit | undefined): string {
  const first = unit?.code.split('\n').find((line) => line.trim() && !line.trim().startsWith('#')) ?? '';
  const [, word] = /^\s*(\w+)\b/.exec(first) ?? [];
  const names: Readonly<Record<string, string>> = {
    if: 'the condition',
    for: 'the loop',
    while: 'the loop',
    with: 'the block',
    try: 'the block',
  };
  return names[word ?? ''] ?? 'what is called';
}

/** The exception with which a downgrade refuses to run. */
function refusal({ all }: Units): BodyUnit | undefined {
  return all.find(({ kind }) => kind === 'raise');
}

/** Keeps an exception in the downgrade that runs first. */
function withRefusal(phases: readonly PlannedPhase[], unit: BodyUnit | undefined): readonly PlannedPhase[] {
  return phases.map((phase, at) => (unit && at === phases.length - 1 ? { ...phase, down: [keptPiece(unit)] } : phase));
}

/** Returns first wherever the revision does, for another kind of database. */
function guarded(phases: readonly PlannedPhase[], up: Units, down: Units): readonly PlannedPhase[] {
  const guard = (pieces: readonly WantedPiece[], { guards }: Units) =>
    pieces.length > 0 ? [...guards.map(keptPiece), ...pieces] : pieces;
  return phases.map((phase) => ({ ...phase, up: guard(phase.up, up), down: guard(phase.down, down) }));
}
