/** What several runs of the same thing have in common. */
export interface Statistics {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export function statistics(values: readonly number[]): Statistics {
  const sorted = [...values].sort((a, b) => a - b);
  const [least, most] = [sorted[0], sorted.at(-1)];
  if (least === undefined || most === undefined) throw new Error('nothing was measured');
  return { median: median(sorted), least, most };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) throw new Error('nothing was measured');
  return sorted.length % 2 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}
