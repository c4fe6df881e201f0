import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answer } from '../../test/support/aws/answers';

/** A fake Lambda that records the time of the first request. */
export interface FakeLambda {
  readonly url: string;
  /** When the first invoke arrived since this was asked last, as Date.now(). */
  firstInvoke(): number;
}

/** Every invoke of the function is answered with success at once. */
export async function startFakeLambda(functionName: string): Promise<FakeLambda> {
  let arrivals: number[] = [];
  const server = createServer((request, response) => {
    const arrival = Date.now();
    request.resume().on('end', () => {
      const isInvoke = request.url === `/2015-03-31/functions/${functionName}/invocations`;
      if (isInvoke) arrivals.push(arrival);
      response.writeHead(isInvoke ? 200 : 404, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer()));
    });
  });
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    firstInvoke() {
      const [first] = arrivals;
      arrivals = [];
      if (first === undefined) throw new Error('the function was not invoked');
      return first;
    },
  };
}
