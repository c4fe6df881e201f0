import { Template } from 'aws-cdk-lib/assertions';
import { BUNDLING_STACKS } from 'aws-cdk-lib/cx-api';
import cdkJson from '../../cdk.json';
import { readSettings } from '../../examples/template-saas/infra/settings';
import { TemplateSaasStack } from '../../examples/template-saas/infra/template-saas-stack';
import { testApp } from './app';

export const SECRET_ARN = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:db-AbCdEf';

/** Every stage of the sample, with a database of the stack's own and with one that exists already. */
export const SAMPLES = Object.keys(cdkJson.context.stages).flatMap((stage) => [
  { stage },
  { stage, databaseSecretArn: SECRET_ARN },
]);

/** The sample as `cdk synth -c ...` makes it; nothing is packaged. */
export function sample(context: Record<string, unknown>) {
  const all = { ...cdkJson.context, ...context, [BUNDLING_STACKS]: [] };
  const app = testApp({ context: all });
  const settings = readSettings(app.node);
  const stack = new TemplateSaasStack(app, `template-saas-${settings.stage}`, settings);
  return { stack, template: Template.fromStack(stack) };
}
