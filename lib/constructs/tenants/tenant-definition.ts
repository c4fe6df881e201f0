import { TENANT_STATES } from '../../contract/tenants';

export interface TenantDefinitionProps {
  /** The AWS partition: `aws`, `aws-cn`, `aws-us-gov`. */
  readonly partition: string;
  readonly coordinator: string;
  readonly batch: string;
  /** The bucket with the run's files. */
  readonly bucket: string;
  /** How many workers run at the same time. */
  readonly concurrency: number;
  /** The maximum duration of a run, in seconds. */
  readonly timeoutSeconds: number;
  /** The wait after the canaries. Absent without canaries. */
  readonly canary?: { readonly after: 'pause' | 'approval'; readonly seconds: number };
}

const { list, canary, judge, pause, approval, rest, summarize } = TENANT_STATES;

/** Lambda had no capacity or was unreachable. Retrying is safe: every action may be repeated. */
const RETRY_LAMBDA = {
  ErrorEquals: [
    'Lambda.ServiceException',
    'Lambda.AWSLambdaException',
    'Lambda.SdkClientException',
    'Lambda.ClientExecutionTimeoutException',
    'Lambda.TooManyRequestsException',
    'Lambda.ResourceNotReadyException',
    'Lambda.Unknown',
  ],
  IntervalSeconds: 2,
  MaxAttempts: 6,
  BackoffRate: 2,
  MaxDelaySeconds: 60,
  JitterStrategy: 'FULL',
};

/** Gives up after the worker had no capacity for more than ten minutes: someone must check. */
const RETRY_WORKER = {
  ErrorEquals: ['WorkerNotReady'],
  IntervalSeconds: 5,
  MaxAttempts: 10,
  BackoffRate: 2,
  MaxDelaySeconds: 60,
  JitterStrategy: 'FULL',
};

/** The run always ends with a summary. */
const CATCH_AND_SUMMARIZE = [{ ErrorEquals: ['States.ALL'], ResultPath: '$.stopped', Next: summarize }];

/** A run over the tenants, in the Amazon States Language. The coordinator's decisions are in lambda/tenants. */
export function tenantDefinition(props: TenantDefinitionProps): Record<string, unknown> {
  const coordinate = (action: string, payload: object = {}, resource = 'lambda:invoke') => ({
    Type: 'Task',
    Resource: `arn:${props.partition}:states:::${resource}`,
    Parameters: { FunctionName: props.coordinator, Payload: { action, 'runId.$': '$.runId', ...payload } },
    Retry: [RETRY_LAMBDA],
  });
  return {
    Comment: 'Migrates the tenants of a stage: the canaries, then the rest, many batches at the same time',
    StartAt: 'Begin',
    TimeoutSeconds: props.timeoutSeconds,
    States: {
      Begin: {
        Type: 'Pass',
        Parameters: { 'runId.$': '$$.Execution.Name', 'input.$': '$$.Execution.Input', stopped: null },
        Next: list,
      },
      [list]: {
        ...coordinate('list', { 'input.$': '$.input' }),
        ResultSelector: {
          'next.$': '$.Payload.next',
          'total.$': '$.Payload.total',
          'canaryKey.$': '$.Payload.canaryKey',
          'restKey.$': '$.Payload.restKey',
        },
        ResultPath: '$.list',
        Catch: CATCH_AND_SUMMARIZE,
        Next: 'First wave',
      },
      'First wave': {
        Type: 'Choice',
        Choices: [
          ...(props.canary ? [{ Variable: '$.list.next', StringEquals: 'canary', Next: canary }] : []),
          { Variable: '$.list.next', StringEquals: 'rest', Next: rest },
        ],
        Default: summarize,
      },
      ...(props.canary && canaryStates(props, props.canary, coordinate)),
      [rest]: map(rest, '$.list.restKey', summarize, props),
      [summarize]: {
        ...coordinate('summarize', { 'stopped.$': '$.stopped' }),
        ResultSelector: {
          'error.$': '$.Payload.error',
          'cause.$': '$.Payload.cause',
          'status.$': '$.Payload.status',
          'summary.$': '$.Payload.summary',
        },
        Next: 'Outcome',
      },
      Outcome: {
        Type: 'Choice',
        Choices: [{ Variable: '$.status', StringEquals: 'failed', Next: 'Failed' }],
        Default: 'Succeeded',
      },
      Failed: { Type: 'Fail', ErrorPath: '$.error', CausePath: '$.cause' },
      Succeeded: { Type: 'Succeed', InputPath: '$.summary' },
    },
  };
}

