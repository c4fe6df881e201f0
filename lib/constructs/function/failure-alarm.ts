import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';

/** Failures per minute. */
const EACH: cloudwatch.MetricOptions = { period: Duration.minutes(1), statistic: cloudwatch.Stats.SUM };

/** Goes off when a call of the function fails, from a deploy or by hand, even if it dies without an answer. */
export function failureAlarm(
  scope: Construct,
  id: string,
  fn: lambda.Function,
  functionName: string | undefined,
): cloudwatch.Alarm {
  const description = `A migration failed. The reason is in the log group /aws/lambda/${functionName}, as "run_failed".`;
  return alarm(scope, id, fn.metricErrors(EACH), functionName, description);
}

/** Goes off when a run over the tenants fails: more tenants failed than are tolerated, or the run itself did. */
export function runFailureAlarm(
  scope: Construct,
  id: string,
  machine: sfn.StateMachine,
  machineName: string | undefined,
): cloudwatch.Alarm {
  const description = `A run over the tenants failed. The reason is the cause of the execution of ${machineName} that failed.`;
  return alarm(scope, id, machine.metricFailed(EACH), machineName, description);
}

function alarm(scope: Construct, id: string, metric: cloudwatch.Metric, name: string | undefined, alarmDescription: string) {
  return metric.createAlarm(scope, id, {
    ...(name && { alarmName: `${name}-failed` }),
    alarmDescription,
    threshold: 1,
    evaluationPeriods: 1,
    comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    // Between deploys there is no data: no calls means no failures.
    treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
  });
}
