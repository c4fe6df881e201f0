import type { Goal, Verdict } from './goals';
import type { Statistics } from './statistics';
import type { Unit } from './units';

/** What `--json` writes, and what README and docs/performance.md are made from. */
export interface Results {
  /** When it was measured: a day. */
  readonly date: string;
  readonly command: string;
  readonly machine: Machine;
  readonly rows: readonly RowResult[];
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly system: string;
  readonly node: string;
  readonly python: string;
  readonly postgres: string;
}

/** A measured row, or why there is none: a run that failed leaves no ratio. */
export type RowResult = MeasuredRow | FailedRow;

interface Named {
  readonly name: string;
  readonly title: string;
  readonly unit: Unit;
}

export interface MeasuredRow extends Named {
  /** The first is this package's. */
  readonly variants: readonly VariantResult[];
  readonly verdicts: readonly Verdict[];
}

export interface FailedRow extends Named {
  readonly goals: readonly Goal[];
  readonly failure: string;
}

export interface VariantResult extends Statistics {
  readonly name: string;
  /** In the order in which they ran. */
  readonly runs: readonly number[];
}

export function isMeasured(row: RowResult): row is MeasuredRow {
  return 'variants' in row;
}
