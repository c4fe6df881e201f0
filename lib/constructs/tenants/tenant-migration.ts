import { ArnFormat, CfnOutput, type Duration, Stack } from 'aws-cdk-lib';
import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct, type IConstruct } from 'constructs';
import { DEFAULT_APP_NAME } from '../../contract';
import { RUN_ACTIONS, tenantApprovalName, tenantFunctionName, tenantStateMachineName } from '../../contract/tenants';
import { call } from '../../packaging/code-in-messages';
import { logGroup } from '../aws/log-group';
import { OnDrift } from '../drift/on-drift';
import { driftProblems, scheduledDrift } from '../drift/scheduled-drift';
import { runFailureAlarm } from '../function/failure-alarm';
import { defaultTimeout, limitProblems } from '../function/migration-limits';
import { ReadyForMigration } from '../function/migration-order';
import { MIGRATION_PROPS, type MigrationProps } from '../function/migration-props';
import { duplicateProblems, namePartProblems } from '../function/name-problems';
import {
  checkTypes,
  duration,
  instance,
  number,
  oneOf,
  optional,
  type PropTypes,
  structure,
  texts,
} from '../function/prop-types';
import { DEFAULT_LOG_RETENTION, runnerFunction } from '../function/runner-function';
import { allowInvoke } from '../on-deploy/migration-on-deploy';
import type { TenantCanary } from './tenant-canary';
import { TenantDeploy } from './tenant-deploy';
import {
  concurrencyOf,
  TOLERATED_FAILURES,
  type ToleratedFailures,
  tenantLimitProblems,
  toleranceSettings,
} from './tenant-limits';
import { executionsArn, mapRunsArn, tenantMachine } from './tenant-machine';
import type { TenantSource } from './tenant-source';
import { type TenantsOnDeploy, tenantsOnDeploy } from './tenants-on-deploy';

const DEFAULT_BATCH_SIZE = 100;
const DEFAULT_MAX_CONNECTIONS = 20;

/**
 * Properties of {@link TenantMigration}. Its function is `<appName>-api-migrate-tenants-lambda-<stage>`, its state machine
 * `<appName>-api-migrate-tenants-<stage>`.
 */
export interface TenantMigrationProps extends MigrationProps {
  /** Where the list of tenants comes from. */
  readonly tenants: TenantSource;

  /**
   * Names of the secrets of tenants with their own database; `*` matches any text: `tenants/*`. Grant `function` access to
   * their KMS keys and those databases.
   *
   * @default - all tenants are in the function's database
   */
  readonly tenantSecrets?: string[];

  /**
   * How long one call of the function may take. A batch that takes longer continues in the next call, between two revisions.
   *
   * @default Duration.minutes(14)
   */
  readonly timeout?: Duration;

  /**
   * Tenants per batch: 1 to 1000. Large batches load the scripts less often; small ones lose less when a call dies.
   *
   * @default 100
   */
  readonly batchSize?: number;

  /**
   * Connections that a run may have open at the same time, at least 2: each batch opens one for migrating and one for the
   * mutex. Leave enough for the application.
   *
   * @default 20 - ten batches at the same time
   */
  readonly maxConnections?: number;

  /**
   * The tenants that are migrated first.
   *
   * @default - no canaries
   */
  readonly canary?: TenantCanary;

  /**
   * How many tenants may fail. If more fail, the run fails and starts no further tenant; otherwise it succeeds and warns.
   *
   * @default - the run fails if any tenant fails, but tries every tenant
   */
  readonly toleratedFailures?: ToleratedFailures;

  /**
   * Whether each tenant's run keeps the schema that it leaves, and what the next one does if someone changed it by hand since:
   * with `OnDrift.REFUSE`, this tenant fails. The command `drift` then shows each tenant that was changed. A plan does not
   * compare.
   *
   * @default - drift is not checked
   */
  readonly onDrift?: OnDrift;

  /**
   * When EventBridge starts a run that looks for drift in all tenants, such as `events.Schedule.rate(Duration.days(1))`. Drift
   * triggers `driftAlarm`, and is sent to `eventBus` as `Migration Drift Found`. Requires `onDrift`.
   *
   * @default - only a run and the command `drift` look for drift
   */
  readonly driftSchedule?: events.Schedule;

  /**
   * What a deploy does with the tenants.
   *
   * @default TenantDeploy.wait()
   */
  readonly onDeploy?: TenantDeploy;
}

