import type { WantedPiece } from '../../../contract/facts';
import { PHASES, type Phase } from '../form';
import { withAutocommitFirst } from './pieces';
import type { PlannedPhase } from './plan';

/** One pass through all phases. */
export class Round {
  readonly up = new Map<Phase, WantedPiece[]>();
  readonly down = new Map<Phase, WantedPiece[]>();
  /** What the downgrade runs before `down`. */
  readonly downFirst = new Map<Phase, WantedPiece[]>();

  /** Its parts: findings may share one, such as the values of an enum that two columns have. */
  readonly written = new Set<string>();
  /** The latest phase that writes rows. */
  lastWrite = 0;
  /** Whether a second column takes over a name. */
  takesName = false;

  /** Whether a statement of a phase would run before rows, an index or a column that it may need. */
  isPast(phase: Phase): boolean {
    const needed = (['fill', 'build', 'require'] as const).filter((one) =>
      one === 'require' ? this.takesName : this.up.has(one),
    );
    return needed.some((later) => PHASES.indexOf(later) > PHASES.indexOf(phase));
  }

  phases(): readonly PlannedPhase[] {
    const used = PHASES.filter((phase) => this.up.has(phase));
    // The first phase's downgrade, which runs last, undoes what belongs to an unused phase.
    const orphaned = PHASES.filter((phase) => !used.includes(phase)).flatMap((phase) => this.down.get(phase) ?? []);
    return used.map((phase, at) => ({
      phase,
      up: withAutocommitFirst(this.up.get(phase) ?? []),
      down: [
        ...(this.downFirst.get(phase) ?? []),
        ...withAutocommitFirst([...(this.down.get(phase) ?? []), ...(at === 0 ? orphaned : [])]),
      ],
    }));
  }
}

/** The round and the phase of a statement. */
export interface Place {
  readonly round: Round;
  readonly phase: Phase;
}
