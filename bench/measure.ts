import { baselineOf, judge } from './goals';
import type { RowResult, VariantResult } from './results';
import type { Row, Variant } from './row';
import { statistics } from './statistics';
import type { TestBed } from './test-bed/test-bed';

/** Measures a row: every variant once unmeasured to warm up, then all of them in turn, so that what slows this machine slows all alike. */
export async function measure(
  row: Row,
  testBed: TestBed,
  onRun: (done: number, of: number) => void = () => {},
): Promise<RowResult> {
  const { name, title, unit, goals } = row;
  try {
    const variants = await row.prepare(testBed);
    const values = new Map(variants.map((variant) => [variant.name, [] as number[]]));
    for (let round = row.warmUp === false ? 1 : 0; round <= row.runs; round++) {
      onRun(round, row.runs);
      for (const variant of variants) {
        const value = await measureOnce(variant);
        if (round > 0) values.get(variant.name)?.push(value);
      }
    }
    return {
      name,
      title,
      unit,
      ...judged(
        row,
        [...values].map(([variant, runs]) => ({ name: variant, runs, ...statistics(runs) })),
      ),
    };
  } catch (error) {
    return { name, title, unit, goals, failure: (error as Error).message };
  }
}

async function measureOnce({ name, run }: Variant): Promise<number> {
  try {
    return await run();
  } catch (error) {
    throw new Error(`${name}: ${(error as Error).message}`);
  }
}

function judged({ goals }: Row, variants: readonly VariantResult[]) {
  const medianOf = (name: string | undefined) => variants.find((variant) => variant.name === name)?.median;
  const [ours] = variants as [VariantResult];
  return { variants, verdicts: goals.map((goal) => judge(goal, ours.median, medianOf(baselineOf(goal)))) };
}
