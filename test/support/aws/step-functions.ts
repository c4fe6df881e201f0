import type { Answer, AwsError } from './server';

/** What a stand-in found for an operation: an error if it has one with an HTTP status, as a failed execution also has an `error`. */
export function stepFunctionsAnswer(found: object): Answer {
  const isError = 'error' in found && 'status' in found && typeof found.status === 'number';
  return isError ? (found as AwsError) : { body: found };
}
