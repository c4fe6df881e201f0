import { Annotations, CfnOutput, type Duration, Stack } from 'aws-cdk-lib';
import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as events from 'aws-cdk-lib/aws-events';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct, type IConstruct } from 'constructs';
import { DEFAULT_APP_NAME, functionName, nameProblems, type RunnerSettings, SETTINGS_VARIABLE } from '../contract';
import type { BoundCode } from './bound-code';
import { failureAlarm } from './failure-alarm';
import { literalPasswords } from './literal-passwords';
import type { MigrationCode } from './migration-code';
import type { MigrationDatabase } from './migration-database';
import { migrationFunction } from './migration-function';
import { defaultTimeout, limitProblems, type MigrationLimits, runnerLimits } from './migration-limits';
import { allowInvoke, MigrationOnDeploy } from './migration-on-deploy';
import { ReadyForMigration } from './migration-order';
import { warnOfUnknownRegion } from './unknown-region';

/** Properties of {@link AlembicMigration}. */
export interface AlembicMigrationProps {
  /** The stage, such as `dev` or `prod`: the last part of the function's name. */
  readonly stage: string;

  /**
   * The application: the first part of the function's name, `<appName>-api-migrate-lambda-<stage>`.
   *
   * @default 'template-saas'
   */
  readonly appName?: string;

  /** The backend's Alembic project. */
  readonly code: MigrationCode;

  /** Where the database's address and password come from. */
  readonly database: MigrationDatabase;

  /**
   * The VPC from which the database can be reached. In isolated subnets the function needs an interface endpoint for Secrets Manager
   * (and one for KMS, if the secret has a key of its own).
   *
   * @default - the function runs in no VPC
   */
  readonly vpc?: ec2.IVpc;

  /**
   * The subnets of the VPC.
   *
   * @default - the VPC's private subnets
   */
  readonly vpcSubnets?: ec2.SubnetSelection;

  /**
   * The function's security groups.
   *
   * @default - one of its own, which may send anywhere
   */
  readonly securityGroups?: ec2.ISecurityGroup[];

  /**
   * Further environment variables of the function. No secrets: the template shows them.
   *
   * @default - none
   */
  readonly environment?: { [name: string]: string };

  /**
   * Memory of the function, in MiB.
   *
   * @default 512
   */
  readonly memorySize?: number;

  /**
   * How long one invoke may take. A run may take longer: it goes on in the next invoke, between two revisions.
   *
   * @default Duration.minutes(14) - what a deploy can wait for; without `runOnDeploy` Lambda's maximum, 15 minutes
   */
  readonly timeout?: Duration;

  /**
   * How long a run waits for what: the mutex, locks, the database.
   *
   * @default - see {@link MigrationLimits}
   */
  readonly limits?: MigrationLimits;

  /**
   * The function's processor.
   *
   * @default lambda.Architecture.ARM_64
   */
  readonly architecture?: lambda.Architecture;

  /**
   * The function's Python. An image brings its own.
   *
   * @default lambda.Runtime.PYTHON_3_13
   */
  readonly runtime?: lambda.Runtime;

  /**
   * Whether a deploy runs the pending migrations. Without it they run when somebody calls `npx migrate-invoke`.
   *
   * @default true
   */
  readonly runOnDeploy?: boolean;

  /**
   * Whether a pending revision that destroys data (drops a table, column, schema or type, truncates, deletes every row) has to
   * acknowledge it in its own file, with a reason; without one the run fails with `blocked` before anything is applied. What was
   * dropped comes back from a backup only.
   *
   * @default true
   */
  readonly guardDataLoss?: boolean;

  /**
   * Whether the function accepts the command `downgrade`.
   *
   * @default false
   */
  readonly allowDowngrade?: boolean;

  /**
   * Whether the function accepts the command `stamp`, which moves the version table without migrating.
   *
   * @default false
   */
  readonly allowStamp?: boolean;

  /**
   * Whether `npx migrate-invoke` asks a person to type the stage's name before it changes the database, and a pipeline needs `--yes`.
   * A deploy does not ask.
   *
   * @default false
   */
  readonly protectedStage?: boolean;

  /**
   * How long the logs are kept, as long as the stack is there.
   *
   * @default logs.RetentionDays.ONE_YEAR
   */
  readonly logRetention?: logs.RetentionDays;

  /**
   * The event bus that is told when a run has ended: source `cdk-alembic`, detail type `Migration Run Ended`.
   *
   * @default - nobody is told: from an isolated subnet that takes an interface endpoint for EventBridge
   */
  readonly eventBus?: events.IEventBus;

  /**
   * The key that encrypts all that is kept: environment variables, logs, and the record of each deploy in Step Functions. The policy
   * of a key from outside of the app must let CloudWatch Logs use it.
   *
   * @default - keys that AWS manages
   */
  readonly encryptionKey?: kms.IKey;
}

/** A function that runs the backend's Alembic migrations, and a deploy that calls it. */
export class AlembicMigration extends Construct {
  /** The function `<appName>-api-migrate-lambda-<stage>`. */
  readonly function: lambda.Function;

  /** The alarm `<function>-failed`: a call of the function has failed. It has no action of its own: `addAlarmAction` adds one. */
  readonly failureAlarm: cloudwatch.Alarm;

