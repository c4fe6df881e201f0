import type { BodyFacts, BodyUnit, WantedPiece } from '../../contract/facts';
import { autocommit, execute } from '../advice/python';
import { alterTableCommands } from '../advice/sql';
import type { Finding } from '../finding';
import type { AnalyzedRevision, Step } from '../revision/analyzed-revision';
import { unqualifiedName } from '../revision/tables';
import type { Action } from '../sql/action';
import { type FormPart, PHASES, type Phase, type SafeForm } from './form';
import { Units } from './units';

/** A finding that stays, and why. */
export interface NotFixed {
  readonly finding: Finding;
  readonly reason: string;
  /** Whether another run may fix it after this one. @default false */
  readonly waits?: boolean;
}

/** A finding with the safe form of its statement. */
export interface Fixable {
  readonly finding: Finding;
  readonly step: Step;
  readonly form: SafeForm;
}

/** The series of revisions that replaces a revision. */
export interface Plan {
  readonly revision: AnalyzedRevision;
  readonly fixed: readonly Finding[];
  readonly phases: readonly PlannedPhase[];
  /** The part for the next release: only with it is the schema that of the revision. @default - nothing */
  readonly later?: PlannedPhase;
  /** Whether it repairs a function that failed: there is no trial of the revision itself to compare with. @default false */
  readonly repairs?: boolean;
}

/** The plan for one revision, if there is one, and the findings that it does not fix. */
export interface Planned {
  readonly plan?: Plan;
  readonly notFixed: readonly NotFixed[];
}

export interface PlannedPhase {
  readonly phase: Phase;
  readonly up: readonly WantedPiece[];
  readonly down: readonly WantedPiece[];
}

export const AUTOCOMMIT = 'with op.get_context().autocommit_block():';

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
  const fixable = found.filter((one) => !blocked.some((other) => other.one === one));
  const notFixed = blocked.map(({ one: { finding }, reason }) => ({ finding, reason }));
  if (!fixable.length) return { notFixed };
  const sorted = new SeriesBuilder(fixable, units.up, units.down, inOrder);
  if (sorted.problem !== undefined) return leaveAll(sorted.problem);
  const phases = sorted.phases();
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

