import { ArnFormat, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { type CoordinatorSettings, TENANTS_VARIABLE } from '../../contract/coordinator';
import { LAMBDA_SECONDS } from '../../contract/function';
import { acknowledgeRunsBucket, acknowledgeTenantMachine } from '../aws/acknowledged';
import { bundledFunction, bundledFunctionRole } from '../aws/bundled-function';
import { allowInvoke } from '../on-deploy/migration-on-deploy';
import type { TenantCanary } from './tenant-canary';
import { tenantDefinition } from './tenant-definition';
import { WEEK_SECONDS } from './tenant-limits';
import type { BoundSource, TenantSource } from './tenant-source';

/** How long the files of a run are kept: as long as Step Functions keeps its history. */
const RUN_DAYS = 90;

export interface TenantMachineProps {
  readonly stage: string;
  /** Undefined if the name is invalid. */
  readonly machineName: string | undefined;
  /** Name of the function that passes on approvals. */
  readonly approvalName: string | undefined;
  readonly worker: lambda.Function;
  readonly source: TenantSource;
  readonly settings: Pick<CoordinatorSettings, 'batchSize' | 'tolerated'>;
  readonly canary: TenantCanary | undefined;
  readonly concurrency: number;
  readonly logGroup: logs.ILogGroup;
  readonly encryptionKey: kms.IKey | undefined;
}

export interface TenantMachine {
  readonly stateMachine: sfn.StateMachine;
  readonly bucket: s3.Bucket;
  readonly approval?: lambda.Function;
  readonly source: BoundSource;
}

/** The state machine, its functions besides the worker, and the bucket for results. */
export function tenantMachine(scope: Construct, props: TenantMachineProps): TenantMachine {
  const { encryptionKey, worker, canary, machineName = 'unusable' } = props;
  const stack = Stack.of(scope);
  const bucket = runsBucket(scope, encryptionKey);
  const role = (id: string) => {
    const created = bundledFunctionRole(scope, id, props);
    // Without this permission, S3 answers "access denied" for a missing file.
    created.addToPolicy(new iam.PolicyStatement({ actions: ['s3:ListBucket'], resources: [bucket.bucketArn] }));
    encryptionKey?.grant(created, 'kms:GenerateDataKey');
    return created;
  };
  const files = (actions: string[], ...keys: string[]) =>
    new iam.PolicyStatement({ actions, resources: keys.map((key) => bucket.arnForObjects(key)) });

  const coordinatorRole = role('CoordinatorRole');
  coordinatorRole.addToPolicy(files(['s3:GetObject', 's3:PutObject'], 'runs/*', 'last-failed.json'));
  const source = props.source._bind(coordinatorRole);
  if (source.settings.kind === 'query') allowInvoke(coordinatorRole, worker);
  const batchRole = role('BatchRole');
  batchRole.addToPolicy(files(['s3:GetObject', 's3:PutObject'], 'runs/*'));
  allowInvoke(batchRole, worker);

  const settings: CoordinatorSettings = {
    ...props.settings,
    concurrency: props.concurrency,
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
    encryptionKey,
    environment: { [TENANTS_VARIABLE]: stack.toJsonString(settings) },
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
  const approval = canary?._settings.after === 'approval' ? approvalFunction() : undefined;

  const stateMachine = new sfn.StateMachine(scope, 'StateMachine', {
    ...(props.machineName && { stateMachineName: props.machineName }),
    role: machineRole(),
    definitionBody: sfn.DefinitionBody.fromString(
      stack.toJsonString(
        tenantDefinition({
          partition: stack.partition,
          coordinator: coordinator.functionName,
          batch: batch.functionName,
          bucket: bucket.bucketName,
          concurrency: props.concurrency,
          timeoutSeconds: WEEK_SECONDS + (canary?._waitSeconds ?? 0),
          canary:
            canary &&
            (canary._settings.after === 'approval'
              ? { approvalSeconds: canary._waitSeconds }
              : { pauseSeconds: canary._waitSeconds }),
        }),
      ),
    ),
    ...(encryptionKey && {
      encryptionConfiguration: new sfn.CustomerManagedEncryptionConfiguration(encryptionKey, Duration.minutes(5)),
    }),
  });
  acknowledgeTenantMachine(scope, bucket, stateMachine, machineName);
  return { stateMachine, bucket, approval, source };

  function approvalFunction(): lambda.Function {
    const approvalRole = role('ApprovalRole');
    approvalRole.addToPolicy(files(['s3:GetObject'], 'runs/*'));
    approvalRole.addToPolicy(
      new iam.PolicyStatement({
        actions: ['states:SendTaskSuccess', 'states:SendTaskFailure'],
        resources: [machineArn(scope, machineName)],
      }),
    );
    return bundledFunction(scope, 'Approval', {
      ...common,
      ...(props.approvalName && { functionName: props.approvalName }),
      handler: 'approve',
      description: 'Answers a run over the tenants whether its canaries are approved',
      timeout: Duration.seconds(30),
      role: approvalRole,
      memorySize: 256,
    });
  }

  function machineRole(): iam.Role {
    const created = new iam.Role(scope, 'StateMachineRole', { assumedBy: new iam.ServicePrincipal('states.amazonaws.com') });
    created.addToPolicy(
      new iam.PolicyStatement({
        actions: ['lambda:InvokeFunction'],
        resources: [coordinator.functionArn, batch.functionArn],
      }),
    );
    created.addToPolicy(files(['s3:GetObject'], 'runs/*'));
    encryptionKey?.grantDecrypt(created);
    // A map starts its own state machine once per batch:
    // https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
    created.addToPolicy(
      new iam.PolicyStatement({ actions: ['states:StartExecution'], resources: [machineArn(scope, machineName)] }),
    );
    created.addToPolicy(
      new iam.PolicyStatement({
        actions: ['states:DescribeExecution', 'states:StopExecution'],
        resources: [executionsArn(scope, machineName), childrenArn(scope, machineName)],
      }),
    );
    return created;
  }
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