  /** Where the last deploy that migrated found the database: a revision, several joined with `,`, or empty. Undefined without `runOnDeploy`. */
  readonly fromRevision?: string;

  /** Where that deploy left the database. Undefined without `runOnDeploy`. */
  readonly toRevision?: string;

  /** How many revisions that deploy applied; a number as text. Undefined without `runOnDeploy`. */
  readonly appliedCount?: string;

  private readonly onDeploy?: MigrationOnDeploy;

  constructor(scope: Construct, id: string, props: AlembicMigrationProps) {
    super(scope, id);
    const { stage, appName = DEFAULT_APP_NAME, environment = {}, database, limits = {}, runOnDeploy = true } = props;
    const { encryptionKey, logRetention = logs.RetentionDays.ONE_YEAR, timeout = defaultTimeout(runOnDeploy) } = props;
    const architecture = props.architecture ?? lambda.Architecture.ARM_64;
    const names = nameProblems(appName, stage);
    const problems = [
      ...names,
      ...limitProblems(timeout, limits, runOnDeploy),
      ...literalPasswords(environment),
      ...database._problems,
    ];
    const code = this.bindCode(props, architecture, problems);
    const name = names.length ? undefined : functionName(appName, stage);

    this.function = migrationFunction(this, 'Function', {
      functionName: name,
      code,
      architecture,
      memorySize: props.memorySize ?? 512,
      timeout,
      environment,
      vpc: props.vpc,
      vpcSubnets: props.vpcSubnets,
      securityGroups: props.securityGroups,
      logRetention,
      encryptionKey,
    });
    const { settings, dependencies } = database._bind(this.function);
    const allow: RunnerSettings['allow'] = [
      ...(props.allowDowngrade ? (['downgrade'] as const) : []),
      ...(props.allowStamp ? (['stamp'] as const) : []),
    ];
    if (settings.source !== 'environment') warnOfUnknownRegion(this, environment);
    props.eventBus?.grantPutEventsTo(this.function);
    const runnerSettings: RunnerSettings = {
      stage,
      allow,
      database: settings,
      guard: props.guardDataLoss,
      protected: props.protectedStage,
      limits: runnerLimits(limits),
      eventBus: props.eventBus?.eventBusArn,
    };
    this.function.addEnvironment(SETTINGS_VARIABLE, Stack.of(this).toJsonString(runnerSettings));
    this.failureAlarm = failureAlarm(this, 'FailureAlarm', this.function, name);
    new CfnOutput(this, 'FunctionName', { value: this.function.functionName });

    if (!runOnDeploy) return;
    this.onDeploy = new MigrationOnDeploy(this, 'OnDeploy', {
      stage,
      function: this.function,
      functionName: name,
      logRetention,
      encryptionKey,
    });
    const own = this.node.children.filter((child) => child !== this.onDeploy);
    this.executeAfter(...own, ...dependencies, ...(props.vpc ? [props.vpc] : []));
    this.fromRevision = this.onDeploy.outcome('fromRevision');
    this.toRevision = this.onDeploy.outcome('toRevision');
    this.appliedCount = this.onDeploy.outcome('appliedCount');
    new CfnOutput(this, 'FromRevision', { value: this.fromRevision });
    new CfnOutput(this, 'ToRevision', { value: this.toRevision });
    new CfnOutput(this, 'AppliedCount', { value: this.appliedCount });
  }

  /**
   * Migrates only when these are in place. The database, its secret and the VPC are waited for without it. Without `runOnDeploy`
   * nothing runs and nothing is ordered.
   */
  executeAfter(...scopes: IConstruct[]): void {
    this.onDeploy?.executeAfter(new ReadyForMigration(this.function, scopes));
  }

  /** Deploys these only when the migrations have succeeded, such as the new application code. */
  executeBefore(...scopes: IConstruct[]): void {
    this.onDeploy?.executeBefore(scopes);
  }

  /** Permits what `npx migrate-invoke` does with the function: to invoke it, and to wait until it is Active. */
  grantInvoke(grantee: iam.IGrantable): iam.Grant {
    const grant = allowInvoke(grantee, this.function);
    // A principal that takes no policy, such as another account, would otherwise be left without the permission, silently.
    grant.assertSuccess();
    return grant;
  }

  /** Packages the code, and reports all that is wrong at once. */
  private bindCode(props: AlembicMigrationProps, architecture: lambda.Architecture, problems: readonly string[]): BoundCode {
    const runtime = props.runtime ?? lambda.Runtime.PYTHON_3_13;
    const pythonVersion = /^python(3\.\d+)$/.exec(runtime.name)?.[1];
    const all = pythonVersion
      ? problems
      : [...problems, `the runtime ${runtime.name} is no Python: use lambda.Runtime.PYTHON_3_13`];
    const platform = { architecture: architecture.name as 'arm64' | 'x86_64', pythonVersion: pythonVersion ?? '3.13' };
    const code = props.code._bind(this, platform, all.length === 0);
    const annotations = Annotations.of(this);
    for (const error of [...all, ...code.errors]) annotations.addError(error);
    for (const warning of code.warnings) annotations.addWarningV2('cdk-alembic:package', warning);
    return code;
  }
}
