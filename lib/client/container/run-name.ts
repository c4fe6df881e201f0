import { createHash } from 'node:crypto';

/** What Step Functions takes in the name of an execution, of which it takes 80 characters; a run's id has 36 of them. */
const PLAIN = /^[A-Za-z0-9_-]{1,40}$/;

/**
 * Name of the execution that begins with a revision. It is the same however often a run comes to that revision, and Step Functions
 * starts each name once.
 */
export function containerRunName(runId: string, revision: string): string {
  const part = PLAIN.test(revision) ? revision : createHash('sha256').update(revision).digest('hex').slice(0, 32);
  return `${runId}-${part}`;
}
