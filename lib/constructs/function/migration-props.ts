import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as events from 'aws-cdk-lib/aws-events';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type { MigrationCode } from '../code/migration-code';
import type { MigrationDatabase } from '../database/migration-database';
import type { MigrationLimits } from './migration-limits';

/** What every construct with a function that migrates is given. */
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
   * @default - lambda.Runtime.PYTHON_3_13, or the newest that the backend's requires-python allows
   */
  readonly runtime?: lambda.Runtime;

  /**
   * Whether a pending revision that destroys data (drops a table, column, schema or type, truncates, deletes every row) has to
   * acknowledge it in its own file, with a reason; without one the run fails with `blocked` before anything is applied. What was
   * dropped comes back from a backup only.
   *
   * @default true
   */
  readonly guardDataLoss?: boolean;

  /**
   * Whether a pending revision that runs SQL which can't be read before it runs (put together from what the database holds, or in
   * another process) has to acknowledge that, too. Otherwise `plan` warns of it.
   *
   * @default false
   */
  readonly guardUnreadSql?: boolean;

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
