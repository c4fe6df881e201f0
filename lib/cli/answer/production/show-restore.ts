import type { RestorePoint } from '../../../contract';
import { plain, type Terminal } from '../../screen/terminal';

/** RDS allows this many characters in an identifier. */
const MAX_IDENTIFIER_LENGTH = 63;

/** Shows how to restore the database to its state before a run. */
export function showRestore(terminal: Terminal, point: RestorePoint | undefined): void {
  if (!point) return;
  terminal.fact('restore', plain(restoreCommand(point)));
  const fromSnapshot = snapshotCommand(point);
  if (fromSnapshot !== undefined) terminal.fact('or', plain(fromSnapshot));
}

/** The command that restores a copy of the database at that point; if the server is unknown, just the point. */
function restoreCommand({ at, walPosition, cluster, instance }: RestorePoint): string {
  if (cluster !== undefined) {
    return (
      `aws rds restore-db-cluster-to-point-in-time --source-db-cluster-identifier ${cluster} ` +
      `--db-cluster-identifier ${copyOf(cluster, at)} --restore-to-time ${at} # makes a new cluster, without instances`
    );
  }
  if (instance !== undefined) {
    return (
      `aws rds restore-db-instance-to-point-in-time --source-db-instance-identifier ${instance} ` +
      `--target-db-instance-identifier ${copyOf(instance, at)} --restore-time ${at} # makes a new instance`
    );
  }
  return walPosition === undefined ? `to ${at}` : `to ${at}, WAL position ${walPosition}`;
}

/** The command that restores the snapshot that was made before the run; undefined: none was made. */
function snapshotCommand({ at, snapshot, cluster, instance }: RestorePoint): string | undefined {
  if (snapshot === undefined) return undefined;
  if (cluster !== undefined) {
    return (
      `aws rds restore-db-cluster-from-snapshot --snapshot-identifier ${snapshot} --engine aurora-postgresql ` +
      `--db-cluster-identifier ${copyOf(cluster, at)} # makes a new cluster, without instances`
    );
  }
  return (
    `aws rds restore-db-instance-from-db-snapshot --db-snapshot-identifier ${snapshot} ` +
    `--db-instance-identifier ${copyOf(instance ?? 'restored', at)} # makes a new instance`
  );
}

function copyOf(identifier: string, at: string): string {
  const suffix = `-at-${at.replace(/\.\d+/, '').replace(/[^0-9]/g, '')}`;
  return `${identifier.slice(0, MAX_IDENTIFIER_LENGTH - suffix.length).replace(/-+$/, '')}${suffix}`;
}
