import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import {
  DEPLOY_SECONDS,
  PLAN_READY_SECONDS,
  ROLLBACK_PLAN_SECONDS,
  SLICE_READY_SECONDS,
  SLICE_SECONDS,
} from '../../lambda/on-deploy/timeouts';
import { MAX_CONNECT_RETRY_SECONDS } from '../../lib/constructs/function/timeouts';
import { LAMBDA_SECONDS } from '../../lib/contract';
import { functionOf, resourcesOf, templateOf } from './support';

const template = templateOf();
const functionSeconds: number = functionOf(template).Properties.Timeout;

function handlerSeconds(handler: string): number {
  const [, fn] = resourcesOf(template, 'AWS::Lambda::Function').find(
    ([, { Properties }]) => Properties.Handler === handler,
  ) as any;
  return fn.Properties.Timeout;
}

/** The runner's numbers, as Python knows them. */
function runner(): { reserve: number; limits: Record<string, number> } {
  const script = `
import json
from cdk_alembic.protocol.process import RESERVE_SECONDS
from cdk_alembic.protocol.request import Limits
print(json.dumps({"reserve": RESERVE_SECONDS, "limits": Limits()._asdict()}))
`;
  const PYTHONPATH = join(__dirname, '../../lambda/migrate');
  const env = { PATH: process.env.PATH, PYTHONPATH, PYTHONDONTWRITEBYTECODE: '1' };
  return JSON.parse(spawnSync('python3', ['-c', script], { env }).stdout.toString());
}

test('each timeout of a deploy is shorter than the one around it, so the reason always arrives', () => {
  const [[, resource]] = resourcesOf(template, 'Custom::AlembicMigration') as [[string, any]];
  const { limits, reserve } = runner();
  const tiers: [string, number | undefined][] = [
    ['a wait for a lock', limits.lock_timeout],
    ['a slice, between two revisions', SLICE_SECONDS],
    ['a statement', functionSeconds - reserve],
    ['the function', functionSeconds],
    ['the handler, which may wait for the function first', handlerSeconds('index.isComplete') - SLICE_READY_SECONDS],
    ["the framework's function, which waits for the handler", handlerSeconds('framework.isComplete')],
    ['the last slice is asked for, and answers', DEPLOY_SECONDS + LAMBDA_SECONDS],
    ['the custom resource', Number(resource.Properties.ServiceTimeout)],
  ];
  const seconds = tiers.map(([, value]) => value as number);
  expect(tiers).toEqual([...tiers].sort(([, a = 0], [, b = 0]) => a - b));
  expect(new Set(seconds).size).toBe(tiers.length);
  expect(resource.Properties.ServiceTimeout).toBe('3600');
});

test('the plan before a deploy survives a function that wakes up and a database that recovers', () => {
  const look = handlerSeconds('index.onEvent');
  expect(PLAN_READY_SECONDS + MAX_CONNECT_RETRY_SECONDS + ROLLBACK_PLAN_SECONDS).toBeLessThan(look);
  expect(look).toBeLessThan(handlerSeconds('framework.onEvent'));
  expect(runner().limits.connect_retry).toBeLessThanOrEqual(MAX_CONNECT_RETRY_SECONDS);
});
