import { createHash } from 'node:crypto';

/** The run's id in the history. All slices of a request are one run, and a request that is delivered twice is one request. */
export function runId(stackId: string, requestId: string): string {
  const hash = createHash('sha256').update(`${stackId} ${requestId}`).digest('hex');
  return hash.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
}
