import { CfnOutput, type Duration } from 'aws-cdk-lib';
import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as events from 'aws-cdk-lib/aws-events';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct, type IConstruct } from 'constructs';
import { DEFAULT_APP_NAME, functionName, type RunnerSettings } from '../contract';
import type { MigrationCompute } from './container/migration-compute';
import type { MigrationContainer } from './container/migration-container';
import { OnDrift } from './drift/on-drift';
import { driftProblems, scheduledDrift } from './drift/scheduled-drift';
import { failureAlarm } from './function/failure-alarm';
import { defaultTimeout, limitProblems } from './function/migration-limits';
import { ReadyForMigration } from './function/migration-order';
import { MIGRATION_PROPS, type MigrationProps } from './function/migration-props';
import { duplicateProblems, namePartProblems } from './function/name-problems';
import { checkTypes, duration, flag, instance, oneOf, optional, type PropTypes } from './function/prop-types';
import { DEFAULT_LOG_RETENTION, runnerFunction } from './function/runner-function';
import { allowInvoke, type MigrationOnDeploy, migrationOnDeploy } from './on-deploy/migration-on-deploy';
import type { MigrationSnapshot } from './snapshot/migration-snapshot';
import { allowSnapshots, snapshotSource } from './snapshot/snapshot-source';

/** Properties of {@link AlembicMigration}. Its function is `<appName>-api-migrate-lambda-<stage>`. */
export interface AlembicMigrationProps extends MigrationProps {
  /**
   * How long one invoke may take. A run may take longer: it continues in the next invoke, between two revisions.
   *
   * @default Duration.minutes(14) - the longest that a deploy can wait; without `runOnDeploy` Lambda's maximum, 15 minutes
   */
  readonly timeout?: Duration;

  /**
   * Whether a deploy runs the pending migrations. Otherwise they run when someone calls `npx migrate-invoke`.
   *
   * @default true
   */
  readonly runOnDeploy?: boolean;

  /**
   * Whether the function accepts the command `downgrade`.
   *
   * @default false
   */
  readonly allowDowngrade?: boolean;

  /**
   * Whether the function accepts the command `stamp`, which changes the version table without migrating.
   *
   * @default false
   */
  readonly allowStamp?: boolean;

  /**
   * Whether each run keeps the schema that it leaves, and what the next one does if someone changed it by hand since. The
   * command `drift` then shows each change.
   *
   * @default - drift is not checked
   */
  readonly onDrift?: OnDrift;

  /**
   * When EventBridge calls the function to look for drift, such as `events.Schedule.rate(Duration.days(1))`. Drift triggers
   * `driftAlarm`, and is sent to `eventBus` as `Migration Drift Found`. Requires `onDrift`.
   *
   * @default - only a plan, a run and the command `drift` look for drift
   */
  readonly driftSchedule?: events.Schedule;

  /**
   * Which runs make an RDS snapshot before their first revision, and wait until it is available. The function calls the API of RDS
   * for it: in isolated subnets it requires an interface endpoint for RDS.
   *
   * @default - no snapshots are made
   */
  readonly snapshot?: MigrationSnapshot;

  /**
   * Where the migrations run.
   *
   * @default MigrationCompute.functionOnly()
   */
  readonly compute?: MigrationCompute;
}

const PROPS: PropTypes<AlembicMigrationProps> = {
  ...MIGRATION_PROPS,
  timeout: optional(duration),
  runOnDeploy: optional(flag),
  allowDowngrade: optional(flag),
  allowStamp: optional(flag),
  onDrift: optional(oneOf('OnDrift', OnDrift)),
  driftSchedule: optional(instance('a Schedule, such as events.Schedule.rate(Duration.days(1))', 'expressionString')),
  snapshot: optional(instance('a MigrationSnapshot, such as MigrationSnapshot.beforeDataLoss()', '_before')),
  compute: optional(instance('a MigrationCompute, such as MigrationCompute.container({ cluster })', '_container')),
};

/** A function that runs the backend's Alembic migrations, and calls it on every deploy that changes it. */
export class AlembicMigration extends Construct {
  /** The function `<appName>-api-migrate-lambda-<stage>`. */
  readonly function: lambda.Function;

  /** The alarm `<function>-failed`: a call of the function failed. Add an action with `addAlarmAction`. */
  readonly failureAlarm: cloudwatch.Alarm;

  /** The alarm `<function>-drift`: the schema was changed by hand. Undefined without `driftSchedule`. */
  readonly driftAlarm?: cloudwatch.Alarm;

  /**
   * The database's revision before the last deploy that migrated: one, several joined with `,`, or empty. Undefined without
   * `runOnDeploy`. Use it in the same stack: CloudFormation rejects an exported value that is empty, or that changes while another
   * stack imports it.
   */
  readonly fromRevision?: string;

