import type { MigrateFailure } from '../../../lib/contract';
import type { Answer, AwsError } from './server';

/** The function's reaction to an invoke. */
export type Reply =
  | { readonly answer: unknown }
  | { readonly failure: MigrateFailure; readonly log?: string }
  | { readonly crash: { errorMessage: string; errorType?: string }; readonly log?: string }
  | { readonly text: string }
  | AwsError
  | 'drop'
  | 'hang';

/** The answer of GetFunctionConfiguration. */
export type Configuration = { State: string; LastUpdateStatus?: string; StateReason?: string } | AwsError;

export const ACTIVE: Configuration = { State: 'Active', LastUpdateStatus: 'Successful' };

/** A reply in Lambda's format. */
export function invoked(reply: Reply): Answer {
  if (typeof reply === 'string' || 'error' in reply) return reply;
  if ('answer' in reply) return { body: reply.answer };
  if ('text' in reply) return { body: reply.text };
  const payload = 'crash' in reply ? reply.crash : { errorMessage: JSON.stringify(reply.failure), errorType: 'RunnerFailure' };
  return { body: payload, headers: invokeHeaders('Unhandled', reply.log) };
}

/** Lambda's headers for an invoke; the log header has the last 4 KB. */
export function invokeHeaders(functionError?: string, log?: string): Record<string, string> {
  return {
    ...(functionError && { 'x-amz-function-error': functionError }),
    ...(log && { 'x-amz-log-result': Buffer.from(log).subarray(-4096).toString('base64') }),
  };
}
