import { Duration } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Provider } from 'aws-cdk-lib/custom-resources';

/**
 * Encrypts the executions: Step Functions keeps each deploy's request and answers for 90 days. The Provider framework has no
 * prop for the key, so this finds its state machine and role.
 * https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html
 */
export function encryptExecutions(provider: Provider, key: kms.IKey): void {
  const below = provider.node.findAll();
  const machine = below.find((construct) => construct instanceof sfn.CfnStateMachine);
  const role = machine && (machine.node.scope?.node.tryFindChild('Role') as iam.Role | undefined);
  if (!machine || !role)
    throw new Error('this version of aws-cdk-lib has a different Provider framework: use an older version of aws-cdk-lib');
  machine.encryptionConfiguration = {
    type: 'CUSTOMER_MANAGED_KMS_KEY',
    kmsKeyId: key.keyArn,
    kmsDataKeyReusePeriodSeconds: Duration.minutes(5).toSeconds(),
  };
  key.grant(role, 'kms:Decrypt', 'kms:GenerateDataKey');
}
