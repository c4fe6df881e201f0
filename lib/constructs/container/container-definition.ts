import { REQUEST_VARIABLE } from '../../contract';

/** Name of the container in its task. */
export const CONTAINER_NAME = 'migrate';

/** How often to start a task that never begins to run. */
const STARTS = 3;
const PAUSE_SECONDS = 30;

/**
 * Causes that Step Functions reports for a task that never ran: ECS had no capacity or throttled the call, or it failed before
 * the container started (the image could not be pulled, no network interface).
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
 */
const NEVER_BEGAN = ['*TaskFailedToStart*', '*Capacity is unavailable*', '*ThrottlingException*', '*Rate exceeded*'];

export interface ContainerDefinitionProps {
  readonly partition: string;
  readonly cluster: string;
  readonly taskDefinition: string;
  readonly subnets: readonly string[];
  readonly securityGroups: readonly string[];
  readonly assignPublicIp: boolean;
}

/** A run of the container, in the Amazon States Language. Its input is the request. */
export function containerDefinition(props: ContainerDefinitionProps): Record<string, unknown> {
  const { partition, cluster, taskDefinition, subnets, securityGroups, assignPublicIp } = props;
  return {
    Comment: 'Runs the migrations that take longer than a function may, in a container',
    StartAt: 'Begin',
    States: {
      Begin: { Type: 'Pass', Parameters: { 'request.$': '$', starts: 1 }, Next: 'Run' },
      Run: {
        Type: 'Task',
        Resource: `arn:${partition}:states:::ecs:runTask.sync`,
        Parameters: {
          Cluster: cluster,
          TaskDefinition: taskDefinition,
          LaunchType: 'FARGATE',
          NetworkConfiguration: {
            AwsvpcConfiguration: {
              Subnets: subnets,
              SecurityGroups: securityGroups,
              AssignPublicIp: assignPublicIp ? 'ENABLED' : 'DISABLED',
            },
          },
          Overrides: {
            ContainerOverrides: [
              {
                Name: CONTAINER_NAME,
                Environment: [{ Name: REQUEST_VARIABLE, 'Value.$': 'States.JsonToString($.request)' }],
              },
            ],
          },
        },
        // No Retry: it can't distinguish a task that failed from one that never started.
        Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: 'Judge' }],
        End: true,
      },
      Judge: {
        Type: 'Choice',
        Choices: [
          {
            And: [
              { Variable: '$.starts', NumericLessThan: STARTS },
              { Variable: '$.failure.Cause', IsPresent: true },
              { Or: NEVER_BEGAN.map((StringMatches) => ({ Variable: '$.failure.Cause', StringMatches })) },
            ],
            Next: 'Pause',
          },
        ],
        Default: 'Failed',
      },
      Pause: { Type: 'Wait', Seconds: PAUSE_SECONDS, Next: 'Again' },
      Again: {
        Type: 'Pass',
        Parameters: { 'request.$': '$.request', 'starts.$': 'States.MathAdd($.starts, 1)' },
        Next: 'Run',
      },
      Failed: { Type: 'Fail', ErrorPath: '$.failure.Error', CausePath: '$.failure.Cause' },
    },
  };
}
