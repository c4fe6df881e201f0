import { MigrateError, type Snapshot } from '../../contract';
import { sleep } from './sleep';

const FIRST_PAUSE_MS = 2_000;
/** RDS takes minutes, and each check calls the function. */
const LONGEST_PAUSE_MS = 15_000;

/** A backup or a change of settings is usually over by then. */
const PATIENCE_MS = 15 * 60_000;

/** Waits between two calls of a run whose RDS snapshot is not available yet. */
export class SnapshotWait {
  private pause = FIRST_PAUSE_MS;
  private waitingSince?: number;

  /**
   * @param until when to stop waiting, on the clock of `performance.now()`
   * @returns whether to ask again; false: there is no time left
   */
  async again({ status, reason = '' }: Snapshot, until: number, signal?: AbortSignal): Promise<boolean> {
    const now = performance.now();
    this.waitingSince = status === 'waiting' ? (this.waitingSince ?? now) : undefined;
    if (this.waitingSince !== undefined && now - this.waitingSince > PATIENCE_MS) {
      throw new MigrateError(
        'snapshot_not_ready',
        `RDS could not begin the snapshot for ${PATIENCE_MS / 60_000} minutes: ${reason}`,
        'run again when the cluster or instance is available; nothing was applied',
      );
    }
    if (now + this.pause >= until) return false;
    await sleep(this.pause, signal);
    this.pause = Math.min(this.pause * 1.5, LONGEST_PAUSE_MS);
    return true;
  }
}

/** Whether nothing can be applied before the snapshot is available. */
export function isAwaited(snapshot: Snapshot | undefined): snapshot is Snapshot {
  return snapshot?.status === 'waiting' || snapshot?.status === 'creating';
}
