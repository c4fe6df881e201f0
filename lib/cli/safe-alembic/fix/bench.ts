import type { ComposedFile, Overlay } from '../../../contract/facts';
import type { Observation } from '../../../local/python/with-observer';
import type { FailArguments, ReplayArguments } from '../replay/options';
import type { Session } from '../session';

/** The context of a fix. */
export interface Bench {
  readonly session: Session;
  readonly given: ReplayArguments & FailArguments;
  readonly observation: Observation;
  /** Whether `create` has just written the revisions. */
  readonly isNew: boolean;
  /** Files that are already fixed but not written yet. */
  readonly fixed: readonly ComposedFile[];
}

/** The project with the files that are already fixed, and others. */
export function overlayOf({ observation: { folder }, fixed }: Bench, files: readonly ComposedFile[] = []): Overlay {
  return { overlay: [...fixed, ...files], folder };
}
