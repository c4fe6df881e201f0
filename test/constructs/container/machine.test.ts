import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  type DescribeExecutionCommandOutput,
  GetExecutionHistoryCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { clientOptions } from '../../../examples/local-aws';
import { type MiniStack, startMiniStack } from '../../../examples/local-aws/ministack';
import { toolPython } from '../../../examples/local-aws/tools';
import { containerDefinition } from '../../../lib/constructs/container/container-definition';
import { REQUEST_VARIABLE } from '../../../lib/contract';
import { temporaryDirectory } from '../support';

/*
 * The state machine of the container on a local AWS. It has no ECS that runs anything, so `ecs:runTask.sync` answers as a test says,
 * in the words of the real one; how often Step Functions asks, and what it makes of the answer, is decided by the definition.
 */

const NAME = 'app-container';
const ROLE = 'arn:aws:iam::000000000000:role/any';
const never = (StopCode: string, StoppedReason: string) => ({
  Error: 'States.TaskFailed',
  Cause: JSON.stringify({ StopCode, StoppedReason }),
});
const FAILED_TO_START = {
  Throw: never('TaskFailedToStart', 'CannotPullContainerError: pull image manifest has been retried 5 time(s)'),
};
const NO_CAPACITY = {
  Throw: { Error: 'ECS.AmazonECSException', Cause: 'Capacity is unavailable at this time. Please try again later.' },
};
const RUN_FAILED = { Throw: never('EssentialContainerExited', 'Essential container in task exited') };
const DONE = { Return: { StopCode: 'EssentialContainerExited', Containers: [{ ExitCode: 0 }] } };

/** What `ecs:runTask.sync` answers, try by try. */
const CASES = {
  Succeeds: [DONE],
  Fails: [RUN_FAILED, DONE],
  FailsToStartTwice: [FAILED_TO_START, FAILED_TO_START, DONE],
  NeverStarts: [FAILED_TO_START, NO_CAPACITY, FAILED_TO_START, DONE],
  FailsAfterOneStart: [NO_CAPACITY, RUN_FAILED, DONE],
};
type Case = keyof typeof CASES;

function mocks(): string {
  const file = join(temporaryDirectory(), 'mocks.json');
  const names = Object.keys(CASES) as Case[];
  const TestCases = Object.fromEntries(names.map((name) => [name, { Run: name }]));
  const MockedResponses = Object.fromEntries(names.map((name) => [name, { ...CASES[name] }]));
  writeFileSync(file, JSON.stringify({ StateMachines: { [NAME]: { TestCases } }, MockedResponses }));
  return file;
}

let ministack: MiniStack;
let sfn: SFNClient;

beforeAll(async () => {
  const python = await toolPython('ministack');
  const folder = temporaryDirectory();
  Object.assign(process.env, { SFN_MOCK_CONFIG: mocks(), SFN_WAIT_SCALE: '0' });
  ministack = await startMiniStack(python, folder);
  sfn = new SFNClient(clientOptions(ministack.url));
});
afterAll(async () => {
  sfn?.destroy();
  await ministack?.stop();
});

function definition(): any {
  return containerDefinition({
    partition: 'aws',
    cluster: 'tasks',
    taskDefinition: NAME,
    subnets: ['subnet-1'],
    securityGroups: ['sg-1'],
    assignPublicIp: false,
  });
}

async function create(name: string, made: object): Promise<string> {
  const created = await sfn.send(new CreateStateMachineCommand({ name, roleArn: ROLE, definition: JSON.stringify(made) }));
  return created.stateMachineArn as string;
}

async function execute(stateMachineArn: string, input: object): Promise<DescribeExecutionCommandOutput> {
  const command = new StartExecutionCommand({ stateMachineArn, name: randomUUID(), input: JSON.stringify(input) });
  const { executionArn } = await sfn.send(command);
  for (;;) {
    const execution = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    if (execution.status !== 'RUNNING') return execution;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** How often the task was started. */
async function starts({ executionArn }: DescribeExecutionCommandOutput): Promise<number> {
  const { events = [] } = await sfn.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1000 }));
  return events.filter(({ stateEnteredEventDetails: entered }) => entered?.name === 'Run').length;
}

describe('the state machine on a local AWS, with a fake ecs:runTask.sync', () => {
  let machine: string;
  beforeAll(async () => {
    machine = await create(NAME, definition());
  });

  test.each<[Case, string, number]>([
    ['Succeeds', 'SUCCEEDED', 1],
    ['Fails', 'FAILED', 1],
    ['FailsToStartTwice', 'SUCCEEDED', 3],
    ['NeverStarts', 'FAILED', 3],
    ['FailsAfterOneStart', 'FAILED', 2],
  ])('a task that %s ends as %s after %i starts', async (name, status, times) => {
    const execution = await execute(`${machine}#${name}`, {});
    expect([execution.status, await starts(execution)]).toEqual([status, times]);
  });

  test('a failure keeps the reason from ECS', async () => {
    const execution = await execute(`${machine}#Fails`, {});
    expect(execution).toMatchObject({ error: 'States.TaskFailed', cause: RUN_FAILED.Throw.Cause });
  });
});

test('the request arrives unchanged in the environment of the container', async () => {
  const ecs = async (operation: string, body: object) => {
    const headers = {
      'x-amz-target': `AmazonEC2ContainerServiceV20141113.${operation}`,
      'content-type': 'application/x-amz-json-1.1',
    };
    const response = await fetch(ministack.url, { method: 'POST', headers, body: JSON.stringify(body) });
    expect(response.status).toBe(200);
  };
  await ecs('CreateCluster', { clusterName: 'tasks' });
  await ecs('RegisterTaskDefinition', { family: NAME, containerDefinitions: [{ name: 'migrate', image: 'any' }] });
  const made = definition();
  // Here no task ever ends: it is not waited for.
  made.States.Run.Resource = 'arn:aws:states:::ecs:runTask';
  const request = { in: 'container', revision: 'd4', requestedBy: 'person "mira"', allow: ['drop_invalid_indexes'] };
  const { status, output = '{}' } = await execute(await create('without-waiting', made), request);
  expect(status).toBe('SUCCEEDED');
  const [override] = JSON.parse(output).tasks[0].overrides.containerOverrides;
  expect(override).toMatchObject({ name: 'migrate', environment: [{ name: REQUEST_VARIABLE }] });
  expect(JSON.parse(override.environment[0].value)).toEqual(request);
});
