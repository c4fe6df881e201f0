import { setImmediate as turn } from 'node:timers/promises';
import type { LambdaClient } from '@aws-sdk/client-lambda';

const NAME = 'nextRequest';

/** Resolves when a client has sent its next request. */
export async function nextRequest(lambda: LambdaClient): Promise<void> {
  await new Promise<void>((resolve) => {
    lambda.middlewareStack.add(
      (next) => (request) => {
        resolve();
        return next(request);
      },
      // The innermost middleware: it calls the connection.
      { name: NAME, step: 'deserialize', priority: 'low' },
    );
  });
  lambda.middlewareStack.remove(NAME);
  // One turn of the event loop to open the connection, and one to send.
  await turn();
  await turn();
}
