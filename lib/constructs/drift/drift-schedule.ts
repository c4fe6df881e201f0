import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { DRIFT_FOUND, type MigrateRequest } from '../../contract';
import type { TenantRunInput } from '../../contract/tenants';

/** What checks for drift: the function, or for many tenants the state machine that calls it. */
export interface DriftWatcher {
  readonly fn: lambda.Function;
  readonly functionName: string | undefined;
  readonly stateMachine?: sfn.StateMachine;
  /** Of the state machine. */
  readonly encryptionKey?: kms.IKey;
}

/** Calls the function with the command `drift` on a schedule, or starts the state machine with it. @returns the alarm */
export function driftSchedule(
  scope: Construct,
  schedule: events.Schedule,
  { fn, functionName = 'unnamed', stateMachine, encryptionKey }: DriftWatcher,
): cloudwatch.Alarm {
  new events.Rule(scope, 'DriftSchedule', {
    description: `Looks for changes by hand in the schema that ${functionName} migrates`,
    schedule,
    targets: [stateMachine ? run(scope, stateMachine, encryptionKey) : call(fn)],
  });
  const found = new logs.MetricFilter(scope, 'DriftFound', {
    logGroup: fn.logGroup,
    filterPattern: logs.FilterPattern.stringValue('$.event', '=', DRIFT_FOUND),
    metricNamespace: 'cdk-alembic',
    metricName: `${functionName}-drift`,
    metricValue: '1',
  });
  return found.metric({ period: Duration.minutes(1), statistic: cloudwatch.Stats.SUM }).createAlarm(scope, 'DriftAlarm', {
    alarmName: `${functionName}-drift`,
    alarmDescription: `Someone changed the schema by hand. The objects are in the log group /aws/lambda/${functionName}, as "${DRIFT_FOUND}".`,
    threshold: 1,
    evaluationPeriods: 1,
    comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
  });
}

function call(fn: lambda.Function): events.IRuleTarget {
  const request: MigrateRequest = { command: 'drift' };
  return new targets.LambdaFunction(fn, { event: events.RuleTargetInput.fromObject(request), retryAttempts: 0 });
}

function run(scope: Construct, stateMachine: sfn.StateMachine, encryptionKey: kms.IKey | undefined): events.IRuleTarget {
  const role = new iam.Role(scope, 'DriftScheduleRole', { assumedBy: new iam.ServicePrincipal('events.amazonaws.com') });
  // Step Functions decrypts with the caller's permissions.
  encryptionKey?.grantDecrypt(role);
  const input: TenantRunInput = { command: 'drift', requestedBy: 'schedule' };
  return new targets.SfnStateMachine(stateMachine, { role, input: events.RuleTargetInput.fromObject(input), retryAttempts: 0 });
}
