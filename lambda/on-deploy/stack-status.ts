import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { log } from './log';

// An unrecognized rollback can leave the stack stuck, and CloudFormation throttles if many stacks deploy at once.
const MAX_ATTEMPTS = 5;
const TIMEOUT_MS = 5_000;

/** Whether the stack of the event is rolling back. An unreadable status counts as no. */
export async function isRollingBack(stackId: string): Promise<boolean> {
  const cloudFormation = new CloudFormationClient({
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: { connectionTimeout: TIMEOUT_MS, requestTimeout: TIMEOUT_MS, throwOnRequestTimeout: true },
  });
  try {
    const { Stacks } = await cloudFormation.send(new DescribeStacksCommand({ StackName: stackId }));
    return /^(UPDATE_)?ROLLBACK/.test(Stacks?.[0]?.StackStatus ?? '');
  } catch (error) {
    log('warning', 'the status of the stack could not be read; assuming that it is not rolling back', {
      stackId,
      error: String(error),
    });
    return false;
  } finally {
    cloudFormation.destroy();
  }
}
