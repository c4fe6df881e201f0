import type { Count, Text } from '../basic';
import { choiceOf, numberFrom, type Shape, text } from '../checks/rules';

/** Tag of each snapshot that a run made. Its value is the stage's {@link SnapshotSettings.prefix}. */
export const SNAPSHOT_TAG = 'cdk-alembic';

/** Which runs make a snapshot first. */
export const SNAPSHOTS_BEFORE = ['data_loss', 'every_run'] as const;

/** The RDS snapshots of a stage's database. */
export interface SnapshotSettings {
  readonly before: (typeof SNAPSHOTS_BEFORE)[number];
  /** Identifier of the cluster; with it, there is no instance. */
  readonly cluster?: string;
  /** Identifier of the instance. */
  readonly instance?: string;
  /** Start of each snapshot's identifier; the run's id follows. */
  readonly prefix: string;
  /** Number of snapshots to keep. */
  readonly keep: number;
}

/** The most manual snapshots that an account may have in a region, https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html */
export const MAX_SNAPSHOTS = 100;

/** The rules of {@link SnapshotSettings}. */
export const SNAPSHOT_SETTINGS: Shape<SnapshotSettings> = {
  name: 'the snapshots',
  keys: {
    before: choiceOf(SNAPSHOTS_BEFORE, { neededBy: 'all' }),
    cluster: text(),
    instance: text(),
    prefix: text({ pattern: '[a-z](?:-?[a-z0-9])*', neededBy: 'all' }),
    keep: numberFrom(1, MAX_SNAPSHOTS, { whole: true, neededBy: 'all' }),
  },
  oneOf: { keys: ['cluster', 'instance'], wrong: 'snapshot must name a cluster or an instance' },
  notBoth: { keys: ['cluster', 'instance'], wrong: 'snapshot must name a cluster or an instance, not both' },
};

/** The RDS snapshot that a run makes before its first revision. */
export interface Snapshot {
  /**
   * - `planned`: an upgrade would make it
   * - `waiting`: RDS can't begin it now; nothing is applied; ask again
   * - `creating`: nothing is applied until it is available; ask again
   * - `available`: it exists
   */
  readonly status: 'planned' | 'waiting' | 'creating' | 'available';
  /** Its identifier. Absent: planned. */
  readonly name?: Text;
  /** Identifier of the cluster that it copies. */
  readonly cluster?: Text;
  /** Identifier of the instance that it copies. */
  readonly instance?: Text;
  /** Percent that is done, as RDS reports it. */
  readonly percent?: Count;
  /** Why RDS can't begin it now. */
  readonly reason?: Text;
}
