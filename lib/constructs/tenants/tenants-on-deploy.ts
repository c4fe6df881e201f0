import { Duration } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { TenantsOnDeployData, TenantsOnDeployProperties } from '../../contract/coordinator';
import { RunOnDeploy } from '../on-deploy/run-on-deploy';

export interface TenantsOnDeployProps {
  readonly stage: string;
  /** Whether the deploy waits for the run. */
  readonly wait: boolean;
  readonly worker: lambda.Function;
  readonly stateMachineArn: string;
  /** Permits a role to start a run and read its result. */
  readonly permit: (role: iam.Role) => void;
  readonly logGroup: logs.ILogGroup;
  readonly encryptionKey: kms.IKey | undefined;
}

/** Starting takes a second; the handler requests the stack's status at most five times. */
const ON_EVENT = { description: 'Starts a run over the tenants when the function has changed', timeout: Duration.minutes(2) };

/** A minute of polling, plus the requests for the stack's status. */
const IS_COMPLETE = { description: 'Waits for the run over the tenants', timeout: Duration.minutes(3) };

export type TenantsOnDeploy = RunOnDeploy<TenantsOnDeployProperties, TenantsOnDeployData>;

/** Starts a run on every deploy that changes the worker, and waits for it if configured. */
export function tenantsOnDeploy(scope: Construct, id: string, props: TenantsOnDeployProps): TenantsOnDeploy {
  const { stage, wait, worker, stateMachineArn, permit, logGroup, encryptionKey } = props;
  return new RunOnDeploy(scope, id, {
    resourceType: 'Custom::TenantMigration',
    bundle: 'tenants',
    stage,
    function: worker,
    encryptionKey,
    properties: { StateMachineArn: stateMachineArn },
    logGroup: () => logGroup,
    permit,
    onEvent: ON_EVENT,
    ...(wait && { isComplete: IS_COMPLETE }),
  });
}
