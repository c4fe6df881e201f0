import { Duration } from 'aws-cdk-lib';
import { Schedule } from 'aws-cdk-lib/aws-events';
import { OnDrift } from '../../../lib';
import { DRIFT_FOUND } from '../../../lib/contract';
import { findings, resourcesOf, settingsOf, templateOf } from '../support';

test('drift is checked only if the stage turns it on', () => {
  const template = templateOf();
  expect(settingsOf(template)).not.toHaveProperty('onDrift');
  for (const type of ['AWS::Events::Rule', 'AWS::Logs::MetricFilter']) template.resourceCountIs(type, 0);
  expect(settingsOf(templateOf({ onDrift: OnDrift.REFUSE }))).toHaveProperty('onDrift', 'refuse');
});

test('a schedule calls the function with the command drift, and drift sets off its own alarm', () => {
  const template = templateOf({ stage: 'prod', onDrift: OnDrift.WARN, driftSchedule: Schedule.rate(Duration.days(1)) });
  template.hasResourceProperties('AWS::Events::Rule', { ScheduleExpression: 'rate(1 day)', State: 'ENABLED' });
  const [[, rule]] = resourcesOf(template, 'AWS::Events::Rule') as [[string, any]];
  expect(rule.Properties.Targets).toEqual([
    expect.objectContaining({ Input: '{"command":"drift"}', RetryPolicy: { MaximumRetryAttempts: 0 } }),
  ]);
  template.hasResourceProperties('AWS::Lambda::Permission', { Principal: 'events.amazonaws.com' });
  const metric = 'template-saas-api-migrate-lambda-prod-drift';
  template.hasResourceProperties('AWS::Logs::MetricFilter', {
    FilterPattern: `{ $.event = "${DRIFT_FOUND}" }`,
    MetricTransformations: [{ MetricName: metric, MetricNamespace: 'cdk-alembic', MetricValue: '1' }],
  });
  template.hasResourceProperties('AWS::CloudWatch::Alarm', {
    AlarmName: metric,
    MetricName: metric,
    Namespace: 'cdk-alembic',
    Threshold: 1,
    TreatMissingData: 'notBreaching',
  });
});

test('a schedule without onDrift fails at synth, and the error says what to set', () => {
  const { errors } = findings({ driftSchedule: Schedule.rate(Duration.days(1)) });
  expect(errors).toEqual([expect.stringContaining('set onDrift: OnDrift.WARN too, for example')]);
});
