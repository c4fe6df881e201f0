import { CfnOutput, CustomResource, Duration } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import { Construct, Dependable, type IConstruct, type IDependable } from 'constructs';
import { named } from '../../packaging/code-in-messages';
import { addProblems } from '../function/annotations';
import { checkArgument, constructs } from '../function/prop-types';
import { CUSTOM_RESOURCE_SECONDS } from '../function/timeouts';
import { type DeployProviderProps, deployProvider } from './deploy-provider';
import { fingerprint } from './fingerprint';

export interface RunOnDeployProps<Properties> extends Omit<DeployProviderProps, 'logGroup'> {
  readonly resourceType: `Custom::${string}`;
  readonly stage: string;
  /** Every change of this function starts a run. */
  readonly function: lambda.Function;
  /** The handlers' properties besides the stage. */
  readonly properties: Omit<Properties, 'ServiceToken' | 'Stage' | 'Fingerprint'>;
  /** The handlers' log group; it may be created below this construct. */
  readonly logGroup: (scope: Construct) => logs.ILogGroup;
}

/**
 * A custom resource that starts a run on every deploy that changes a function. `Properties` (for the handlers) and `Data`
 * (their attributes) are the contract's.
 */
export class RunOnDeploy<Properties, Data> extends Construct {
  private readonly resource: CustomResource;
  private readonly waitsFor: IDependable[] = [];
  private readonly waiting: IConstruct[] = [];

  constructor(scope: Construct, id: string, props: RunOnDeployProps<Properties>) {
    super(scope, id);
    const provider = deployProvider(this, { ...props, logGroup: props.logGroup(this) });
    this.resource = new CustomResource(this, 'Resource', {
      resourceType: props.resourceType,
      serviceToken: provider.serviceToken,
      serviceTimeout: Duration.seconds(CUSTOM_RESOURCE_SECONDS),
      properties: { ...props.properties, Stage: props.stage, Fingerprint: fingerprint(props.function) },
    });
    this.resource.node.addDependency(provider);
    addProblems(this, () => this.circles());
  }

  /** Starts the run only after these are deployed. */
  executeAfter(ready: IDependable): void {
    this.resource.node.addDependency(ready);
    this.waitsFor.push(ready);
  }

  /** Deploys these only after the run succeeded or was handed over. */
  executeBefore(scopes: readonly IConstruct[]): void {
    checkArgument('executeBefore', 'scopes', scopes, constructs);
    for (const scope of scopes) scope.node.addDependency(this.resource);
    this.waiting.push(...scopes);
  }

  /** Circular dependencies: a construct waits for the run, and the run waits for a part of it. CloudFormation rejects the deploy. */
  private circles(): string[] {
    const first = new Set(this.waitsFor.flatMap((ready) => Dependable.of(ready).dependencyRoots));
    return this.waiting.flatMap((scope) => {
      const part = scope.node.findAll().find((construct) => first.has(construct));
      if (!part) return [];
      return [
        `${scope.node.path} waits for the migrations, which wait for ${part.node.path}: pass to ${named('executeBefore')} only what ` +
          `may start after them, such as the new application code, and to ${named('executeAfter')} only what they need`,
      ];
    });
  }

  /** Returns an attribute of the run, which becomes an output of the migration's construct. */
  output(id: string, attribute: keyof Data & string): string {
    const value = this.resource.getAttString(attribute);
    new CfnOutput(this.node.scope as Construct, id, { value });
    return value;
  }
}
