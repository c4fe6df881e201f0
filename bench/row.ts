import type { Goal } from './goals';
import type { TestBed } from './test-bed/test-bed';
import type { Unit } from './units';

/** One way of doing what a row measures. */
export interface Variant {
  readonly name: string;
  /** Runs once and returns the measurement. Throws when the run did not do its work. */
  run(): Promise<number>;
}

/** One row of the table: the same thing done by this package and by others. */
export interface Row {
  /** The name for `--only`. */
  readonly name: string;
  readonly title: string;
  readonly unit: Unit;
  /** How often each variant is measured. */
  readonly runs: number;
  /** Whether each variant runs once unmeasured first. Not needed when `prepare` already ran it. @default true */
  readonly warmUp?: boolean;
  readonly goals: readonly Goal[];
  /** Whether it deploys to an AWS on this machine. @default false */
  readonly onLocalAws?: boolean;
  /** Prepares the runs, unmeasured. The first variant is this package's. */
  prepare(testBed: TestBed): Promise<readonly [Variant, ...Variant[]]>;
}
