import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { nextRequest } from '../../../lib/cli/migrate-invoke/next-request';
import { answer } from '../../support/aws/answers';
import { StageAws } from '../../support/aws/stage';

test('the next request is prepared while the first one is still waiting for its answer', async () => {
  const aws = await StageAws.start((_, call) => (call === 1 ? 'hang' : { answer: answer() }));
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const lambda = new LambdaClient({ region: 'eu-central-1', endpoint: aws.url, credentials });
  try {
    const order: string[] = [];
    const requested = nextRequest(lambda).then(() => order.push('requested'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(order).toEqual([]);
    const [arrival, given] = [aws.nextInvoke(), new AbortController()];
    const command = new InvokeCommand({ FunctionName: 'mine', Payload: Buffer.from('{}') });
    const ended = lambda.send(command, { abortSignal: given.signal }).catch((error: Error) => order.push(error.name));
    await Promise.all([requested, arrival]);
    given.abort();
    await ended;
    expect(order).toEqual(['requested', 'AbortError']);
  } finally {
    lambda.destroy();
    await aws.stop();
  }
});
