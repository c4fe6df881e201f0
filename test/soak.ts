/*
 * npm run soak -- kills restarts
 * KILLS=40 npm run soak -- kills
 *
 * Repeats what fails only rarely, and tests all variants of which npm test takes those that differ most. Runs the parts that the command
 * names, one after the other, or all of them, which takes hours.
 * A variable of the environment replaces a part's number.
 */
import { jestCheck } from './all/checks';
import { runnerCheck } from './all/context';
import { OLDEST_CDK, olderCdkCheck, STRICT_CDK } from './all/older-cdk';
import { runSuite } from './all/suite';

const MINUTES = 600;

/** The Python tests of each part, and how often they try. */
const PARTS: Readonly<Record<string, readonly [targets: readonly string[], variables: Readonly<Record<string, string>>]>> = {
  kills: [['run/test_kills.py'], { KILLS: '200', DRIVERS: 'all' }],
  restarts: [['soak/restarts.py'], { RESTARTS: '40' }],
  concurrency: [['soak/concurrency.py'], { PROCESSES: '50', ROUNDS: '10' }],
  frozen: [['run/test_deadline.py', 'tenants/test_tenants_frozen.py', '-k', 'freezes'], {}],
  pooler: [['database/test_pooler.py'], {}],
  events: [['protocol/test_events.py', 'tenants/test_tenants_events.py'], { EVENTS: '100000' }],
  tenants: [['tenants/test_tenants_many.py'], { TENANTS: '1000' }],
  revisions: [['run/test_scale.py'], { REVISIONS: '5000' }],
  graphs: [['run/test_graphs.py'], { GRAPHS: '600' }],
  drift: [['soak/drift.py'], {}],
  drivers: [['.'], { DRIVERS: 'all' }],
  'observer-drivers': [['test/observer'], { DRIVERS: 'all' }],
};

/** The tests that send random events to the handlers in TypeScript. */
const HANDLERS = ['test/on-deploy/events.test.ts', 'test/tenants/events.test.ts'];

/** The tests of apps in TypeScript and Python, here with every compiler and every stage. */
const APPS = ['test/packages/typescript.test.ts', 'test/packages/python-app.test.ts'];

/** The tests of backends that are packaged or found, here of every kind. */
const KINDS = ['test/packaging/projects.test.ts', 'test/local/managers.test.ts'];

/** Test files that run only here: projects of jest. */
const FILES = ['bench', 'ci', 'majors', 'managers', 'schedule', 'skill'];

runSuite(MINUTES, (context) => {
  const parts = Object.entries(PARTS).map(([name, [targets, variables]]) => ({
    name,
    check: runnerCheck(context, name, ['-rP', ...targets.map(inRunner)], asked(variables)),
  }));
  const variables = asked({ EVENTS: '100000' });
  const handlers = jestCheck({ ...context, env: { ...context.env, ...variables } }, 'unit', 1, HANDLERS);
  const apps = jestCheck({ ...context, env: { ...context.env, APPS: 'all' } }, 'unit', 1, APPS);
  const kinds = jestCheck({ ...context, env: { ...context.env, KINDS: 'all' } }, 'unit', 1, KINDS);
  const others = [
    { name: 'handlers', check: handlers },
    { name: 'apps', check: apps },
    { name: 'kinds', check: kinds },
    { name: 'oldest-cdk', check: olderCdkCheck(context, OLDEST_CDK) },
    { name: 'strict-cdk', check: olderCdkCheck(context, STRICT_CDK) },
    ...FILES.map((name) => ({ name, check: jestCheck(context, name, 1) })),
  ];
  return { checks: [...parts, ...others], atOnce: 1 };
});

function inRunner(target: string): string {
  return target.endsWith('.py') || target === '.' ? `test/runner/${target}` : target;
}

function asked(variables: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).map(([name, number]) => [name, process.env[name] ?? number]));
}
