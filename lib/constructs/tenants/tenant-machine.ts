import { ArnFormat, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { acknowledgeRunsBucket, acknowledgeTenantMachine } from '../aws/acknowledged';
import { tenantDefinition } from './tenant-definition';
import { allowFiles, type TenantFunctions, type TenantFunctionsProps, tenantFunctions } from './tenant-functions';
import { WEEK_SECONDS } from './tenant-limits';
import type { BoundSource } from './tenant-source';

/** How long the files of a run are kept: as long as Step Functions keeps its history. */
const RUN_DAYS = 90;

export interface TenantMachineProps extends Omit<TenantFunctionsProps, 'bucket' | 'machineArn'> {
  /** Undefined if the name is invalid. */
  readonly machineName: string | undefined;
}

export interface TenantMachine {
  readonly stateMachine: sfn.StateMachine;
  readonly bucket: s3.Bucket;
  readonly approval?: lambda.Function;
  readonly source: BoundSource;
}

/** The state machine, its functions besides the worker, and the bucket for results. */
export function tenantMachine(scope: Construct, props: TenantMachineProps): TenantMachine {
  const { encryptionKey, canary, concurrency, machineName = 'unusable' } = props;
  const stack = Stack.of(scope);
  const bucket = runsBucket(scope, encryptionKey);
  const functions = tenantFunctions(scope, { ...props, bucket, machineArn: machineArn(scope, machineName) });
  const definition = tenantDefinition({
    partition: stack.partition,
    coordinator: functions.coordinator.functionName,
    batch: functions.batch.functionName,
    bucket: bucket.bucketName,
    concurrency,
    timeoutSeconds: WEEK_SECONDS + (canary?._waitSeconds ?? 0),
    canary: canary && { after: canary._settings.after, seconds: canary._waitSeconds },
  });
  const stateMachine = new sfn.StateMachine(scope, 'StateMachine', {
    ...(props.machineName && { stateMachineName: props.machineName }),
    role: machineRole(scope, machineName, functions, bucket, encryptionKey),
    definitionBody: sfn.DefinitionBody.fromString(stack.toJsonString(definition)),
    ...(encryptionKey && {
      encryptionConfiguration: new sfn.CustomerManagedEncryptionConfiguration(encryptionKey, Duration.minutes(5)),
    }),
  });
  acknowledgeTenantMachine(scope, bucket, stateMachine, machineName);
  return { stateMachine, bucket, approval: functions.approval, source: functions.source };
}

function machineRole(
  scope: Construct,
  machineName: string,
  { coordinator, batch }: TenantFunctions,
  bucket: s3.Bucket,
  encryptionKey: kms.IKey | undefined,
): iam.Role {
  const role = new iam.Role(scope, 'StateMachineRole', { assumedBy: new iam.ServicePrincipal('states.amazonaws.com') });
  const allow = (actions: string[], resources: string[]) => role.addToPolicy(new iam.PolicyStatement({ actions, resources }));
  allow(['lambda:InvokeFunction'], [coordinator.functionArn, batch.functionArn]);
  role.addToPolicy(allowFiles(bucket, ['s3:GetObject'], 'runs/*'));
  encryptionKey?.grantDecrypt(role);
  // A map starts its own state machine once per batch:
  // https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
  allow(['states:StartExecution'], [machineArn(scope, machineName)]);
  allow(
    ['states:DescribeExecution', 'states:StopExecution'],
    [executionsArn(scope, machineName), childrenArn(scope, machineName)],
  );
  return role;
}

function runsBucket(scope: Construct, encryptionKey: kms.IKey | undefined): s3.Bucket {
  const bucket = new s3.Bucket(scope, 'Runs', {
    blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
    enforceSSL: true,
    ...(encryptionKey
      ? { encryption: s3.BucketEncryption.KMS, encryptionKey, bucketKeyEnabled: true }
      : { encryption: s3.BucketEncryption.S3_MANAGED }),
    lifecycleRules: [{ id: 'runs', prefix: 'runs/', expiration: Duration.days(RUN_DAYS) }],
    // The record of what ran and what failed outlives the stack.
    removalPolicy: RemovalPolicy.RETAIN,
  });
  acknowledgeRunsBucket(bucket);
  return bucket;
}

function machineArn(scope: Construct, name: string): string {
  return statesArn(scope, 'stateMachine', name);
}

/** ARN of the runs. */
export function executionsArn(scope: Construct, name: string): string {
  return statesArn(scope, 'execution', `${name}:*`);
}

/** ARN of the child executions of their maps. */
function childrenArn(scope: Construct, name: string): string {
  return statesArn(scope, 'execution', `${name}/*`);
}

export function mapRunsArn(scope: Construct, name: string): string {
  return statesArn(scope, 'mapRun', `${name}/*`);
}

/** Built from the name: the state machine depends on the functions, which depend on their permissions on the state machine. */
function statesArn(scope: Construct, resource: string, resourceName: string): string {
  return Stack.of(scope).formatArn({ service: 'states', resource, resourceName, arnFormat: ArnFormat.COLON_RESOURCE_NAME });
}
