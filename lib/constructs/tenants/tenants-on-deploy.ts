import { CustomResource, Duration } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import { Construct, type IConstruct, type IDependable } from 'constructs';
import type { TenantsOnDeployData, TenantsOnDeployProperties } from '../../contract/coordinator';
import { CUSTOM_RESOURCE_SECONDS } from '../function/timeouts';
import { deployProvider } from '../on-deploy/deploy-provider';
import { fingerprint } from '../on-deploy/fingerprint';

export interface TenantsOnDeployProps {
  readonly stage: string;
  /** Whether the deploy waits for the run. */
  readonly wait: boolean;
  readonly worker: lambda.Function;
  readonly stateMachineArn: string;
  /** Permits a role to start a run and to read its result. */
  readonly permit: (role: iam.Role) => void;
  readonly logGroup: logs.ILogGroup;
  readonly encryptionKey: kms.IKey | undefined;
}

/** Starting takes a second; the stack's status is requested at most five times. */
const ON_EVENT = { description: 'Starts a run over the tenants when the function has changed', timeout: Duration.minutes(2) };

/** A minute of polling, and the stack's status. */
const IS_COMPLETE = { description: 'Waits for the run over the tenants', timeout: Duration.minutes(3) };

/** Starts a run on every deploy that changes the worker, and waits for it if asked to. */
export class TenantsOnDeploy extends Construct {
  private readonly resource: CustomResource;

  constructor(scope: Construct, id: string, props: TenantsOnDeployProps) {
    super(scope, id);
    const provider = deployProvider(this, {
      ...props,
      bundle: 'tenants',
      onEvent: ON_EVENT,
      ...(props.wait && { isComplete: IS_COMPLETE }),
    });
    const properties: Omit<TenantsOnDeployProperties, 'ServiceToken'> = {
      StateMachineArn: props.stateMachineArn,
      Stage: props.stage,
      Fingerprint: fingerprint(props.worker),
    };
    this.resource = new CustomResource(this, 'Resource', {
      resourceType: 'Custom::TenantMigration',
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

  /** Deploys these only after the run succeeded, or was handed over. */
  executeBefore(scopes: readonly IConstruct[]): void {
    for (const scope of scopes) scope.node.addDependency(this.resource);
  }

  /** An attribute of the run. */
  outcome(attribute: keyof TenantsOnDeployData): string {
    return this.resource.getAttString(attribute);
  }
}
