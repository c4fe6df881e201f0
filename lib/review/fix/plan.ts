import type { BodyFacts, BodyUnit, WantedPiece } from '../../contract/facts';
import { execute } from '../advice/python';
import type { Finding } from '../finding';
import type { Reviewed, Step } from '../revision/reviewed';
import { bare } from '../revision/tables';
import type { Action } from '../sql/action';
import { type Form, PHASES, type Phase } from './form';
import { Units } from './units';

/** A finding that stays, and why. */
export interface NotFixed {
  readonly finding: Finding;
  readonly reason: string;
  /** Whether it may have a fix after what is fixed now. @default false */
  readonly waits?: boolean;
}

/** A finding with the safe form of its statement. */
export interface Fixable {
  readonly finding: Finding;
  readonly step: Step;
  readonly form: Form;
}

/** The series that takes a revision's place. */
export interface Plan {
  readonly revision: Reviewed;
  readonly fixed: readonly Finding[];
  readonly phases: readonly PlannedPhase[];
  /** What the next release does, without which the schema is not that of the revision. @default - nothing */
  readonly later?: PlannedPhase;
  /** Whether it makes a downgrade run that failed: there is no trial of the revision itself to compare with. @default false */
  readonly repairs?: boolean;
}

/** The plan for one revision, if there is one, and why parts of it are left. */
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

/** Distributes the statements of a revision over the phases. */
export function planOf(revision: Reviewed, found: readonly Fixable[], bodies: BodyFacts): Planned {
  const all = (reason: string) => ({ notFixed: found.map(({ finding }) => ({ finding, reason })) });
  const { upgrade, downgrade } = revision;
  if (!upgrade.replayed || !downgrade.replayed) {
    return all(`nothing can be proved, because its ${upgrade.replayed ? 'downgrade' : 'upgrade'} does not run to its end`);
  }
  const returns = [upgrade, downgrade].flatMap(({ source }) => source?.earlyReturns ?? []);
  if (returns.length)
    return all(`line ${returns[0]} returns early: where it does, the rest must not run, and a step of its own would`);
  if (!bodies.upgrade || !bodies.downgrade) return all('its functions are not written in the usual way');
  const units = { up: new Units(bodies.upgrade, upgrade), down: new Units(bodies.downgrade, downgrade) };
  const [fixable, blocked] = [true, false].map((isPlain) =>
    found.filter(({ step }) => units.up.isPlain(units.up.of(step)) === isPlain),
  ) as [Fixable[], Fixable[]];
  const notFixed = blocked.map(({ finding }) => ({
    finding,
    reason:
      'it is in a condition, a block, a loop over what was read or a helper function, which are not rewritten: write it there by hand, as shown',
  }));
  if (!fixable.length) return { notFixed };
  const sorted = new Sorted(fixable, units.up, units.down);
  if (sorted.problem !== undefined) return all(sorted.problem);
  const phases = sorted.phases();
  const later = phases.find(({ phase }) => phase === 'contract');
  const now = phases.filter((phase) => phase !== later);
  return { plan: { revision, fixed: fixable.map(({ finding }) => finding), phases: now, ...(later ? { later } : {}) }, notFixed };
}

class Sorted {
  problem: string | undefined;
  private readonly up = new Map<Phase, WantedPiece[]>();
  private readonly down = new Map<Phase, WantedPiece[]>();
  /** The phase that makes an object. */
  private readonly owners = new Map<string, Phase>();
  /** Parts that several findings share, such as the values of an enum that two columns have. */
  private readonly written = new Set<string>();
  /** The latest phase that writes rows. */
  private lastWrite = 0;

  constructor(
    private readonly fixable: readonly Fixable[],
    up: Units,
    down: Units,
  ) {
    for (const unit of up.all) this.ascend(unit, up.steps(unit), up.isPlain(unit));
    for (const unit of down.all) this.descend(unit, down.steps(unit), down.isPlain(unit));
  }

  phases(): readonly PlannedPhase[] {
    const used = PHASES.filter((phase) => this.up.get(phase)?.length);
    // What no phase undoes is undone last, with the first one.
    const homeless = PHASES.filter((phase) => !used.includes(phase)).flatMap((phase) => this.down.get(phase) ?? []);
    return used.map((phase, at) => ({
      phase,
      up: withAutocommitFirst(this.up.get(phase) ?? []),
      down: [...(this.down.get(phase) ?? []), ...(at === 0 ? homeless : [])],
    }));
  }

