import type { WantedPiece } from '../../../contract/facts';
import type { Finding } from '../../finding';
import type { AnalyzedRevision, Step } from '../../revision/analyzed-revision';
import type { Phase, SafeForm } from '../form';

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
