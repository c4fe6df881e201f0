import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as events from 'aws-cdk-lib/aws-events';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type { MigrationCode } from '../code/migration-code';
import type { MigrationDatabase } from '../database/migration-database';
import type { MigrationSecret } from '../database/migration-secret';
import { LIMITS, type MigrationLimits } from './migration-limits';
import type { OnReplication } from './on-replication';
import {
  anyStructure,
  byName,
  flag,
  instance,
  number,
  optional,
  type PropTypes,
  securityGroups,
  structure,
  text,
  textByName,
  whole,
} from './prop-types';

/** Props of every construct that migrates. */
export interface MigrationProps {
  /** The stage, such as `dev` or `prod`: the last part of every name. */
  readonly stage: string;

  /**
   * The application: the first part of every name.
   *
   * @default 'template-saas'
   */
  readonly appName?: string;

  /** The backend's Alembic project. */
  readonly code: MigrationCode;

  /** Where the database's address and password come from. */
  readonly database: MigrationDatabase;

  /**
   * A VPC from which the database is reachable. In isolated subnets the function requires an interface endpoint for Secrets
   * Manager (and one for KMS, if the secret has its own key).
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
   * @default - a new one that allows all outbound traffic
   */
  readonly securityGroups?: ec2.ISecurityGroup[];

  /**
   * More environment variables of the function. Do not pass secrets: the template shows them.
   *
   * @default - none
   */
  readonly environment?: { [name: string]: string };

  /**
   * Environment variables that the function fills with secrets at run time, such as the key of an API that a migration calls. The
   * database's password is part of `database`.
   *
   * @default - none
   */
  readonly secrets?: { [name: string]: MigrationSecret };

  /**
   * Memory of the function, in MiB.
   *
   * @default 512
   */
  readonly memorySize?: number;

  /**
   * How long a run waits for the mutex, for locks and for the database.
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
   * The function's Python. An image has its own.
   *
   * @default - of the Pythons that the backend's requires-python allows, one for which its lock has the most wheels; if
   * possible, lambda.Runtime.PYTHON_3_13
   */
  readonly runtime?: lambda.Runtime;

  /**
   * Whether a pending revision that destroys data (drops a table, column, schema or type, truncates, deletes every row) must
   * acknowledge it in its own file, with a reason. Otherwise the run fails with `blocked` before anything is applied. Only a
   * backup restores dropped data.
   *
   * @default true
   */
  readonly guardDataLoss?: boolean;

  /**
   * Whether a pending revision must also acknowledge SQL that can't be read in advance (built from the database's content, or
   * in another process). Otherwise `plan` warns about it.
   *
   * @default false
   */
  readonly guardUnreadSql?: boolean;

  /**
   * What happens if pending revisions change logically replicated tables.
   *
   * @default OnReplication.WARN
   */
  readonly onReplication?: OnReplication;

  /**
   * Whether `npx migrate-invoke` asks a person to type the stage's name before it changes the database, and a pipeline must
   * pass `--yes`. A deploy does not ask.
   *
   * @default false
   */
  readonly protectedStage?: boolean;

  /**
   * How long to keep the logs. They are deleted with the stack.
   *
   * @default logs.RetentionDays.ONE_YEAR
   */
  readonly logRetention?: logs.RetentionDays;

  /**
   * The event bus that gets an event at the end of each run: source `cdk-alembic`, detail type `Migration Run Ended`. In
   * isolated subnets it requires an interface endpoint for EventBridge.
   *
   * @default - no events are sent
   */
  readonly eventBus?: events.IEventBus;

  /**
   * The key that encrypts environment variables, logs, and each deploy's history in Step Functions. If the key is not created
   * in this app, its policy must let CloudWatch Logs use it.
   *
   * @default - AWS's keys
   */
  readonly encryptionKey?: kms.IKey;
}

export const MIGRATION_PROPS: PropTypes<MigrationProps> = {
  stage: text,
  appName: optional(text),
  code: instance("a MigrationCode, such as MigrationCode.fromProject('../back')", '_pythonVersion'),
  database: instance('a MigrationDatabase, such as MigrationDatabase.fromCluster(cluster, { ... })', '_warnings'),
  vpc: optional(instance('a VPC, such as ec2.Vpc.fromLookup(...)', 'vpcId')),
  vpcSubnets: optional(anyStructure),
  securityGroups: optional(securityGroups),
  environment: optional(textByName),
  secrets: optional(byName(instance('a MigrationSecret, such as MigrationSecret.fromSecretsManager(secret)', '_secret'))),
  memorySize: optional(whole(128, 10_240)),
  limits: optional(structure(LIMITS)),
  architecture: optional(instance('an Architecture, such as lambda.Architecture.X86_64', 'dockerPlatform')),
  runtime: optional(instance('a Runtime, such as lambda.Runtime.PYTHON_3_13', 'name')),
  guardDataLoss: optional(flag),
  guardUnreadSql: optional(flag),
  onReplication: optional(instance('an OnReplication, such as OnReplication.WARN', '_setting')),
  protectedStage: optional(flag),
  logRetention: optional(number),
  eventBus: optional(instance('an event bus', 'eventBusArn')),
  encryptionKey: optional(instance('a key', 'keyArn')),
};
