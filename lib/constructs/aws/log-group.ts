import { ArnFormat, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';

export interface LogGroupProps {
  /** The part of the name after `/aws/lambda/`. */
  readonly name: string | undefined;
  readonly logRetention: logs.RetentionDays;
  readonly encryptionKey: kms.IKey | undefined;
}

/**
 * A log group that is deleted with the stack: if one with a fixed name remained, the next deploy of the stage would fail with
 * "already exists".
 */
export function logGroup(scope: Construct, id: string, { name, logRetention, encryptionKey }: LogGroupProps): logs.LogGroup {
  const group = new logs.LogGroup(scope, id, {
    ...(name && { logGroupName: `/aws/lambda/${name}` }),
    retention: logRetention,
    removalPolicy: RemovalPolicy.DESTROY,
    encryptionKey,
  });
  if (encryptionKey && name) allowLogs(scope, encryptionKey, `/aws/lambda/${name}`);
  return group;
}

/**
 * CloudWatch Logs uses the key under its own principal. The CDK can't change the policy of an imported key: its owner adds
 * this.
 */
function allowLogs(scope: Construct, key: kms.IKey, logGroupName: string): void {
  const stack = Stack.of(scope);
  const arn = stack.formatArn({
    service: 'logs',
    resource: 'log-group',
    resourceName: logGroupName,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  key.addToResourcePolicy(
    new iam.PolicyStatement({
      principals: [new iam.ServicePrincipal(`logs.${stack.region}.${stack.urlSuffix}`)],
      actions: ['kms:Encrypt*', 'kms:Decrypt*', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:Describe*'],
      resources: ['*'],
      conditions: { ArnEquals: { 'kms:EncryptionContext:aws:logs:arn': arn } },
    }),
  );
}
