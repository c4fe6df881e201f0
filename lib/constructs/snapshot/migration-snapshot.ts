import type * as rds from 'aws-cdk-lib/aws-rds';
import type { SnapshotSettings } from '../../contract';
import { MAX_SNAPSHOTS } from '../../contract/production/snapshot';
import { checkTypes, optional, type PropTypes, rdsCluster, rdsInstance, whole } from '../function/prop-types';

/** Options of {@link MigrationSnapshot}. */
export interface MigrationSnapshotOptions {
  /**
   * Number of snapshots to keep, from 1 to 100. When a new one is available, older ones that this stage's runs made are deleted. RDS
   * allows 100 manual snapshots in an account and region, unless AWS raises it.
   *
   * @default 5
   */
  readonly keep?: number;

  /**
   * The cluster that the database is on.
   *
   * @default - the cluster of `database`
   */
  readonly cluster?: rds.IDatabaseCluster;

  /**
   * The instance that the database is on.
   *
   * @default - the instance of `database`
   */
  readonly instance?: rds.IDatabaseInstance;
}

const OPTIONS: PropTypes<MigrationSnapshotOptions> = {
  keep: optional(whole(1, MAX_SNAPSHOTS)),
  cluster: optional(rdsCluster),
  instance: optional(rdsInstance),
};

/**
 * Which runs make an RDS snapshot before their first revision. Nothing is applied until the snapshot is available. A database without
 * tables has nothing to lose: no snapshot is made.
 */
export class MigrationSnapshot {
  /** Runs with a pending revision that destroys data, acknowledged or not. Also runs of `npx migrate-invoke --snapshot`. */
  static beforeDataLoss(options: MigrationSnapshotOptions = {}): MigrationSnapshot {
    checkTypes('MigrationSnapshot.beforeDataLoss', options, OPTIONS);
    return new MigrationSnapshot('data_loss', options);
  }

  /** All runs with pending revisions, and downgrades. */
  static always(options: MigrationSnapshotOptions = {}): MigrationSnapshot {
    checkTypes('MigrationSnapshot.always', options, OPTIONS);
    return new MigrationSnapshot('every_run', options);
  }

  /** @internal */
  readonly _before: SnapshotSettings['before'];

  /** @internal */
  readonly _options: MigrationSnapshotOptions;

  private constructor(before: SnapshotSettings['before'], options: MigrationSnapshotOptions) {
    this._before = before;
    this._options = options;
  }
}
