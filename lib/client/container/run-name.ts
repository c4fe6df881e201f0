import { createHash } from 'node:crypto';

/** The characters that an execution's name may have. Its limit is 80 characters, and a run's id takes 36. */
const PLAIN = /^[A-Za-z0-9_-]{1,40}$/;

/**
 * Name of the execution that starts with a revision. It is the same whenever a run reaches that revision, and Step Functions
 * starts each name only once.
 */
export function containerRunName(runId: string, revision: string): string {
  const part = PLAIN.test(revision) ? revision : createHash('sha256').update(revision).digest('hex').slice(0, 32);
  return `${runId}-${part}`;
}
