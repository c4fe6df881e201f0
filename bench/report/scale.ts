import type { MeasuredRow } from '../results';

/*
 * The estimates of docs/scale.md: time and dollars of a run, from the bench's milliseconds per tenant. The page says where
 * each number comes from and what is an estimate.
 */

const BATCH = 100;
const WORKERS = 10;
/** The function of 512 MB has 512/1,769 of a vCPU. Assumes that all of the time is spent in the function, not in the database. */
const SLOWER = 1769 / 512;
/** Overhead of a batch in seconds: Step Functions, two calls of functions, S3. */
const BATCH_SECONDS = 0.5;
/** Overhead of a tenant's own database in seconds: a secret and a connection. */
const DATABASE_SECONDS = 0.1;

/** Dollars, us-east-1. */
const GB_SECOND = 0.0000133334;
const REQUEST = 0.2e-6;
const TRANSITION = 0.025e-3;
const PUT = 0.005e-3;
const GET = 0.0004e-3;
const SECRET_READ = 0.05e-4;

/** Billed units per batch, from lambda/tenants and the state machine's definition. */
const OF_A_BATCH = { requests: 2, transitions: 5, puts: 3, gets: 5 };
/** Gigabytes of the worker and of the function that waits for it. */
const GIGABYTES = 0.5 + 0.25;

interface Scenario {
  readonly name: string;
  readonly row: string;
  readonly ownDatabase: boolean;
}

const SCENARIOS: readonly Scenario[] = [
  { name: 'schemas, nothing to do', row: 'tenants-unchanged', ownDatabase: false },
  { name: 'schemas, one pending revision', row: 'tenants-pending', ownDatabase: false },
  { name: 'databases, nothing to do', row: 'tenants-unchanged', ownDatabase: true },
  { name: 'databases, one pending revision', row: 'tenants-pending', ownDatabase: true },
];

/** One line per kind of run over this many tenants. */
export function scaleTable(rows: readonly MeasuredRow[]): string {
  return [
    '| tenants | a run over | of a worker | in all | Lambda | Step Functions | S3 | secrets | together |',
    '| --: | --- | --: | --: | --: | --: | --: | --: | --: |',
    ...[1000, 10_000, 100_000].flatMap((tenants) => SCENARIOS.map((scenario) => line(tenants, scenario, rows))),
  ].join('\n');
}

function line(tenants: number, { name, row, ownDatabase }: Scenario, rows: readonly MeasuredRow[]): string {
  const measured = rows.find((candidate) => candidate.name === row)?.variants[0]?.median;
  if (measured === undefined) return '';
  const { workerSeconds, seconds, dollars } = estimateRun(tenants, measured, ownDatabase);
  const together = Object.values(dollars).reduce((sum, part) => sum + part, 0);
  const cells = [tenants.toLocaleString('en'), name, duration(workerSeconds), duration(seconds)];
  return `| ${[...cells, ...[...Object.values(dollars), together].map(dollar)].join(' | ')} |`;
}

/** @param perTenant milliseconds, as the bench found them */
export function estimateRun(tenants: number, perTenant: number, ownDatabase: boolean) {
  const batches = Math.ceil(tenants / BATCH);
  const workerSeconds = tenants * ((SLOWER * perTenant) / 1000 + (ownDatabase ? DATABASE_SECONDS : 0)) + batches * BATCH_SECONDS;
  const { requests, transitions, puts, gets } = OF_A_BATCH;
  return {
    workerSeconds,
    seconds: workerSeconds / Math.min(WORKERS, batches),
    dollars: {
      lambda: workerSeconds * GIGABYTES * GB_SECOND + batches * requests * REQUEST,
      stepFunctions: batches * transitions * TRANSITION,
      s3: batches * (puts * PUT + gets * GET),
      secrets: ownDatabase ? tenants * SECRET_READ : 0,
    },
  };
}

export function duration(seconds: number): string {
  if (seconds < 100) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function dollar(amount: number): string {
  return amount === 0 ? '' : `$${amount.toFixed(amount < 0.1 ? 4 : 2)}`;
}
