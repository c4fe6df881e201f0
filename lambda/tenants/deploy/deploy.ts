import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeExecutionCommand, ExecutionAlreadyExists, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { CdkCustomResourceEvent, CdkCustomResourceIsCompleteResponse } from 'aws-lambda';
import { printable } from '../../../lib/client/printable';
import { consoleDomain } from '../../../lib/contract/aws-console';
import { text } from '../../../lib/contract/checks/rules';
import type { TenantsOnDeployData, TenantsOnDeployProperties } from '../../../lib/contract/coordinator';
import type { TenantRunInput } from '../../../lib/contract/tenants';
import { checkEvent, TIME } from '../../on-deploy/event';
import { log } from '../../on-deploy/log';
import { runId as runIdOf } from '../../on-deploy/run-id';
import { isRollingBack } from '../../on-deploy/stack-status';
import { type Failure, failureOf, runFailure } from './run-failure';

/** Passed from `onEvent` to `isComplete`: the framework merges it into the event of every later call. */
export interface Started {
  readonly PhysicalResourceId: string;
  readonly Data: TenantsOnDeployData;
  /** The execution to wait for; absent after a rollback. */
  readonly ExecutionArn?: string;
  /** When CloudFormation's hour started, in milliseconds since the epoch. */
  readonly StartedAt: number;
}

type Event = CdkCustomResourceEvent<TenantsOnDeployProperties>;
type Deployed = CdkCustomResourceIsCompleteResponse<TenantsOnDeployData>;

const PROPERTIES = ['StateMachineArn', 'Stage'];
const STARTED = { ExecutionArn: text(), StartedAt: TIME };

/** Ends the deploy with a reason before CloudFormation's hour is over, after which it would fail without one. */
const DEPLOY_SECONDS = 55 * 60;

/** Step Functions throttles when many stacks deploy at once; that should not fail a deploy. */
const MAX_ATTEMPTS = 8;

/** How long one call of `isComplete` polls: the waiter's state machine needs fewer steps, and the end is noticed at once. */
const POLL_SECONDS = 60;
const POLL_INTERVAL_SECONDS = 2;

/** CDK's Provider framework calls this once per event. With `handOver`, the deploy ends here. */
export async function onEvent(event: Event): Promise<Started | { PhysicalResourceId: string }> {
  const StartedAt = Date.now();
  checkEvent(event, PROPERTIES);
  if (event.RequestType === 'Delete') return { PhysicalResourceId: event.PhysicalResourceId };
  const PhysicalResourceId = event.RequestType === 'Update' ? event.PhysicalResourceId : idOf(event);
  if (event.RequestType === 'Update' && (await isRollingBack(event.StackId))) {
    log('warning', 'the stack is rolling back: there is nothing to migrate, and no run is started', about(event));
    return { PhysicalResourceId, Data: { runId: '', consoleUrl: '' }, StartedAt };
  }
  const runId = runIdOf(event.StackId, event.RequestId);
  const ExecutionArn = await start(event, runId);
  const Data = { runId, consoleUrl: consoleUrl(ExecutionArn) };
  log('info', 'started', { ...about(event), ...Data });
  return { PhysicalResourceId, Data, ExecutionArn, StartedAt };
}

/** CDK's Provider framework calls this until the run has ended. */
export async function isComplete(event: Event & Partial<Started>): Promise<Deployed> {
  checkEvent(event, PROPERTIES, event?.ExecutionArn === undefined ? {} : STARTED);
  const { RequestType, ExecutionArn, Data, StartedAt = 0 } = event;
  if (RequestType === 'Delete' || !ExecutionArn) return { IsComplete: true, ...(Data && { Data }) };
  const sfn = new SFNClient({ maxAttempts: MAX_ATTEMPTS });
  try {
    const end = Date.now() + POLL_SECONDS * 1000;
    for (;;) {
      const execution = await sfn.send(new DescribeExecutionCommand({ executionArn: ExecutionArn }));
      if (execution.status === 'SUCCEEDED') return { IsComplete: true, ...(Data && { Data }) };
      if (execution.status !== 'RUNNING') return await endedBadly(event, failureOf(execution));
      if (Date.now() - StartedAt > DEPLOY_SECONDS * 1000) return await failed(event, STILL_RUNNING);
      if (Date.now() >= end) return { IsComplete: false };
      await sleep(POLL_INTERVAL_SECONDS * 1000);
    }
  } finally {
    sfn.destroy();
  }
}

const STILL_RUNNING = {
  message: `the tenants' migrations take longer than a deploy can wait: after ${DEPLOY_SECONDS / 60} minutes they are still running`,
  next: 'the run continues: deploy again when it has ended, or use TenantDeploy.handOver() if it always takes this long',
};

/** A repeated delivery of a request has the same name, and Step Functions starts each name only once. */
async function start(event: Event, name: string): Promise<string> {
  const { StateMachineArn } = event.ResourceProperties;
  const stackName = event.StackId.split('/')[1] ?? event.StackId;
  const input: TenantRunInput = { requestedBy: printable(`deploy ${stackName}`) };
  const sfn = new SFNClient({ maxAttempts: MAX_ATTEMPTS });
  try {
    await sfn.send(new StartExecutionCommand({ stateMachineArn: StateMachineArn, name, input: JSON.stringify(input) }));
  } catch (error) {
    if (!(error instanceof ExecutionAlreadyExists)) throw error;
  } finally {
    sfn.destroy();
  }
  return `${StateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
}

async function endedBadly(event: Event & Partial<Started>, failure: Failure): Promise<Deployed> {
  if (failure.code !== 'no_tenants' || event.RequestType !== 'Create') return failed(event, failure);
  // A new stage has no tenants yet. An existing one may have lost its list.
  log('warning', 'there are no tenants yet', { ...about(event), ...failure });
  return { IsComplete: true, ...(event.Data && { Data: event.Data }) };
}

async function failed(event: Event & Partial<Started>, failure: Failure): Promise<Deployed> {
  // A canceled deploy may already be rolling back; failing here would leave the stack in UPDATE_ROLLBACK_FAILED.
  if (event.RequestType === 'Update' && (await isRollingBack(event.StackId))) return { IsComplete: true, Data: event.Data };
  const reported = runFailure(failure, event.Data?.consoleUrl ?? '');
  // `cdk deploy` ends with the messages of this log's last lines.
  const { message, ...details } = failure;
  log('error', reported.message, { ...about(event), ...details });
  throw reported;
}

function idOf({ ResourceProperties: { StateMachineArn } }: Event): string {
  // If an update changed this id, CloudFormation would send a Delete for the old one.
  return `${StateMachineArn.split(':').at(-1)}/runs`;
}

function consoleUrl(executionArn: string): string {
  const [, , , region = ''] = executionArn.split(':');
  return `https://${consoleDomain(region)}/states/home?region=${region}#/v2/executions/details/${executionArn}`;
}

function about({ RequestType, StackId, ResourceProperties: { StateMachineArn, Stage } }: Event): Record<string, unknown> {
  return { requestType: RequestType, stackId: StackId, stateMachine: StateMachineArn, stage: Stage };
}
