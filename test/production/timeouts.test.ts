import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { BUNDLING_STACKS } from 'aws-cdk-lib/cx-api';
import {
  DEPLOY_SECONDS,
  PATIENCE_SECONDS,
  PLAN_READY_SECONDS,
  ROLLBACK_PLAN_SECONDS,
  SLICE_READY_SECONDS,
  SLICE_SECONDS,
} from '../../lambda/on-deploy/timeouts';
import { AlembicMigration, MigrationCode, MigrationDatabase } from '../../lib';
import { SOCKET_TIMEOUT_MS } from '../../lib/client/lambda-client';
import { READY_SECONDS } from '../../lib/client/waiting/send-when-ready';
import { testApp } from '../constructs/app';
import { FUNCTION_SECONDS } from './migrate-function';
import { useProduction } from './production';

/* The tiers as they are deployed: what the template says, and what handler, client and runner count with. All in seconds. */

/** Without a ServiceTimeout. */
const HOUR = 3_600;

const production = useProduction();

interface Resource {
  readonly Type: string;
  readonly Properties: {
    FunctionName?: string;
    Handler?: string;
    Timeout?: number;
    ServiceTimeout?: number | string;
    DefinitionString?: unknown;
  };
}

const folder = mkdtempSync(path.join(tmpdir(), 'timeouts-'));
let resources: Resource[];

beforeAll(() => {
  const versions = path.join(folder, 'backend/alembic/versions');
  mkdirSync(versions, { recursive: true });
  writeFileSync(path.join(folder, 'backend/alembic.ini'), '[alembic]\nscript_location = %(here)s/alembic\n');
  writeFileSync(path.join(folder, 'backend/alembic/env.py'), '');
  writeFileSync(path.join(versions, 'a1.py'), 'revision = "a1"\ndown_revision = None\n');
  const app = testApp({ context: { [BUNDLING_STACKS]: [] } });
  const stack = new Stack(app, 'Stack');
  const code = MigrationCode.fromDirectory(folder);
  new AlembicMigration(stack, 'Migration', { stage: 'dev', code, database: MigrationDatabase.fromEnvironment() });
  resources = Object.values(Template.fromStack(stack).toJSON().Resources);
});
afterAll(() => rmSync(folder, { recursive: true }));

const timeoutOf = (handler: string) =>
  Number(resources.find(({ Properties }) => Properties.Handler === handler && Properties.Timeout)?.Properties.Timeout);
const migrate = () => Number(resources.find(({ Properties }) => Properties.FunctionName)?.Properties.Timeout);
const resource = () => resources.find(({ Type }) => Type === 'Custom::AlembicMigration')?.Properties;
const customResource = () => Number(resource()?.ServiceTimeout ?? HOUR);

/** How often the state machine asks, at least a second apart, before it gives up. */
function polls(): number {
  const machine = resources.find(({ Type }) => Type === 'AWS::StepFunctions::StateMachine');
  const [, attempts] = /MaxAttempts\D+(\d+)/.exec(JSON.stringify(machine?.Properties.DefinitionString)) ?? [];
  return Number(attempts);
}

test('a statement is cancelled before the function is killed, with time left to verify and answer', async () => {
  const { fn, release, database } = production;
  fn.code = release({ a1: "CREATE TABLE seen AS SELECT current_setting('statement_timeout')::interval AS timeout" });
  await fn.invoke('{}');
  const [[statement]] = (await database.rows('SELECT extract(epoch FROM timeout)::float FROM seen')) as [[number]];
  expect(statement).toBeGreaterThan(FUNCTION_SECONDS / 2);
  expect(statement).toBeLessThanOrEqual(FUNCTION_SECONDS - 10);
});

test('a slice ends long before the function, so most of the time is left for the running revision', () => {
  expect(SLICE_SECONDS).toBeLessThan(migrate() / 2);
});

test('the handler outlives the function, even after waiting for it to become ready', () => {
  expect(SLICE_READY_SECONDS + migrate()).toBeLessThan(timeoutOf('index.isComplete'));
  expect(PLAN_READY_SECONDS + ROLLBACK_PLAN_SECONDS).toBeLessThan(timeoutOf('index.onEvent') / 2);
});

test("the framework's functions outlive the handler", () => {
  expect(timeoutOf('index.onEvent')).toBeLessThan(timeoutOf('framework.onEvent'));
  expect(timeoutOf('index.isComplete')).toBeLessThan(timeoutOf('framework.isComplete'));
});

test('a deploy waits for a rival longer than the rival can hold the mutex', () => {
  expect(PATIENCE_SECONDS).toBeGreaterThan(migrate());
});

test('a deploy that takes too long fails with a reason before CloudFormation gives up after an hour', () => {
  expect(DEPLOY_SECONDS + timeoutOf('framework.isComplete')).toBeLessThan(customResource());
  expect(PATIENCE_SECONDS).toBeLessThan(DEPLOY_SECONDS);
  expect(polls()).toBeGreaterThanOrEqual(DEPLOY_SECONDS);
});

test('the socket of the client outlives every function, and waiting for a function ends within minutes', () => {
  expect(SOCKET_TIMEOUT_MS / 1000).toBeGreaterThan(900);
  expect(READY_SECONDS).toBeLessThanOrEqual(300);
});
