import { CustomResource, Duration } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import { Construct, type IConstruct, type IDependable } from 'constructs';
import type { ContainerOnDeploy, OnDeployData, OnDeployProperties } from '../../contract';
import { acknowledgeWildcard } from '../aws/acknowledged';
import { logGroup } from '../aws/log-group';
import type { MigrationContainer } from '../container/migration-container';
import { CUSTOM_RESOURCE_SECONDS, IS_COMPLETE_SECONDS, ON_EVENT_SECONDS } from '../function/timeouts';
import { deployProvider } from './deploy-provider';
import { fingerprint } from './fingerprint';

export interface MigrationOnDeployProps {
  readonly stage: string;
  readonly function: lambda.Function;
  /** The function's name; undefined when it is invalid. */
  readonly functionName: string | undefined;
  readonly logRetention: logs.RetentionDays;
  readonly encryptionKey: kms.IKey | undefined;
  readonly container: MigrationContainer | undefined;
  /** @default 'wait' */
  readonly containerOnDeploy: ContainerOnDeploy | undefined;
}

/** Runs the pending migrations on every deploy that changes the function. */
export class MigrationOnDeploy extends Construct {
  private readonly resource: CustomResource;

  constructor(scope: Construct, id: string, props: MigrationOnDeployProps) {
    super(scope, id);
    const { function: fn, container } = props;
    const provider = deployProvider(this, {
      bundle: 'on-deploy',
      logGroup: logGroup(this, 'LogGroup', { ...props, name: props.functionName && `${props.functionName}/on-deploy` }),
      encryptionKey: props.encryptionKey,
      permit: (role) => {
        allowInvoke(role, fn);
        if (container) {
          container.allowRun(role);
          acknowledgeWildcard(role, container.executionsArn, 'the wildcard stands for the runs of this one state machine');
        }
      },
      onEvent: {
        description: 'Decides what a deploy does with the migrations',
        timeout: Duration.seconds(ON_EVENT_SECONDS),
      },
      isComplete: { description: 'Applies a slice of the migrations', timeout: Duration.seconds(IS_COMPLETE_SECONDS) },
    });

    const properties: Omit<OnDeployProperties, 'ServiceToken'> = {
      FunctionName: fn.functionName,
      Stage: props.stage,
      Fingerprint: fingerprint(fn),
      ...(container && { Container: props.containerOnDeploy ?? 'wait' }),
    };
    this.resource = new CustomResource(this, 'Resource', {
      resourceType: 'Custom::AlembicMigration',
      serviceToken: provider.serviceToken,
      serviceTimeout: Duration.seconds(CUSTOM_RESOURCE_SECONDS),
      properties,
    });
    this.resource.node.addDependency(provider);
  }

  /** Starts the run only after these are deployed. */
  executeAfter(ready: IDependable): void {
    this.resource.node.addDependency(ready);
  }

  /** Deploys these only after the run succeeded. */
  executeBefore(scopes: readonly IConstruct[]): void {
    for (const scope of scopes) scope.node.addDependency(this.resource);
  }

  /** An attribute of the run. */
  outcome(attribute: keyof OnDeployData): string {
    return this.resource.getAttString(attribute);
  }
}

/** Grants the permissions to wait until the function is active and to invoke it. */
export function allowInvoke(grantee: iam.IGrantable, fn: lambda.IFunction): iam.Grant {
  return iam.Grant.addToPrincipal({
    grantee,
    actions: ['lambda:InvokeFunction', 'lambda:GetFunctionConfiguration'],
    resourceArns: [fn.functionArn],
  });
}