function canaryStates(
  props: TenantDefinitionProps,
  then: NonNullable<TenantDefinitionProps['canary']>,
  coordinate: (action: string, payload?: object, resource?: string) => object,
): Record<string, unknown> {
  return {
    [canary]: map(canary, '$.list.canaryKey', judge, props),
    [judge]: {
      ...coordinate('judge'),
      ResultSelector: { 'next.$': '$.Payload.next' },
      ResultPath: '$.judged',
      Catch: CATCH_AND_SUMMARIZE,
      Next: 'After the canaries',
    },
    'After the canaries': {
      Type: 'Choice',
      Choices: [{ Variable: '$.judged.next', StringEquals: 'summarize', Next: summarize }],
      Default: then.after === 'pause' ? pause : approval,
    },
    ...(then.after === 'pause'
      ? { [pause]: { Type: 'Wait', Seconds: then.seconds, Next: rest } }
      : {
          [approval]: {
            ...coordinate('requestApproval', { 'token.$': '$$.Task.Token' }, 'lambda:invoke.waitForTaskToken'),
            TimeoutSeconds: then.seconds,
            ResultPath: null,
            Catch: [{ ErrorEquals: ['States.Timeout'], ResultPath: null, Next: 'Nobody approved' }, ...CATCH_AND_SUMMARIZE],
            Next: rest,
          },
          'Nobody approved': {
            Type: 'Pass',
            Result: { Error: 'not_approved', Cause: `nobody approved the canaries within ${then.seconds} seconds` },
            ResultPath: '$.stopped',
            Next: summarize,
          },
        }),
  };
}

type Names = [string, string, string, string];

/** One child execution per batch. All of them run: failed tenants decide when to stop, not failed batches. */
function map(label: string, keyPath: string, next: string, { partition, bucket, batch, concurrency }: TenantDefinitionProps) {
  // State names must be unique in a state machine, even in its two maps.
  const [run, done, failed, complete] = ['', ' done', ' failed', ' complete'].map((end) => `${label} batch${end}`) as Names;
  return {
    Type: 'Map',
    Label: label,
    ItemReader: {
      Resource: `arn:${partition}:states:::s3:getObject`,
      ReaderConfig: { InputType: 'JSON' },
      Parameters: { Bucket: bucket, 'Key.$': keyPath },
    },
    MaxConcurrency: concurrency,
    ToleratedFailurePercentage: 100,
    ItemProcessor: {
      ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
      StartAt: run,
      States: {
        [run]: {
          Type: 'Task',
          Resource: `arn:${partition}:states:::lambda:invoke`,
          Parameters: { FunctionName: batch, 'Payload.$': '$' },
          OutputPath: '$.Payload',
          Retry: [RETRY_WORKER, RETRY_LAMBDA],
          Next: done,
        },
        [done]: {
          Type: 'Choice',
          Choices: [
            { Variable: '$.more', BooleanEquals: true, Next: run },
            { Variable: '$.failed', BooleanEquals: true, Next: failed },
          ],
          Default: complete,
        },
        [failed]: {
          Type: 'Fail',
          Error: 'tenants_failed',
          Cause: "tenants of this batch failed or were not started: see its answers in the run's folder of the bucket",
        },
        // Nearly empty, because the map's result contains one per child.
        [complete]: { Type: 'Pass', Result: 0, End: true },
      },
    },
    ResultPath: null,
    Catch: CATCH_AND_SUMMARIZE,
    Next: next,
  };
}
