import { Duration } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { ContainerOnDeploy, OnDeployData, OnDeployProperties } from '../../contract';
import { acknowledgeWildcard } from '../aws/acknowledged';
import { logGroup } from '../aws/log-group';
import type { MigrationContainer } from '../container/migration-container';
import { IS_COMPLETE_SECONDS, ON_EVENT_SECONDS } from '../function/timeouts';
import { RunOnDeploy } from './run-on-deploy';

export interface MigrationOnDeployProps {
  readonly stage: string;
  readonly function: lambda.Function;
  /** The function's name; undefined if invalid. */
  readonly functionName: string | undefined;
  readonly logRetention: logs.RetentionDays;
  readonly encryptionKey: kms.IKey | undefined;
  readonly container: MigrationContainer | undefined;
  /** @default 'wait' */
  readonly containerOnDeploy: ContainerOnDeploy | undefined;
  /** Whether runs make RDS snapshots. */
  readonly snapshots: boolean;
}

export type MigrationOnDeploy = RunOnDeploy<OnDeployProperties, OnDeployData>;

/** Runs the pending migrations on every deploy that changes the function. */
export function migrationOnDeploy(scope: Construct, id: string, props: MigrationOnDeployProps): MigrationOnDeploy {
  const { stage, function: fn, functionName, container, encryptionKey } = props;
  return new RunOnDeploy(scope, id, {
    resourceType: 'Custom::AlembicMigration',
    bundle: 'on-deploy',
    stage,
    function: fn,
    encryptionKey,
    properties: {
      FunctionName: fn.functionName,
      ...(container && { Container: props.containerOnDeploy ?? 'wait' }),
      ...(props.snapshots && { Snapshot: 'true' as const }),
    },
    logGroup: (below) => logGroup(below, 'LogGroup', { ...props, name: functionName && `${functionName}/on-deploy` }),
    permit: (role) => {
      allowInvoke(role, fn);
      if (container) {
        container.allowRun(role);
        acknowledgeWildcard(role, container.executionsArn, 'the wildcard stands for the runs of this one state machine');
      }
    },
    onEvent: { description: 'Decides what a deploy does with the migrations', timeout: Duration.seconds(ON_EVENT_SECONDS) },
    isComplete: { description: 'Applies a slice of the migrations', timeout: Duration.seconds(IS_COMPLETE_SECONDS) },
  });
}

/** Grants the permissions to wait until the function is active and to invoke it. */
export function allowInvoke(grantee: iam.IGrantable, fn: lambda.IFunction): iam.Grant {
  return iam.Grant.addToPrincipal({
    grantee,
    actions: ['lambda:InvokeFunction', 'lambda:GetFunctionConfiguration'],
    resourceArns: [fn.functionArn],
  });
}