/** Why the statement of the source can't be replaced; undefined if it can. */
function whyBlocked({ step, form }: Fixable, up: Units): string | undefined {
  const unit = up.of(step);
  if (!up.isPlain(unit))
    return 'it is in a condition, a block, a loop over what was read or a helper function, which are not rewritten: write it there by hand, as shown';
  if (form.hasValues && !unit?.isConstant) return 'its values are computed when it runs: write it by hand, as shown';
  return undefined;
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

/** One pass through all phases. */
class Round {
  readonly up = new Map<Phase, WantedPiece[]>();
  readonly down = new Map<Phase, WantedPiece[]>();
  /** What the downgrade runs before `down`. */
  readonly downFirst = new Map<Phase, WantedPiece[]>();

  /** The latest phase that writes rows. */
  lastWrite = 0;

  /** Whether a statement of a phase would run before rows or an index that it may need. */
  isPast(phase: Phase): boolean {
    return (['fill', 'build'] as const).some((later) => this.up.has(later) && PHASES.indexOf(later) > PHASES.indexOf(phase));
  }

  phases(): readonly PlannedPhase[] {
    const used = PHASES.filter((phase) => this.up.has(phase));
    // The first phase's downgrade, which runs last, undoes what belongs to an unused phase.
    const orphaned = PHASES.filter((phase) => !used.includes(phase)).flatMap((phase) => this.down.get(phase) ?? []);
    return used.map((phase, at) => ({
      phase,
      up: withAutocommitFirst(this.up.get(phase) ?? []),
      down: [...(this.downFirst.get(phase) ?? []), ...(this.down.get(phase) ?? []), ...(at === 0 ? orphaned : [])],
    }));
  }
}

/** The round and the phase of a statement. */
interface Place {
  readonly round: Round;
  readonly phase: Phase;
}

class SeriesBuilder {
  problem: string | undefined;
  private readonly rounds = [new Round()];
  /** Where the upgrade creates or drops each object. */
  private readonly owners = new Map<string, Place>();
  /** Where the downgrade undoes each form first. */
  private readonly undoPlaces = new Map<SafeForm, Place>();
  /** Parts that were added already: findings may share one, such as the values of an enum that two columns have. */
  private readonly written = new Set<string>();

  constructor(
    private readonly fixable: readonly Fixable[],
    private readonly up: Units,
    private readonly down: Units,
    private readonly inOrder: boolean,
  ) {
    for (const unit of up.all) this.addUpgradeUnit(unit, up.steps(unit), up.isPlain(unit));
    let round = this.round;
    for (const unit of refusal(down) ? [] : down.all)
      round = this.addDowngradeUnit(unit, down.steps(unit), down.isPlain(unit), round);
  }

  phases(): readonly PlannedPhase[] {
    const phases = this.rounds.flatMap((round) => round.phases());
    return guarded(phases, this.up, this.down);
  }

  /** The current round. */
  private get round(): Round {
    return this.rounds.at(-1) as Round;
  }

  private addUpgradeUnit(unit: BodyUnit, steps: readonly Step[], isPlain: boolean): void {
    if (isIgnored(unit, steps)) return;
    const isFixed = this.fixable.some(({ step }) => steps.includes(step)) || steps.some((step) => this.isReplaced(step));
    if (!isFixed) {
      this.keepUnit(unit, steps);
      return;
    }
    if (!isPlain) this.problem = `line ${unit.line} belongs to it, and is no plain statement`;
    const { condition } = unit;
    const comments = commentsOf(unit);
    for (const group of groupByStatement(steps)) this.addUpgradeStatement(group, comments, condition);
  }

  private addUpgradeStatement(steps: readonly Step[], comments: string[], condition: string): void {
    const found = this.fixable.filter(({ step }) => steps.includes(step));
    if (!found.length) {
      if (!steps.every((step) => this.isReplaced(step))) this.addAsSql(this.round.up, steps[0], condition);
      return;
    }
    const commands = separateCommands(steps);
    if (!commands) this.problem = 'one statement does several things';
    for (const [at, step] of steps.entries()) {
      const fix = found.find((one) => one.step === step);
      if (fix && this.isCovered(fix)) continue;
      if (fix) this.addForm(fix, comments.splice(0), condition);
      else if (!this.isReplaced(step)) this.addAsSql(this.round.up, step, condition, commands?.[at]);
    }
  }

  /** Whether the form of another statement replaces it, such as an index that is rebuilt only for a new type. */
  private isCovered({ step, form }: Fixable): boolean {
    return this.fixable.some((other) => other.form.replaces?.(step) && other.step !== step && !form.replaces?.(other.step));
  }

  private isReplaced(step: Step): boolean {
    return this.fixable.some(({ form }) => form.replaces?.(step));
  }

  /** Adds a statement unchanged. */
  private keepUnit(unit: BodyUnit, steps: readonly Step[]): void {
    const phase = unit.within.includes('autocommit_block') ? 'build' : 'add';
    this.startRoundFor(phase);
    for (const name of steps.flatMap(({ action }) => objectsOf(action))) this.owners.set(name, { round: this.round, phase });
    if (this.isReached(unit) && mayWriteRows(unit, steps)) this.recordWrite(phase, unit.line);
    addPiece(this.round.up, phase, keptPiece(unit));
  }

  /** Whether the scratch database runs a unit: its condition may exclude this kind of database. */
  private isReached({ condition }: BodyUnit): boolean {
    return !condition || this.up.all.some((unit) => unit.condition === condition && this.up.steps(unit).length > 0);
  }

  /** Keeps the order of writes: the proof would miss a wrong order if a write finds no generated row. */
  private recordWrite(phase: Phase, line: number): void {
    const at = PHASES.indexOf(phase);
    if (at < this.round.lastWrite) this.problem = `line ${line} writes rows, and would run before a statement that it follows`;
    this.round.lastWrite = Math.max(this.round.lastWrite, at);
  }

  private addForm({ step, form }: Fixable, comments: readonly string[], condition: string): void {
    const { parts } = form;
    this.startRoundFor(parts.some(({ phase }) => phase === 'fill') ? 'fill' : (parts[0] as FormPart).phase);
    const { up: ups, down: downs } = this.round;
    for (const [at, { phase, up, down = [], autocommit }] of parts.entries()) {
      const part = [phase, ...up].join('\n');
      if (this.written.has(part)) continue;
      this.written.add(part);
      if (phase === 'fill') this.recordWrite(phase, step.line);
      if (phase === 'contract' && condition)
        this.problem = `a part of it belongs to the next release, and line ${step.line} asks for the database`;
      addPiece(ups, phase, newPiece([...(at === 0 ? comments : []), ...up], condition, autocommit));
      // Downgrades undo in the opposite order.
      if (down.length) this.undoPlaces.set(form, { round: this.round, phase });
      if (down.length) downs.set(phase, [newPiece(down, this.conditionOfUndo(form), autocommit), ...(downs.get(phase) ?? [])]);
    }
  }

  private conditionOfUndo({ undoneBy }: SafeForm): string {
    return this.down.all.find((unit) => this.down.steps(unit).some(undoneBy))?.condition ?? '';
  }

  /** Starts another round if a statement of the phase would run before those that it follows. */
  private startRoundFor(phase: Phase): void {
    if (this.inOrder && this.round.isPast(phase)) this.rounds.push(new Round());
  }

  /** @param before the round of the statement above @returns the round of this one */
  private addDowngradeUnit(unit: BodyUnit, steps: readonly Step[], isPlain: boolean, before: Round): Round {
    if (isIgnored(unit, steps)) return before;
    const groups = groupByStatement(steps);
    const isUndone = (step: Step) => this.fixable.some(({ form }) => form.undoneBy(step));
    if (!steps.some(isUndone)) return this.keepDowngradeUnit(unit, steps, before);
    const round = this.ownedPlace(steps, before)?.round ?? before;
    if (!isPlain) this.problem = `the downgrade undoes it in a block (line ${unit.line})`;
    for (const group of groups) {
      const left = group.filter((step) => !isUndone(step));
      if (left.length === group.length) this.addAsSql(round.down, group[0], unit.condition);
      else if (left.length) {
        const commands = separateCommands(group);
        if (!commands) this.problem = `line ${unit.line} undoes it, and more, in one statement`;
        for (const step of left) this.addAsSql(round.down, step, unit.condition, commands?.[group.indexOf(step)]);
      }
    }
    return round;
  }

  /** Adds a statement of the downgrade unchanged. @returns its round */
  private keepDowngradeUnit(unit: BodyUnit, steps: readonly Step[], before: Round): Round {
    const owned = this.ownedPlace(steps, before);
    const next = owned ? undefined : this.nextUndone(unit, before);
    if (next) {
      addPiece(next.round.downFirst, next.phase, keptPiece(unit));
      return next.round;
    }
    const { round, phase } = owned ?? { round: before, phase: 'add' };
    addPiece(round.down, phase, keptPiece(unit));
    return round;
  }

  /** Where the upgrade handles an object of a downgrade's statement. */
  private ownedPlace(steps: readonly Step[], before: Round): Place | undefined {
    const objects = steps.flatMap(({ action }) => objectsOf(action));
    const [owner] = objects.flatMap((name) => this.owners.get(name) ?? []);
    return owner && this.notBefore(owner, before);
  }

  /** Where the downgrade undoes the next form below a statement, which may count on the form until then. */
  private nextUndone({ endLine }: BodyUnit, before: Round): Place | undefined {
    const below = this.down.all.filter(({ line }) => line > endLine).flatMap((unit) => this.down.steps(unit));
    const [form] = below.flatMap((step) => this.fixable.flatMap((one) => (one.form.undoneBy(step) ? [one.form] : [])));
    const place = form && this.undoPlaces.get(form);
    return place && this.notBefore(place, before);
  }

  /** A place, unless it is in a later round than the statement above: the last round runs first. */
  private notBefore(place: Place, before: Round): Place | undefined {
    return this.rounds.indexOf(place.round) > this.rounds.indexOf(before) ? undefined : place;
  }

  /** Adds one statement of a call that makes several, as SQL. */
  private addAsSql(pieces: Map<Phase, WantedPiece[]>, step: Step | undefined, condition: string, sql = step?.sql ?? ''): void {
    if (!step) return;
    if (step.action.does === 'unparsed' || /\$1\b/.test(sql)) this.problem = `line ${step.line} has parameters`;
    addPiece(pieces, 'add', newPiece([execute(sql)], condition));
  }
}

/** Whether a unit is no statement of its own: names are written where they are needed, guards everywhere. */
function isIgnored({ kind }: BodyUnit, steps: readonly Step[]): boolean {
  return kind === 'nothing' || kind === 'guard' || (kind === 'names' && !steps.length);
}

function addPiece(pieces: Map<Phase, WantedPiece[]>, phase: Phase, piece: WantedPiece): void {
  pieces.set(phase, [...(pieces.get(phase) ?? []), piece]);
}

/** A piece of code in its block: pieces in a row share one `with` or `if`. */
function newPiece(lines: readonly string[], condition: string, outside = false): WantedPiece {
  if (!outside || !condition) return { code: lines.join('\n'), within: outside ? AUTOCOMMIT : condition };
  return { code: autocommit(...lines), within: condition };
}

const WRITING_ACTIONS = ['insert', 'update', 'delete', 'truncate', 'refresh', 'restart sequence', 'unparsed', 'other'];

/** Whether a unit may write rows. One that the replay did not enter, such as a loop over rows, may. */
function mayWriteRows({ kind }: BodyUnit, steps: readonly Step[]): boolean {
  return kind === 'block' || !steps.length || steps.some(({ action }) => WRITING_ACTIONS.includes(action.does));
}

/** The comments above a statement, without its indentation. */
function commentsOf({ code }: BodyUnit): string[] {
  const lines = code.split('\n').map((line) => line.trim());
  return lines.slice(
    0,
    lines.findIndex((line) => line !== '' && !line.startsWith('#')),
  );
}

export function keptPiece({ code, within }: BodyUnit): WantedPiece {
  return { code, within, isWritten: true };
}

/** Groups steps by statement: the parts of one ALTER TABLE share an index. */
function groupByStatement(steps: readonly Step[]): readonly (readonly Step[])[] {
  return [...new Set(steps.map(({ index }) => index))].map((index) => steps.filter((step) => step.index === index));
}

/** The steps of one statement as separate statements; undefined if it can't be split. */
function separateCommands(steps: readonly Step[]): readonly string[] | undefined {
  const [step, ...more] = steps as [Step, ...Step[]];
  if (!more.length) return [step.sql];
  const commands = alterTableCommands(step.sql);
  return commands.length === steps.length ? commands : undefined;
}

/** Moves statements in autocommit to the front: they commit everything before them. */
function withAutocommitFirst(pieces: readonly WantedPiece[]): readonly WantedPiece[] {
  const outside = ({ within, code }: WantedPiece) => within?.includes('autocommit_block') || code.startsWith(AUTOCOMMIT);
  return [...pieces.filter(outside), ...pieces.filter((piece) => !outside(piece))];
}

/** The objects that an action creates or drops. */
function objectsOf(action: Action): readonly string[] {
  switch (action.does) {
    case 'create table':
      return [`table ${action.table}`];
    case 'add column':
      return [`column ${action.table}.${action.column.name}`];
    case 'drop column':
      return [`column ${action.table}.${action.column}`];
    case 'create index':
      return action.index === undefined ? [] : [`index ${action.index}`];
    case 'drop index':
      return action.indexes.map((name) => `index ${unqualifiedName(name)}`);
    case 'add constraint':
      return action.constraint.name === undefined ? [] : [`constraint ${action.constraint.name}`];
    case 'drop constraint':
      return [`constraint ${action.constraint}`];
    case 'drop':
      return action.names.map((name) => `${action.what} ${name}`);
    default:
      return [];
  }
}
