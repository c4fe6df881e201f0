import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lambdaClient } from '../../lib/client/lambda-client';
import { LAMBDA_SECONDS, LAST_SLICE_SECONDS, MAX_CONNECT_RETRY_SECONDS } from '../../lib/timeouts';
import { functionOf, resourcesOf, templateOf } from './support';

const root = join(__dirname, '../..');
const template = templateOf();

function handlerTimeout(handler: string): number {
  const [, fn] = resourcesOf(template, 'AWS::Lambda::Function').find(
    ([, { Properties }]) => Properties.Handler === handler,
  ) as any;
  return fn.Properties.Timeout;
}

/** A number that a file of another room names. */
function numberIn(file: string, name: string): number {
  const found = new RegExp(`^(?:export )?(?:const )?${name} = ([\\d_.]+)`, 'm').exec(readFileSync(join(root, file), 'utf8'));
  if (!found) throw new Error(`${file} names no ${name} any more: correct this test, so that it still compares the tiers`);
  return Number(found[1]?.replaceAll('_', ''));
}

/** The runner's defaults, as Python knows them. */
function runnerLimits(): Record<string, number> {
  const script =
    'import dataclasses, json; from cdk_alembic.contract import Limits; print(json.dumps(dataclasses.asdict(Limits())))';
  const env = { PATH: process.env.PATH, PYTHONPATH: join(root, 'lambda/migrate'), PYTHONDONTWRITEBYTECODE: '1' };
  const run = spawnSync('python3', ['-c', script], { env });
  return JSON.parse(run.stdout.toString());
}

test('every tier of a deploy ends before the one around it, which is still there to hear why', () => {
  const slice = numberIn('lambda/on-deploy/index.ts', 'SLICE_SECONDS');
  const fn: number = functionOf(template).Properties.Timeout;
  const statement = fn - numberIn('lambda/migrate/cdk_alembic/handler.py', 'RESERVE_SECONDS');
  const [[, resource]] = resourcesOf(template, 'Custom::AlembicMigration') as [[string, any]];
  const tiers = [
    ['a wait for a lock', runnerLimits().lock_timeout],
    ['a slice, between two revisions', slice],
    ['a statement', statement],
    ['the function', fn],
    ['the handler that waits for the function', handlerTimeout('index.isComplete')],
    ["the framework's function that waits for the handler", handlerTimeout('framework.isComplete')],
    ['the last slice is asked for', LAST_SLICE_SECONDS],
    ['the custom resource', resource.Properties.ServiceTimeout - LAMBDA_SECONDS],
  ] as [string, number][];
  const sorted = [...tiers].sort(([, a], [, b]) => a - b);
  expect(tiers).toEqual(sorted);
  expect(new Set(tiers.map(([, seconds]) => seconds)).size).toBe(tiers.length);
  expect(Number(resource.Properties.ServiceTimeout)).toBe(3600);
});

test('the look before a deploy outlives a function that wakes up and a database that comes back', () => {
  const wake = numberIn('lib/client/wait-for-active.ts', 'BUDGET_MS') / 1000;
  expect(wake + MAX_CONNECT_RETRY_SECONDS + 60).toBeLessThan(handlerTimeout('index.onEvent'));
  expect(handlerTimeout('index.onEvent')).toBeLessThan(handlerTimeout('framework.onEvent'));
  expect(runnerLimits().connect_retry).toBeLessThanOrEqual(MAX_CONNECT_RETRY_SECONDS);
});

test('a client waits longer for an answer than Lambda lets a function run', async () => {
  const client = lambdaClient({ region: 'eu-central-1' });
  const { socketTimeout } = await (client.config.requestHandler as any).configProvider;
  client.destroy();
  expect(socketTimeout).toBeGreaterThan(LAMBDA_SECONDS * 1000);
});
