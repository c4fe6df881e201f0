import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';

/** Goes off when a call of the function has failed, from a deploy or by hand: also one that died without an answer. */
export function failureAlarm(
  scope: Construct,
  id: string,
  fn: lambda.Function,
  functionName: string | undefined,
): cloudwatch.Alarm {
  return fn.metricErrors({ period: Duration.minutes(1), statistic: cloudwatch.Stats.SUM }).createAlarm(scope, id, {
    ...(functionName && { alarmName: `${functionName}-failed` }),
    alarmDescription: `A migration failed. The reason is in the log group /aws/lambda/${functionName}, as "run_failed".`,
    threshold: 1,
    evaluationPeriods: 1,
    comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    // No calls are no failures: between two deploys there is no data at all.
    treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
  });
}
