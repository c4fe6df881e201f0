import type { Duration } from 'aws-cdk-lib';
import type { CoordinatorSettings } from '../../contract/coordinator';
import { CONNECTIONS_PER_WORKER, MAX_BATCH_SIZE } from '../../contract/tenants';
import { option } from '../../packaging/code-in-messages';
import { number, optional, type PropTypes } from '../function/prop-types';

export const WEEK_SECONDS = 7 * 24 * 3600;

/** How many tenants of a run may fail. With both, the smaller limit applies. */
export interface ToleratedFailures {
  /**
   * This number of tenants.
   *
   * @default - any number that `percent` allows
   */
  readonly count?: number;

  /**
   * This percentage of the run's tenants, rounded down.
   *
   * @default - any percentage that `count` allows
   */
  readonly percent?: number;
}

export const TOLERATED_FAILURES: PropTypes<ToleratedFailures> = { count: optional(number), percent: optional(number) };

/** All errors in the numbers. */
export function tenantLimitProblems(
  batchSize: number,
  maxConnections: number,
  tolerated: ToleratedFailures | undefined,
): string[] {
  const problems: string[] = [];
  if (!isWhole(batchSize, 1, MAX_BATCH_SIZE)) problems.push(`the batch size is ${batchSize}: use 1 to ${MAX_BATCH_SIZE}`);
  if (!isWhole(maxConnections, CONNECTIONS_PER_WORKER, 10_000)) {
    problems.push(
      `${option('maxConnections')} is ${maxConnections}, and each worker opens ${CONNECTIONS_PER_WORKER}: use ${CONNECTIONS_PER_WORKER} to 10000`,
    );
  }
  if (!tolerated) return problems;
  const { count, percent } = tolerated;
  if (count === undefined && percent === undefined) {
    problems.push(`${option('toleratedFailures')} has neither count nor percent: pass one, or leave it out`);
  }
  if (count !== undefined && !isWhole(count, 0, Number.MAX_SAFE_INTEGER)) {
    problems.push(`${count} failed tenants are tolerated: use a whole number of 0 or more`);
  }
  if (percent !== undefined && !(percent >= 0 && percent <= 100)) {
    problems.push(`${percent} % failed tenants are tolerated: use 0 to 100`);
  }
  return problems;
}

/** How many workers fit within the allowed connections. */
export function concurrencyOf(maxConnections: number): number {
  return Math.max(1, Math.floor(maxConnections / CONNECTIONS_PER_WORKER));
}

export function toleranceSettings(tolerated: ToleratedFailures | undefined): CoordinatorSettings['tolerated'] {
  return tolerated && { count: tolerated.count, percent: tolerated.percent };
}

export function seconds(duration: Duration | undefined): number | undefined {
  return duration?.toSeconds({ integral: false });
}

function isWhole(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}
