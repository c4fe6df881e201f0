import { Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { type CoordinatorSettings, TENANTS_VARIABLE } from '../../contract/coordinator';
import { LAMBDA_SECONDS } from '../../contract/function';
import { type BundledFunctionProps, bundledFunction, bundledFunctionRole } from '../aws/bundled-function';
import { allowInvoke } from '../on-deploy/migration-on-deploy';
import type { TenantCanary } from './tenant-canary';
import type { BoundSource, TenantSource } from './tenant-source';

export interface TenantFunctionsProps {
  readonly appName: string;
  readonly stage: string;
  /** ARN of the state machine. */
  readonly machineArn: string;
  /** Name of the function that passes on approvals. */
  readonly approvalName: string | undefined;
  readonly worker: lambda.Function;
  readonly source: TenantSource;
  readonly settings: Pick<CoordinatorSettings, 'batchSize' | 'tolerated'>;
  readonly canary: TenantCanary | undefined;
  readonly concurrency: number;
  readonly bucket: s3.Bucket;
  readonly logGroup: logs.ILogGroup;
  readonly encryptionKey: kms.IKey | undefined;
}

export interface TenantFunctions {
  readonly coordinator: lambda.Function;
  readonly batch: lambda.Function;
  /** With a canary that needs an approval. */
  readonly approval?: lambda.Function;
  readonly source: BoundSource;
}

/** The state machine's functions, besides the worker. */
export function tenantFunctions(scope: Construct, props: TenantFunctionsProps): TenantFunctions {
  const { bucket, worker, canary } = props;
  const coordinatorRole = roleOf(scope, 'CoordinatorRole', props);
  coordinatorRole.addToPolicy(allowFiles(bucket, ['s3:GetObject', 's3:PutObject'], 'runs/*', 'last-failed.json'));
  const source = props.source._bind(coordinatorRole);
  if (source.settings.kind === 'query') allowInvoke(coordinatorRole, worker);
  const batchRole = roleOf(scope, 'BatchRole', props);
  batchRole.addToPolicy(allowFiles(bucket, ['s3:GetObject', 's3:PutObject'], 'runs/*'));
  allowInvoke(batchRole, worker);

  const settings: CoordinatorSettings = {
    ...props.settings,
    concurrency: props.concurrency,
    appName: props.appName,
    stage: props.stage,
    bucket: bucket.bucketName,
    worker: worker.functionName,
    source: source.settings,
    canary: canary?._settings,
  };
  const common = {
    bundle: 'tenants' as const,
    timeout: Duration.seconds(LAMBDA_SECONDS),
    logGroup: props.logGroup,
    encryptionKey: props.encryptionKey,
    environment: { [TENANTS_VARIABLE]: Stack.of(scope).toJsonString(settings) },
  };
  const coordinator = bundledFunction(scope, 'Coordinator', {
    ...common,
    handler: 'coordinate',
    description: 'Lists the tenants, evaluates the canaries and summarizes the run',
    role: coordinatorRole,
    // It loads all tenants and their results: 100,000 take about 300 MB.
    memorySize: 1769,
  });
  const batch = bundledFunction(scope, 'Batch', {
    ...common,
    handler: 'batch',
    description: 'Passes a batch of tenants to the function that migrates',
    role: batchRole,
    memorySize: 256,
  });
  const approval = canary?._settings.after === 'approval' ? approvalFunction(scope, props, common) : undefined;
  return { coordinator, batch, approval, source };
}

function approvalFunction(
  scope: Construct,
  props: TenantFunctionsProps,
  common: Omit<BundledFunctionProps, 'handler' | 'description' | 'role'>,
): lambda.Function {
  const role = roleOf(scope, 'ApprovalRole', props);
  role.addToPolicy(allowFiles(props.bucket, ['s3:GetObject'], 'runs/*'));
  role.addToPolicy(
    new iam.PolicyStatement({
      actions: ['states:SendTaskSuccess', 'states:SendTaskFailure'],
      resources: [props.machineArn],
    }),
  );
  return bundledFunction(scope, 'Approval', {
    ...common,
    ...(props.approvalName && { functionName: props.approvalName }),
    handler: 'approve',
    description: 'Answers a run over the tenants whether its canaries are approved',
    timeout: Duration.seconds(30),
    role,
    memorySize: 256,
  });
}

function roleOf(scope: Construct, id: string, props: TenantFunctionsProps): iam.Role {
  const role = bundledFunctionRole(scope, id, props);
  // Without this permission, S3 answers "access denied" for a missing file.
  role.addToPolicy(new iam.PolicyStatement({ actions: ['s3:ListBucket'], resources: [props.bucket.bucketArn] }));
  props.encryptionKey?.grant(role, 'kms:GenerateDataKey');
  return role;
}

export function allowFiles(bucket: s3.Bucket, actions: string[], ...keys: string[]): iam.PolicyStatement {
  return new iam.PolicyStatement({ actions, resources: keys.map((key) => bucket.arnForObjects(key)) });
}
