/* One function, and the CDK's defaults: what `cdk synth` costs before anyone adds anything. */
import { App, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';

const app = new App();
new lambda.Function(new Stack(app, 'bare'), 'Function', {
  code: lambda.Code.fromInline('def handler(event, context):\n    return {}\n'),
  handler: 'index.handler',
  runtime: lambda.Runtime.PYTHON_3_13,
});
