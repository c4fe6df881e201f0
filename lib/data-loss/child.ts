import { text } from 'node:stream/consumers';
import type { UpgradeStep } from '../contract/facts';
import { loadParser } from '../sql/parse';
import { type DestroyedData, findLosses } from './find-losses';

/*
 * Finds data losses in a separate process: synthesis is synchronous, and the parser loads asynchronously.
 * Reads the steps of each upgrade by file from stdin, and writes what each one destroys to stdout.
 */
async function main(): Promise<void> {
  const upgrades: Record<string, readonly UpgradeStep[]> = JSON.parse(await text(process.stdin));
  await loadParser();
  const lossesByFile = Object.entries(upgrades)
    .map(([file, steps]) => [file, lossesOf(steps)] as const)
    .filter(([, losses]) => losses.length);
  process.stdout.write(JSON.stringify(Object.fromEntries(lossesByFile)));
}

/** SQL that crashes the parser must not hide the losses of other revisions. */
function lossesOf(steps: readonly UpgradeStep[]): readonly DestroyedData[] {
  try {
    return findLosses(steps).losses;
  } catch {
    return [{ rule: 'unread-sql', what: "runs SQL that can't be read", line: 1 }];
  }
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
