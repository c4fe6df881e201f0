import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { log } from './log';

/** Whether the stack that sent the event is being rolled back. A status that can't be read counts as no. */
export async function isRollingBack(stackId: string): Promise<boolean> {
  const cloudFormation = new CloudFormationClient({});
  try {
    const { Stacks } = await cloudFormation.send(new DescribeStacksCommand({ StackName: stackId }));
    return /^(UPDATE_)?ROLLBACK/.test(Stacks?.[0]?.StackStatus ?? '');
  } catch (error) {
    log('warning', 'the status of the stack can not be read; it is taken as not rolling back', { stackId, error: String(error) });
    return false;
  } finally {
    cloudFormation.destroy();
  }
}