const PROPS: PropTypes<TenantMigrationProps> = {
  ...MIGRATION_PROPS,
  tenants: instance("a TenantSource, such as TenantSource.fromQuery('SELECT name FROM tenants')", '_bind'),
  tenantSecrets: optional(texts),
  timeout: optional(duration),
  batchSize: optional(number),
  maxConnections: optional(number),
  canary: optional(instance('a TenantCanary, such as TenantCanary.share(5, { ... })', '_settings')),
  toleratedFailures: optional(structure(TOLERATED_FAILURES)),
  onDrift: optional(oneOf('OnDrift', OnDrift)),
  driftSchedule: optional(instance('a Schedule, such as events.Schedule.rate(Duration.days(1))', 'expressionString')),
  onDeploy: optional(instance('a TenantDeploy, such as TenantDeploy.handOver()', '_mode')),
};

/**
 * A function that migrates tenants (schemas or databases), a state machine that distributes them in batches, and a run on each
 * deploy that changes the function.
 */
export class TenantMigration extends Construct {
  /** The function `<appName>-api-migrate-tenants-lambda-<stage>`, which migrates a batch of tenants. */
  readonly function: lambda.Function;

  /** The state machine `<appName>-api-migrate-tenants-<stage>`: each execution is a run. */
  readonly stateMachine: sfn.StateMachine;

  /** The results of each run, below `runs/<run>/`, for 90 days. The bucket is kept when the stack is deleted. */
  readonly bucket: s3.Bucket;

  /** The alarm `<state machine>-failed`. Add an action with `addAlarmAction`. */
  readonly failureAlarm: cloudwatch.Alarm;

  /** The alarm `<function>-drift`: some tenant's schema was changed by hand. Undefined without `driftSchedule`. */
  readonly driftAlarm?: cloudwatch.Alarm;

  /** The function that passes on approvals. Undefined without a canary that waits for approval. */
  readonly approvalFunction?: lambda.Function;

  /** The ID of the run that the last deploy started. Undefined with `TenantDeploy.off()`. */
  readonly runId?: string;

  /** The run's page in the AWS console. Undefined with `TenantDeploy.off()`. */
  readonly runUrl?: string;

  private readonly machineName: string;
  private readonly encryptionKey: MigrationProps['encryptionKey'];
  private readonly onDeploy?: TenantsOnDeploy;

  constructor(scope: Construct, id: string, props: TenantMigrationProps) {
    super(scope, id);
    checkTypes(`TenantMigration ${this.node.path}`, props, PROPS);
    const { stage, appName = DEFAULT_APP_NAME, tenants, canary, toleratedFailures, encryptionKey, limits = {} } = props;
    const { batchSize = DEFAULT_BATCH_SIZE, maxConnections = DEFAULT_MAX_CONNECTIONS } = props;
    const { onDeploy = TenantDeploy.wait(), timeout = defaultTimeout(true), logRetention = DEFAULT_LOG_RETENTION } = props;
    const names = namePartProblems(appName, stage, tenantApprovalName);
    const name = names.length ? undefined : tenantFunctionName(appName, stage);
    const machineName = names.length ? undefined : tenantStateMachineName(appName, stage);
    this.machineName = machineName ?? 'unusable';
    this.encryptionKey = encryptionKey;

    const query = tenants._query;
    const runner = runnerFunction(this, 'Function', {
      ...props,
      functionName: name,
      timeout,
      problems: [
        ...names,
        ...duplicateProblems(this, name),
        ...limitProblems(timeout, limits, true),
        ...tenantLimitProblems(batchSize, maxConnections, toleratedFailures),
        ...tenants._problems,
        ...(canary?._problems ?? []),
        ...deployProblems(onDeploy, canary),
        ...driftProblems(props),
      ],
      settings: { allow: [], onDrift: props.onDrift, tenants: query === undefined ? {} : { query } },
    });
    this.function = runner.function;
    this.permitSecrets(props.tenantSecrets ?? []);

    const group = logGroup(this, 'CoordinatorLogGroup', { name: name && `${name}/coordinator`, logRetention, encryptionKey });
    const machine = tenantMachine(this, {
      appName,
      stage,
      machineName,
      approvalName: names.length ? undefined : tenantApprovalName(appName, stage),
      worker: this.function,
      source: tenants,
      settings: { batchSize, tolerated: toleranceSettings(toleratedFailures) },
      canary,
      concurrency: concurrencyOf(maxConnections),
      logGroup: group,
      encryptionKey,
    });
    this.stateMachine = machine.stateMachine;
    this.bucket = machine.bucket;
    this.approvalFunction = machine.approval;
    this.failureAlarm = runFailureAlarm(this, 'FailureAlarm', this.stateMachine, machineName);
    this.driftAlarm = scheduledDrift(this, props.driftSchedule, {
      fn: this.function,
      functionName: name,
      stateMachine: this.stateMachine,
      encryptionKey,
    });
    new CfnOutput(this, 'StateMachineArn', { value: this.stateMachine.stateMachineArn });

    if (onDeploy._mode === 'off') return;
    this.onDeploy = tenantsOnDeploy(this, 'OnDeploy', {
      stage,
      wait: onDeploy._mode === 'wait',
      worker: this.function,
      stateMachineArn: this.stateMachine.stateMachineArn,
      permit: (role) => this.allowStart(role),
      logGroup: group,
      encryptionKey,
    });
    const children = this.node.children.filter((child) => child !== this.onDeploy);
    this.executeAfter(...children, ...runner.dependencies, ...machine.source.dependencies);
    this.runId = this.onDeploy.output('RunId', 'runId');
    this.runUrl = this.onDeploy.output('RunUrl', 'consoleUrl');
  }