  private ascend(unit: BodyUnit, steps: readonly Step[], isPlain: boolean): void {
    const own = this.fixable.filter(({ step }) => steps.includes(step));
    const isReplaced = (step: Step) => this.fixable.some(({ form }) => form.replaces?.(step));
    if (unit.kind === 'nothing' || (unit.kind === 'names' && !steps.length)) return;
    if (!own.length && !steps.some(isReplaced)) {
      const phase = unit.within.includes('autocommit_block') ? 'build' : 'add';
      for (const { action } of steps) for (const name of made(action)) this.owners.set(name, phase);
      if (mayWriteRows(unit, steps)) this.writesRows(phase, unit.line);
      this.add(this.up, phase, kept(unit));
      return;
    }
    if (!isPlain) this.problem = `line ${unit.line} belongs to it, and is no plain statement`;
    const comments = commentsOf(unit);
    for (const group of statementsOf(steps)) {
      const found = own.filter(({ step }) => group.includes(step));
      if (found.length > 1 || (found.length && group.length > 1)) this.problem = 'one statement does several things';
      const [fix] = found;
      if (fix) this.write(fix, comments.splice(0));
      else if (!group.every(isReplaced)) this.rewrite(this.up, 'add', group);
    }
  }

  /** Writes may not change their order: one that finds no made-up row would show no difference. */
  private writesRows(phase: Phase, line: number): void {
    const at = PHASES.indexOf(phase);
    if (at < this.lastWrite) this.problem = `line ${line} writes rows, and would run before a statement that it follows`;
    this.lastWrite = Math.max(this.lastWrite, at);
  }

  private write({ step, form: { parts } }: Fixable, comments: readonly string[]): void {
    for (const [at, { phase, up, down = [], autocommit }] of parts.entries()) {
      const part = [phase, ...up].join('\n');
      if (this.written.has(part)) continue;
      this.written.add(part);
      const within = autocommit ? AUTOCOMMIT : '';
      if (phase === 'fill') this.writesRows(phase, step.line);
      this.add(this.up, phase, { code: [...(at === 0 ? comments : []), ...up].join('\n'), within });
      // Downgrades undo in the opposite order.
      if (down.length) this.down.set(phase, [{ code: down.join('\n'), within }, ...(this.down.get(phase) ?? [])]);
    }
  }

  private descend(unit: BodyUnit, steps: readonly Step[], isPlain: boolean): void {
    if (unit.kind === 'nothing' || (unit.kind === 'names' && !steps.length)) return;
    const groups = statementsOf(steps);
    const undone = groups.filter((group) => group.some((step) => this.fixable.some(({ form }) => form.undoneBy(step))));
    if (!undone.length) {
      const owner = steps.flatMap(({ action }) => unmade(action)).flatMap((name) => this.owners.get(name) ?? [])[0];
      this.add(this.down, owner ?? 'add', kept(unit));
      return;
    }
    if (!isPlain) this.problem = `the downgrade undoes it in a block (line ${unit.line})`;
    for (const group of groups) if (!undone.includes(group)) this.rewrite(this.down, 'add', group);
  }

  /** A part of a call that makes several statements, as SQL. */
  private rewrite(pieces: Map<Phase, WantedPiece[]>, phase: Phase, [step]: readonly Step[]): void {
    if (!step) return;
    if (step.action.does === 'unparsed' || /\$1\b/.test(step.sql)) this.problem = `line ${step.line} has parameters`;
    this.add(pieces, phase, { code: execute(step.sql) });
  }

  private add(pieces: Map<Phase, WantedPiece[]>, phase: Phase, piece: WantedPiece): void {
    pieces.set(phase, [...(pieces.get(phase) ?? []), piece]);
  }
}

const WRITES = ['insert', 'update', 'delete', 'truncate', 'refresh', 'restart sequence', 'unparsed', 'other'];

/** What was not seen to run, such as a loop over rows, may write rows too. */
function mayWriteRows({ kind }: BodyUnit, steps: readonly Step[]): boolean {
  return kind === 'block' || !steps.length || steps.some(({ action }) => WRITES.includes(action.does));
}

/** The comments above a statement, without its indentation. */
function commentsOf({ code }: BodyUnit): string[] {
  const lines = code.split('\n').map((line) => line.trim());
  return lines.slice(
    0,
    lines.findIndex((line) => line !== '' && !line.startsWith('#')),
  );
}

export function kept({ code, within }: BodyUnit): WantedPiece {
  return { code, within, isWritten: true };
}

/** The parts of one ALTER TABLE share its number. */
function statementsOf(steps: readonly Step[]): readonly (readonly Step[])[] {
  return [...new Set(steps.map(({ index }) => index))].map((index) => steps.filter((step) => step.index === index));
}

/** A statement outside of the transaction commits what was done before it. */
function withAutocommitFirst(pieces: readonly WantedPiece[]): readonly WantedPiece[] {
  const outside = ({ within }: WantedPiece) => within?.includes('autocommit_block');
  return [...pieces.filter(outside), ...pieces.filter((piece) => !outside(piece))];
}

function made(action: Action): readonly string[] {
  if (action.does === 'create index' && action.index) return [`index ${action.index}`];
  if (action.does === 'add constraint' && action.constraint.name) return [`constraint ${action.constraint.name}`];
  return [];
}

function unmade(action: Action): readonly string[] {
  if (action.does === 'drop index') return action.indexes.map((name) => `index ${bare(name)}`);
  return action.does === 'drop constraint' ? [`constraint ${action.constraint}`] : [];
}
