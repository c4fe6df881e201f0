import type { BodyUnit } from '../../../contract/facts';
import type { Step } from '../../revision/analyzed-revision';
import type { SafeForm } from '../form';
import { addPiece, keptPiece, statementPiece } from './pieces';
import type { Fixable } from './plan';
import type { Place, Round } from './round';
import { groupByStatement, isIgnored, objectsOf, separateCommands } from './statements';
import type { Units } from './units';
import type { UpgradePlan } from './upgrade';

/** Adds the downgrade's statements to the rounds of the upgrade. */
export class DowngradePlan {
  /** Why there is none. */
  problem: string | undefined;

  constructor(
    private readonly fixable: readonly Fixable[],
    private readonly down: Units,
    private readonly upgrade: UpgradePlan,
  ) {
    let round = upgrade.rounds.at(-1) as Round;
    for (const unit of down.all) round = this.earlier(round, this.addUnit(unit, down.steps(unit), down.isPlain(unit), round));
  }

  /** The last round's downgrade runs first: what belongs to no round stays below what is above it. */
  private earlier(one: Round, other: Round): Round {
    const { rounds } = this.upgrade;
    return rounds.indexOf(one) < rounds.indexOf(other) ? one : other;
  }

  /** @param before the earliest round of the statements above @returns the round of this one */
  private addUnit(unit: BodyUnit, steps: readonly Step[], isPlain: boolean, before: Round): Round {
    if (isIgnored(unit, steps)) return before;
    const groups = groupByStatement(steps);
    const isUndone = (step: Step) => this.fixable.some(({ form }) => form.undoneBy(step));
    if (!steps.some(isUndone)) return this.keepUnit(unit, steps, before);
    const round = this.ownedPlace(steps)?.round ?? before;
    if (!isPlain) this.problem = `the downgrade undoes it in a block (line ${unit.line})`;
    if (unit.checks && !steps.every(isUndone))
      this.problem = `line ${unit.line} asks for an index, and another statement depends on it`;
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
  private keepUnit(unit: BodyUnit, steps: readonly Step[], before: Round): Round {
    const owned = this.ownedPlace(steps);
    const next = owned ? undefined : this.nextUndone(unit, steps, before);
    if (next) {
      addPiece(next.round.downFirst, next.phase, keptPiece(unit));
      return next.round;
    }
    const { round, phase } = owned ?? { round: before, phase: 'add' };
    addPiece(round.down, phase, keptPiece(unit));
    return round;
  }

  /** Where the upgrade handles an object of a downgrade's statement. */
  private ownedPlace(steps: readonly Step[]): Place | undefined {
    const owners = steps.flatMap(objectsOf).map((name) => this.upgrade.owners.get(name));
    return owners.find((owner) => owner !== undefined);
  }

  /** Where the downgrade undoes the next form below a statement in its round: the statement may count on the form until then. */
  private nextUndone({ endLine }: BodyUnit, steps: readonly Step[], before: Round): Place | undefined {
    const below = this.down.all.filter(({ line }) => line > endLine).flatMap((unit) => this.down.steps(unit));
    const isSetting = steps.length > 0 && steps.every(({ action }) => action.does === 'set' && action.isLocal);
    // SET LOCAL has no effect outside of a transaction.
    const forms = this.fixable.map(({ form }) => form).filter((form) => !isSetting || !isUndoneOutside(form));
    const [form] = below.flatMap((step) => forms.filter((one) => one.undoneBy(step)));
    const place = form && this.upgrade.undoPlaces.get(form);
    return place?.round === before ? place : undefined;
  }

  private addAsSql(pieces: Round['down'], step: Step, condition: string, sql?: string): void {
    const piece = statementPiece(step, condition, sql);
    if (piece) addPiece(pieces, 'add', piece);
    else this.problem = `line ${step.line} has parameters`;
  }
}

/** Whether a form is undone outside of Alembic's transaction. */
function isUndoneOutside({ parts }: SafeForm): boolean {
  return parts.every(({ down, autocommit }) => !down?.length || autocommit);
}
