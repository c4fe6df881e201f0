import type { Snapshot } from '../../../contract';
import { plain, type Terminal } from '../../screen/terminal';

/** Says that a run will make a snapshot first. */
export function showPlannedSnapshot(terminal: Terminal, snapshot: Snapshot | undefined): void {
  if (snapshot?.status === 'planned') terminal.line(`  an RDS snapshot of ${sourceOf(snapshot)} is made first`);
}

/** Shows the snapshot that a run made. */
export function showSnapshot(terminal: Terminal, snapshot: Snapshot | undefined): void {
  if (snapshot?.status === 'available') terminal.fact('snapshot', plain(`${snapshot.name} of ${sourceOf(snapshot)}`));
}

/** What a run waits for, in words. */
export function snapshotNow({ status, name, percent, reason, ...source }: Snapshot): string {
  const of = sourceOf({ status, ...source });
  if (status === 'waiting') return plain(`waiting until RDS can begin a snapshot of ${of}: ${reason}`);
  return plain(`making the RDS snapshot ${name} of ${of}${percent ? `, ${percent} %` : ''}`);
}

function sourceOf({ cluster, instance }: Snapshot): string {
  return cluster === undefined ? `the instance ${instance}` : `the cluster ${cluster}`;
}
