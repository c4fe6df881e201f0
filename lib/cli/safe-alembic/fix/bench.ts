import type { ComposedFile, Overlay } from '../../../contract/facts';
import type { Observation } from '../../../local/python/with-observer';
import type { FailArguments, ReplayArguments } from '../replay/options';
import type { Session } from '../session';

/** Where a fix works. */
export interface Bench {
  readonly session: Session;
  readonly given: ReplayArguments & FailArguments;
  readonly observation: Observation;
  /** What is fixed already and not written yet. */
  readonly fixed: readonly ComposedFile[];
}

/** The project with the files that are fixed already, and others. */
export function overlayOf({ observation: { folder }, fixed }: Bench, files: readonly ComposedFile[] = []): Overlay {
  return { overlay: [...fixed, ...files], folder };
}
