import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { DRIFT_FOUND, type MigrateRequest } from '../../contract';

/** Calls the function with the command `drift` on a schedule. @returns the alarm that goes off when it finds drift */
export function driftSchedule(
  scope: Construct,
  schedule: events.Schedule,
  fn: lambda.Function,
  functionName = 'unnamed',
): cloudwatch.Alarm {
  const request: MigrateRequest = { command: 'drift' };
  new events.Rule(scope, 'DriftSchedule', {
    description: `Looks for changes by hand in the schema that ${functionName} migrates`,
    schedule,
    targets: [new targets.LambdaFunction(fn, { event: events.RuleTargetInput.fromObject(request), retryAttempts: 0 })],
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
