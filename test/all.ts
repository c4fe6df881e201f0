/*
 * npm test
 *
 * Everything: types, lint, build, jest, pytest, and the end-to-end tests on a local AWS. All checks run, even after one failed.
 * `npm test -- runner` runs the checks of these names only.
 */
import path from 'node:path';
import {
  commandDirectory,
  neutralEnvironment,
  projectDirectory,
  startPostgres,
  toolPython,
  withFolder,
} from '../examples/local-aws';
import { type Check, type Count, commandCheck, jestCheck, pytestCheck } from './all/checks';
import { chromium } from './all/chromium';
import { sampleCheck } from './all/sample-check';

async function all(folder: string): Promise<Count> {
  const onInstall = (tool: string): void => console.log(`installing ${tool} into .cache/tools, this once`);
  const python = await toolPython('python-tests', onInstall);
  await toolPython('ministack', onInstall);
  const commands = [await commandDirectory('uv', onInstall), await commandDirectory('cfn-lint', onInstall)];
  const postgres = await startPostgres(folder);
  const browser = await chromium(folder, (tool) => console.log(`installing ${tool} by apt-get, this once`));

  const context = {
    folder,
    env: {
      ...neutralEnvironment(process.env),
      TMPDIR: folder,
      PATH: [...commands, process.env.PATH].join(path.delimiter),
      RUNNER_PYTHON: python,
      CHROMIUM: browser,
      PGHOST: postgres.host,
      PGPORT: String(postgres.port),
      PGUSER: postgres.user,
      PGPASSWORD: postgres.password,
    },
  };
  const pythonSources = ['lambda', 'test', 'bench', 'examples/template-saas/back', 'examples/template-saas-tenants/back'];
  const ruff = (verb: readonly string[]): Check =>
    commandCheck(context, python, ['-m', 'ruff', ...verb, '--no-cache', ...pythonSources]);

  const runner = { ...context, env: { ...context.env, PYTHONPATH: path.join(projectDirectory, 'lambda/migrate') } };

  return report([
    ['types', commandCheck(context, 'npx', ['tsc', '--noEmit'])],
    ['lint', commandCheck(context, 'npx', ['biome', 'check', '.'])],
    ['lint of Python', ruff(['check'])],
    ['format of Python', ruff(['format', '--check'])],
    ['build', commandCheck(context, 'npm', ['run', 'build'])],
    ['unit', jestCheck(context, 'unit')],
    ['runner', pytestCheck(runner, 'runner', python, ['-m', 'pytest', '-q', 'test/runner'])],
    ['observer', pytestCheck(runner, 'observer', python, ['-m', 'pytest', '-q', 'test/observer'])],
    ['sample', sampleCheck(context, postgres)],
    ['end to end', jestCheck(context, 'e2e')],
  ]);
}

/** Runs all checks one after the other and prints what came out. */
async function report(all: readonly (readonly [string, Check])[]): Promise<Count> {
  const names = process.argv.slice(2);
  const unknown = names.filter((name) => !all.some(([known]) => known === name));
  if (unknown.length > 0) throw new Error(`no check is named ${unknown.join(', ')}: use ${all.map(([name]) => name).join(', ')}`);
  const checks = names.length === 0 ? all : all.filter(([name]) => names.includes(name));
  const total = { passed: 0, failed: 0 };
  const lines: string[] = [];
  for (const [name, check] of checks) {
    console.log(`\n--- ${name}`);
    const from = Date.now();
    const { passed, failed } = await check();
    total.passed += passed;
    total.failed += failed;
    const time = `${((Date.now() - from) / 1000).toFixed(1)} s`;
    lines.push(`${failed === 0 ? '✓' : '✗'} ${name.padEnd(17)} ${time.padStart(8)}  ${passed} passed, ${failed} failed`);
  }
  console.log(`\n${lines.join('\n')}\n`);
  return total;
}

withFolder(all)
  .catch((error: Error): Count => {
    console.error(error.stack);
    return { passed: 0, failed: 1 };
  })
  .then(({ passed, failed }) => {
    console.log(`${passed} passed, ${failed} failed`);
    process.exitCode = failed === 0 ? 0 : 1;
  });
