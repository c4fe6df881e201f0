import { execFileSync } from 'node:child_process';

/** A user and group of this machine, by number. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** PostgreSQL refuses to run as root, so it runs as `nobody`, which every machine has. */
export function unprivilegedAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const [uid, gid] = execFileSync('id', ['nobody'], { encoding: 'utf8' }).match(/(?<=[ug]id=)\d+/g) ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}