  /** The database's revision after that deploy. Undefined without `runOnDeploy`. */
  readonly toRevision?: string;

  /** Number of revisions that this deploy applied, as a string. Undefined without `runOnDeploy`. */
  readonly appliedCount?: string;

  /**
   * Identifier of the RDS snapshot that this deploy made first; empty: none. Undefined without `runOnDeploy` or `snapshot`.
   */
  readonly snapshotName?: string;

  /** The state machine `<function>-container`. Undefined without `MigrationCompute.container`. */
  readonly containerStateMachineArn?: string;

  /** The alarm `<function>-container-failed`: a run in the container failed. Undefined without `MigrationCompute.container`. */
  readonly containerFailureAlarm?: cloudwatch.Alarm;

  private readonly onDeploy?: MigrationOnDeploy;
  private readonly container?: MigrationContainer;

  constructor(scope: Construct, id: string, props: AlembicMigrationProps) {
    super(scope, id);
    checkTypes(`AlembicMigration ${this.node.path}`, props, PROPS);
    const { stage, appName = DEFAULT_APP_NAME, limits = {}, runOnDeploy = true } = props;
    const { encryptionKey, logRetention = DEFAULT_LOG_RETENTION, timeout = defaultTimeout(runOnDeploy) } = props;
    const names = namePartProblems(appName, stage, functionName);
    const name = names.length ? undefined : functionName(appName, stage);
    const allow: RunnerSettings['allow'] = [
      ...(props.allowDowngrade ? (['downgrade'] as const) : []),
      ...(props.allowStamp ? (['stamp'] as const) : []),
    ];
    const snapshots = props.snapshot && snapshotSource(this, props.snapshot, props.database._resource, name ?? 'unnamed');
    const runner = runnerFunction(this, 'Function', {
      ...props,
      functionName: name,
      timeout,
      problems: [
        ...names,
        ...duplicateProblems(this, name),
        ...limitProblems(timeout, limits, runOnDeploy),
        ...driftProblems(props),
        ...(snapshots?.problems ?? []),
      ],
      settings: { allow, onDrift: props.onDrift, snapshot: snapshots?.settings },
      container: props.compute?._container,
    });
    this.function = runner.function;
    if (snapshots?.settings) allowSnapshots(this.function, snapshots.settings);
    this.container = runner.container;
    this.containerStateMachineArn = runner.container?.stateMachineArn;
    this.containerFailureAlarm = runner.container?.failureAlarm;
    this.failureAlarm = failureAlarm(this, 'FailureAlarm', this.function, name);
    this.driftAlarm = scheduledDrift(this, props.driftSchedule, { fn: this.function, functionName: name });
    new CfnOutput(this, 'FunctionName', { value: this.function.functionName });

    if (!runOnDeploy) return;
    this.onDeploy = migrationOnDeploy(this, 'OnDeploy', {
      stage,
      function: this.function,
      functionName: name,
      logRetention,
      encryptionKey,
      container: runner.container,
      containerOnDeploy: props.compute?._container?.onDeploy?._kind,
      snapshots: props.snapshot !== undefined,
    });
    const children = this.node.children.filter((child) => child !== this.onDeploy);
    this.executeAfter(...children, ...runner.dependencies);
    this.fromRevision = this.onDeploy.output('FromRevision', 'fromRevision');
    this.toRevision = this.onDeploy.output('ToRevision', 'toRevision');
    this.appliedCount = this.onDeploy.output('AppliedCount', 'appliedCount');
    if (props.snapshot) this.snapshotName = this.onDeploy.output('Snapshot', 'snapshot');
    if (runner.container) this.onDeploy.output('ContainerExecution', 'containerExecution');
  }

  /**
   * Migrates only after these are deployed. It always waits for the database, its secret and the VPC. Without `runOnDeploy`
   * this has no effect.
   */
  executeAfter(...scopes: IConstruct[]): void {
    this.onDeploy?.executeAfter(new ReadyForMigration(this.function, scopes, this.container));
  }

  /** Deploys these only after the migrations succeeded, such as the new application code. */
  executeBefore(...scopes: IConstruct[]): void {
    this.onDeploy?.executeBefore(scopes);
  }

  /**
   * Grants the permissions of `npx migrate-invoke`: invoke the function and wait until it is active; with a container, also
   * start the container and follow it.
   */
  grantInvoke(grantee: iam.IGrantable): iam.Grant {
    const invoke = allowInvoke(grantee, this.function);
    const grant = this.container ? invoke.combine(this.container.allowRun(grantee)) : invoke;
    // Otherwise a principal that accepts no policy, such as another account, would silently get no permission.
    grant.assertSuccess();
    return grant;
  }
}
