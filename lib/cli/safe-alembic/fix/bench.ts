import type { Observation } from '../../../local/python/with-observer';
import type { FailArguments, ReplayArguments } from '../replay/options';
import type { Session } from '../session';

/** Where a fix works. */
export interface Bench {
  readonly session: Session;
  readonly given: ReplayArguments & FailArguments;
  readonly observation: Observation;
}
