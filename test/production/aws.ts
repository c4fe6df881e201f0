import { cloudFormation } from '../support/aws/cloudformation';
import { ACTIVE, invokeHeaders } from '../support/aws/lambda';
import { type Answer, AwsServer, type Call } from '../support/aws/server';
import type { Invoked } from './execution-environment';

/** A function as Lambda's API shows it: undefined when it is not there. */
export type Invocable = ((payload: string) => Promise<Invoked>) | undefined;

/** The AWS that a deploy speaks to; its functions are run by what `find` finds. */
export class Aws {
  /** What the stack is in; undefined: nobody may ask. */
  stackStatus?: string;
  /** Called with the name or ARN of the function. */
  find: (name: string) => Invocable = () => undefined;
  /** Called with the input of an execution. */
  startExecution: (input: string) => void = () => undefined;
  /** Whether the answer of this call is lost on its way; the call itself goes on. */
  losesAnswer: (name: string, payload: string) => Promise<boolean> = async () => false;
  /** How often the stack's status was told. */
  describeCalls = 0;
  private server?: AwsServer;

  static async start(): Promise<Aws> {
    const aws = new Aws();
    aws.server = await AwsServer.start({
      lambda: (call) => aws.lambda(call),
      cloudformation: cloudFormation(() => {
        if (aws.stackStatus !== undefined) aws.describeCalls += 1;
        return aws.stackStatus;
      }),
      states: ({ body }) => {
        aws.startExecution(JSON.parse(body).input);
        return { body: { executionArn: 'arn', startDate: 0 } };
      },
    });
    return aws;
  }

  get port(): number {
    return (this.server as AwsServer).port;
  }

  get url(): string {
    return (this.server as AwsServer).url;
  }

  async stop(): Promise<void> {
    await this.server?.stop();
  }

  private async lambda({ operation, name, body }: Call): Promise<Answer> {
    if (operation === 'GetFunctionConfiguration') return { body: ACTIVE };
    const invocable = this.find(name);
    if (!invocable) return { status: 404, error: 'ResourceNotFoundException', message: `Function not found: ${name}` };
    const result = invocable(body);
    // What the function does goes on.
    if (await this.losesAnswer(name, body)) return 'drop';
    const { payload, functionError, log } = await result;
    return { body: payload, headers: invokeHeaders(functionError, log) };
  }
}
