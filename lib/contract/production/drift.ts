import type { Count, Text } from '../basic';

/** The function's log line for drift that the command `drift` found. */
export const DRIFT_FOUND = 'drift_found';

/** The schema compared with the catalog that the last run kept. */
export interface DriftReport {
  /** `unknown`: it could not be compared; `reason` says why. */
  readonly status: 'none' | 'drifted' | 'unknown';
  readonly reason?: Text;
  /** When a run kept the catalog. ISO 8601, UTC. Absent: never. */
  readonly keptAt?: Text;
  /** SHA-256 of the kept catalog. */
  readonly digest?: Text;
  /** What differs, by name. */
  readonly objects: readonly DriftedObject[];
  /** Number of objects that did not fit into Lambda's answer. Absent: none. */
  readonly objectsLeftOut?: Count;
}

/** How many objects differ. */
export function driftCount({ objects, objectsLeftOut = 0 }: DriftReport): number {
  return objects.length + objectsLeftOut;
}

export interface DriftedObject {
  /** What was done by hand. */
  readonly change: 'added' | 'removed' | 'changed';
  /** Kind and name, such as `index ix_users_email` or `column users.email`. */
  readonly object: Text;
  /** Its definition after the last run. Absent: there was none. */
  readonly kept?: string;
  /** Its definition now. Absent: there is none. */
  readonly found?: string;
  /** DDL that restores it, without its rows. Absent: it can't be written from the definition. */
  readonly ddl?: string;
}
