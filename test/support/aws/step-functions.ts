import type { Answer, AwsError } from './server';

/** The answer for a fake's result: an error if it has an HTTP status, because a failed execution also has an `error`. */
export function stepFunctionsAnswer(found: object): Answer {
  const isError = 'error' in found && 'status' in found && typeof found.status === 'number';
  return isError ? (found as AwsError) : { body: found };
}
