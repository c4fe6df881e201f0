import { ArnFormat, type Duration, Stack } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { NETWORK_ACTIONS } from '../../contract';
import { acknowledgeNetworkInterfaces } from '../aws/acknowledged';
import { logGroup } from '../aws/log-group';
import type { BoundCode } from '../code/bound-code';

export interface MigrationFunctionProps {
  /** Undefined if the name is invalid; that error stops the deploy. */
  readonly functionName: string | undefined;
  readonly code: BoundCode;
  readonly architecture: lambda.Architecture;
  readonly memorySize: number;
  readonly timeout: Duration;
  readonly environment: { readonly [name: string]: string } | undefined;
  readonly vpc: ec2.IVpc | undefined;
  readonly vpcSubnets: ec2.SubnetSelection | undefined;
  readonly securityGroups: ec2.ISecurityGroup[] | undefined;
  readonly logRetention: logs.RetentionDays;
  readonly encryptionKey: kms.IKey | undefined;
}

/** The function that migrates, with its own role and log group. */
export function migrationFunction(scope: Construct, id: string, props: MigrationFunctionProps): lambda.Function {
  const { functionName, encryptionKey, vpc } = props;
  const group = logGroup(scope, 'LogGroup', { ...props, name: functionName });
  const role = new iam.Role(scope, 'Role', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
  group.grantWrite(role);
  encryptionKey?.grantDecrypt(role);
  if (vpc) allowNetworkInterfaces(role, functionName);
  return new lambda.Function(scope, id, {
    ...(functionName && { functionName }),
    description: 'Runs the Alembic migrations of the backend',
    code: props.code.code,
    handler: props.code.handler,
    runtime: props.code.runtime,
    architecture: props.architecture,
    memorySize: props.memorySize,
    timeout: props.timeout,
    environment: props.environment,
    role,
    logGroup: group,
    environmentEncryption: encryptionKey,
    // We report public subnets ourselves, with the fix.
    ...(vpc && { vpc, vpcSubnets: props.vpcSubnets, securityGroups: props.securityGroups, allowPublicSubnet: true }),
    // By default Lambda retries a failed asynchronous invoke. A migration must not rerun by itself.
    retryAttempts: 0,
  });
}

/** Allows Lambda to use the role, and denies these calls to the function's code, as Lambda's documentation advises. */
function allowNetworkInterfaces(role: iam.Role, functionName: string | undefined): void {
  role.addToPolicy(new iam.PolicyStatement({ actions: NETWORK_ACTIONS, resources: ['*'] }));
  acknowledgeNetworkInterfaces(role);
  if (!functionName) return;
  // Not the function's own attribute, because the function depends on this policy.
  const arn = Stack.of(role).formatArn({
    service: 'lambda',
    resource: 'function',
    resourceName: functionName,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  role.addToPolicy(
    new iam.PolicyStatement({
      effect: iam.Effect.DENY,
      actions: NETWORK_ACTIONS,
      resources: ['*'],
      conditions: { ArnEquals: { 'lambda:SourceFunctionArn': arn } },
    }),
  );
}
