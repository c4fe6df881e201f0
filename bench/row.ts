import type { Goal } from './goals';
import type { TestBed } from './test-bed/test-bed';
import type { Unit } from './units';

/** One way of doing what a row measures. */
export interface Variant {
  readonly name: string;
  /** Does it once and gives the measure. Throws when it did not do what it should: a run that failed has no measure. */
  run(): Promise<number>;
}

/** One row of the table: the same thing done by this package and by others. */
export interface Row {
  /** As `--only` takes it. */
  readonly name: string;
  readonly title: string;
  readonly unit: Unit;
  /** How often each variant is measured. */
  readonly runs: number;
  /** Whether each variant runs once before that; not where it has run already when the row is prepared. @default true */
  readonly warmUp?: boolean;
  readonly goals: readonly Goal[];
  /** Whether it deploys to an AWS on this machine. @default false */
  readonly onLocalAws?: boolean;
  /** Lays out what the runs need; nothing of it is measured. The first variant is this package's. */
  prepare(testBed: TestBed): Promise<readonly [Variant, ...Variant[]]>;
}