  /**
   * Migrates only after these are deployed. It always waits for the database, its secret, the VPC and the source of the
   * tenants. With `TenantDeploy.off()` this has no effect.
   */
  executeAfter(...scopes: IConstruct[]): void {
    this.onDeploy?.executeAfter(new ReadyForMigration(this.function, scopes));
  }

  /**
   * Deploys these only after the run has succeeded, such as the new application code; with `TenantDeploy.handOver()`, after it
   * started.
   */
  executeBefore(...scopes: IConstruct[]): void {
    this.onDeploy?.executeBefore(scopes);
  }

  /** Grants the permissions of `npx migrate-invoke --tenants`: start, watch and stop a run, but not approve its canaries. */
  grantRun(grantee: iam.IGrantable): iam.Grant {
    const listMachines = iam.Grant.addToPrincipal({
      grantee,
      // AWS supports no narrower resource for this action: the command finds the state machine by name.
      actions: RUN_ACTIONS.filter((action) => action === 'states:ListStateMachines'),
      resourceArns: ['*'],
    });
    const grant = listMachines.combine(this.allowStart(grantee));
    const watch = iam.Grant.addToPrincipal({
      grantee,
      actions: RUN_ACTIONS.filter((action) => !['states:ListStateMachines', 'states:StartExecution'].includes(action)),
      resourceArns: [executionsArn(this, this.machineName), mapRunsArn(this, this.machineName)],
    });
    grant.assertSuccess();
    return grant.combine(watch);
  }

  /**
   * Grants the permission to approve or reject the canaries of a run: `npx migrate-invoke --approve`. Throws without a canary
   * that waits for approval.
   */
  grantApprove(grantee: iam.IGrantable): iam.Grant {
    if (!this.approvalFunction) {
      throw new Error(`${this.node.path} has no canary that waits for an approval: there is nothing to grant`);
    }
    const grant = allowInvoke(grantee, this.approvalFunction);
    grant.assertSuccess();
    return grant;
  }

  /** Grants the permissions to start a run and read its result. */
  private allowStart(grantee: iam.IGrantable): iam.Grant {
    // Step Functions decrypts with the caller's permissions.
    this.encryptionKey?.grantDecrypt(grantee);
    const start = iam.Grant.addToPrincipal({
      grantee,
      actions: ['states:StartExecution'],
      resourceArns: [this.stateMachine.stateMachineArn],
    });
    const describe = iam.Grant.addToPrincipal({
      grantee,
      actions: ['states:DescribeExecution'],
      resourceArns: [executionsArn(this, this.machineName)],
    });
    return start.combine(describe);
  }

  private permitSecrets(names: readonly string[]): void {
    if (!names.length) return;
    const secretArn = (name: string) => {
      const arn = { service: 'secretsmanager', resource: 'secret', arnFormat: ArnFormat.COLON_RESOURCE_NAME };
      // Secrets Manager adds a hyphen and six characters to a name.
      return Stack.of(this).formatArn({ ...arn, resourceName: name.endsWith('*') ? name : `${name}-??????` });
    };
    this.function.addToRolePolicy(
      new iam.PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: names.map(secretArn) }),
    );
  }
}

function deployProblems(onDeploy: TenantDeploy, canary: TenantCanary | undefined): string[] {
  if (onDeploy._mode !== 'wait' || !canary) return [];
  if (canary._settings.after === 'approval') {
    return [
      `a deploy cannot wait until someone approves the canaries: use ${call('TenantDeploy.handOver')} or ${call('TenantDeploy.off')}`,
    ];
  }
  if (canary._waitSeconds > MAX_PAUSE_ON_DEPLOY) {
    return [
      `the canaries' pause is ${canary._waitSeconds / 60} minutes, but a deploy that waits has only ${MAX_PAUSE_ON_DEPLOY / 60}: ` +
        `shorten it, or use ${call('TenantDeploy.handOver')}`,
    ];
  }
  return [];
}

/** A deploy waits 55 minutes in total: this leaves most of it for the tenants. */
const MAX_PAUSE_ON_DEPLOY = 30 * 60;
