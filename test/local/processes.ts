import { setTimeout as sleep } from 'node:timers/promises';

export function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

export async function eventually(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const until = Date.now() + 300_000;
  while (!(await isSo())) {
    if (Date.now() > until) throw new Error('it did not happen within five minutes');
    await sleep(20);
  }
}
