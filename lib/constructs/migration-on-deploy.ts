import { existsSync } from 'node:fs';
import { CustomResource, Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import { Provider } from 'aws-cdk-lib/custom-resources';
import { Construct, type IConstruct, type IDependable } from 'constructs';
import type { ContainerOnDeploy, OnDeployData, OnDeployProperties } from '../contract';
import { packagePath } from '../package-root';
import { acknowledgeFramework, acknowledgeWildcard } from './acknowledged';
import { encryptExecutions } from './encrypted-executions';
import { fingerprint } from './fingerprint';
import { logGroup } from './log-group';
import type { MigrationContainer } from './migration-container';
import { CUSTOM_RESOURCE_SECONDS, IS_COMPLETE_SECONDS, ON_EVENT_SECONDS } from './timeouts';

export interface MigrationOnDeployProps {
  readonly stage: string;
  readonly function: lambda.Function;
  /** The function's name as the user knows it; undefined when it can't be used. */
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
    const fn = props.function;
    const group = logGroup(this, 'LogGroup', { ...props, name: props.functionName && `${props.functionName}/on-deploy` });
    const role = (roleId: string) => {
      const created = new iam.Role(this, roleId, { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
      group.grantWrite(created);
      props.encryptionKey?.grantDecrypt(created);
      return created;
    };

    const handlerRole = role('HandlerRole');
    allowInvoke(handlerRole, fn);
    if (props.container) {
      props.container.allowRun(handlerRole);
      acknowledgeWildcard(
        handlerRole,
        props.container.executionsArn,
        'the wildcard stands for the runs of this one state machine',
      );
    }
    // Asked whether the stack is rolling back: then the database is left as it is.
    handlerRole.addToPolicy(
      new iam.PolicyStatement({ actions: ['cloudformation:DescribeStacks'], resources: [Stack.of(this).stackId] }),
    );
    const handler = (name: keyof typeof HANDLER_TIMEOUTS, description: string) =>
      new lambda.Function(this, name, {
        description,
        code: lambda.Code.fromAsset(handlerDirectory()),
        handler: `index.${name}`,
        runtime: lambda.Runtime.NODEJS_24_X,
        architecture: lambda.Architecture.ARM_64,
        timeout: HANDLER_TIMEOUTS[name],
        role: handlerRole,
        logGroup: group,
        environmentEncryption: props.encryptionKey,
      });

    const provider = new Provider(this, 'Provider', {
      onEventHandler: handler('onEvent', 'Decides what a deploy does with the migrations'),
      isCompleteHandler: handler('isComplete', 'Applies a slice of the migrations'),
      queryInterval: Duration.seconds(1),
      totalTimeout: Duration.seconds(CUSTOM_RESOURCE_SECONDS),
      // Two roles: one shared role makes the framework's functions wait for each other.
      frameworkOnEventRole: role('FrameworkOnEventRole'),
      frameworkCompleteAndTimeoutRole: role('FrameworkIsCompleteRole'),
      logGroup: group,
      ...(props.encryptionKey && { providerFunctionEnvEncryption: props.encryptionKey }),
    });
    if (props.encryptionKey) encryptExecutions(provider, props.encryptionKey);
    acknowledgeFramework(this);

    const properties: Omit<OnDeployProperties, 'ServiceToken'> = {
      FunctionName: fn.functionName,
      Stage: props.stage,
      Fingerprint: fingerprint(fn),
      ...(props.container && { Container: props.containerOnDeploy ?? 'wait' }),
    };
    this.resource = new CustomResource(this, 'Resource', {
      resourceType: 'Custom::AlembicMigration',
      serviceToken: provider.serviceToken,
      serviceTimeout: Duration.seconds(CUSTOM_RESOURCE_SECONDS),
      properties,
    });
    this.resource.node.addDependency(provider);
  }

  /** Holds the run back until these are in place. */
  executeAfter(ready: IDependable): void {
    this.resource.node.addDependency(ready);
  }

  /** Holds these back until the run has succeeded. */
  executeBefore(scopes: readonly IConstruct[]): void {
    for (const scope of scopes) scope.node.addDependency(this.resource);
  }

  /** An attribute of the run. */
  outcome(attribute: keyof OnDeployData): string {
    return this.resource.getAttString(attribute);
  }
}

const HANDLER_TIMEOUTS = { onEvent: Duration.seconds(ON_EVENT_SECONDS), isComplete: Duration.seconds(IS_COMPLETE_SECONDS) };

/** What it takes to invoke the function once it is Active. */
export function allowInvoke(grantee: iam.IGrantable, fn: lambda.IFunction): iam.Grant {
  return iam.Grant.addToPrincipal({
    grantee,
    actions: ['lambda:InvokeFunction', 'lambda:GetFunctionConfiguration'],
    resourceArns: [fn.functionArn],
  });
}

function handlerDirectory(): string {
  const directory = packagePath('dist', 'lambda', 'on-deploy');
  if (!existsSync(directory)) throw new Error(`${directory} is missing: run "npm run build" in cdk-alembic`);
  return directory;
}
