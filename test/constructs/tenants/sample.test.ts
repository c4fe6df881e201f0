import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { BUNDLING_STACKS } from 'aws-cdk-lib/cx-api';
import cdkJson from '../../../cdk.json';
import { readTenantSettings } from '../../../examples/template-saas-tenants/infra/settings';
import { TenantsStack } from '../../../examples/template-saas-tenants/infra/tenants-stack';
import { TENANT_STATES } from '../../../lib/contract/tenants';
import { testApp } from '../app';
import { SECRET_ARN } from '../sample-stack';
import { coordinatorSettings, definitionOf } from './support';

function sample(context: Record<string, unknown>) {
  const all = { ...cdkJson.context, stage: 'dev', databaseSecretArn: SECRET_ARN, ...context, [BUNDLING_STACKS]: [] };
  const app = testApp({ context: all });
  const stack = new TenantsStack(app, 'Stack', readTenantSettings(app.node));
  return { stack, template: Template.fromStack(stack) };
}

test('the sample with tenants uses a tenth of them as canaries, and synth has no warnings or errors', () => {
  const { stack, template } = sample({});
  expect(Annotations.fromStack(stack).findError('*', Match.anyValue())).toEqual([]);
  expect(coordinatorSettings(template)).toMatchObject({ source: { kind: 'query' }, canary: { percent: 10, after: 'pause' } });
  expect(definitionOf(template).States[TENANT_STATES.pause]).toMatchObject({ Seconds: 300 });
  expect(definitionOf(template).States[TENANT_STATES.rest]).toMatchObject({ MaxConcurrency: 4 });
});

test('with an approval of the canaries, the deploy hands the run over', () => {
  const { template } = sample({ approval: 'true', onDeploy: 'handOver' });
  expect(definitionOf(template).States[TENANT_STATES.approval]).toMatchObject({ TimeoutSeconds: 86_400 });
});

test.each([
  [{ databaseSecretArn: undefined }, 'say where the tenants are: -c databaseSecretArn=<arn>'],
  [{ onDeploy: 'later' }, 'there is no onDeploy "later": use wait, handOver, off'],
])('%j is rejected with: %s', (context, message) => {
  expect(() => sample(context)).toThrow(message);
});
