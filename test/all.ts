/*
 * npm test
 *
 * Everything: types, lint, build, jest, pytest, and the end-to-end tests on a local AWS. All checks run, even after one failed; those
 * that share nothing run side by side. `npm test -- runner` runs the checks of these names only.
 */
import { availableParallelism, homedir } from 'node:os';
import path from 'node:path';
import {
  commandDirectory,
  neutralEnvironment,
  projectDirectory,
  startPostgres,
  toolPython,
  withFolder,
} from '../examples/local-aws';
import { type Count, commandCheck, jestCheck, pytestCheck } from './all/checks';
import { olderCdkCheck } from './all/older-cdk';
import { withoutShims } from './all/python-path';
import { sampleCheck } from './all/sample-check';
import { type CheckResult, type NamedCheck, runChecks } from './all/schedule';
import { systemTools } from './all/system-tools';

/** A test that hangs must not make the whole hang: a CI that gives 90 minutes still gets the report. */
const MINUTES = Number(process.env.MINUTES ?? 80);

/** Processes of each test runner. */
const WORKERS = Math.max(2, availableParallelism());
/** Checks at once, more than there are processors: tests wait for servers, deploys and packages about half of their time. */
const CHECKS_AT_ONCE = 3;

async function all(folder: string): Promise<Count> {
  const deadline = Date.now() + MINUTES * 60_000;
  const onInstall = (tool: string): void => console.log(`installing ${tool} into .cache/tools (only the first time)`);
  // The others are installed by it.
  const uv = await commandDirectory('uv', onInstall);
  const [tools, python, cfnLint] = await Promise.all([
    systemTools(folder, (tool) => console.log(`installing ${tool} by apt-get (only the first time)`)),
    toolPython('python-tests', onInstall),
    commandDirectory('cfn-lint', onInstall),
    toolPython('ministack', onInstall),
  ]);
  const postgres = await startPostgres(folder);

  const context = {
    folder,
    env: {
      ...neutralEnvironment(process.env),
      TMPDIR: folder,
      // What this machine keeps from earlier runs decides no test; packages are not fetched again.
      XDG_CACHE_HOME: path.join(folder, 'cache'),
      UV_CACHE_DIR: process.env.UV_CACHE_DIR ?? path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'uv'),
      // The packages of the tests are the same whether or not this machine may download a Python.
      UV_PYTHON_DOWNLOADS: 'never',
      PATH: [uv, cfnLint, await withoutShims(process.env.PATH ?? '')].join(path.delimiter),
      RUNNER_PYTHON: python,
      ...tools,
      PGHOST: postgres.host,
      PGPORT: String(postgres.port),
      PGUSER: postgres.user,
      PGPASSWORD: postgres.password,
    },
  };
  const pythonSources = ['bin', 'lambda', 'test', 'bench', 'examples'];
  const ruff = (...verb: string[]) => commandCheck(context, python, ['-m', 'ruff', ...verb, '--no-cache', ...pythonSources]);

  const runner = { ...context, env: { ...context.env, PYTHONPATH: path.join(projectDirectory, 'lambda/migrate') } };
  const pytest = (name: string) => pytestCheck(runner, name, python, [...PYTEST, `test/${name}`]);

  // The end-to-end tests run what is built, and the types of the examples are those of what is built.
  const build: NamedCheck[] = [{ name: 'build', check: commandCheck(context, 'npm', ['run', 'build']) }];
  // Built once here: the tests that use them run side by side.
  const packages: NamedCheck[] = [
    { name: 'packages', check: commandCheck(context, 'npx', ['tsx', 'test/packages/build.ts']) },
    { name: 'lint', check: commandCheck(context, 'npx', ['biome', 'check', '.']) },
    { name: 'lint of Python', check: ruff('check') },
    { name: 'format of Python', check: ruff('format', '--check') },
  ];
  const tests: NamedCheck[] = [
    // A deploy waits more than it works.
    { name: 'end to end', check: jestCheck(context, 'e2e', WORKERS + 1) },
    { name: 'unit', check: jestCheck(context, 'unit', WORKERS) },
    { name: 'runner', check: pytest('runner') },
    { name: 'observer', check: pytest('observer') },
    { name: 'sample', check: sampleCheck(context, postgres) },
    { name: 'older CDK', check: olderCdkCheck(context) },
    { name: 'types', check: commandCheck(context, 'npx', ['tsc', '--noEmit']) },
  ];
  const onlyByName: NamedCheck[] = [{ name: 'majors', check: jestCheck(context, 'majors', 1) }];
  const schedule = { workers: CHECKS_AT_ONCE, deadline, onEnd: show };
  const asked = selected([...build, ...packages, ...tests], onlyByName);
  const results: CheckResult[] = [];
  for (const group of [build, packages, [...tests, ...onlyByName]]) {
    const checks = group.filter((check) => asked.has(check));
    results.push(...(await runChecks(checks, schedule)));
  }
  return summary(results);
}

/**
 * A file's tests run in one process, in their order: those of TLS change the server. A test that takes ten minutes hangs: the longest
 * takes one on a quiet machine.
 */
const PYTEST = `-m pytest -q -rs -n ${WORKERS} --dist loadfile --no-loadscope-reorder --timeout ${MINUTES * 7.5}`.split(' ');

/** The checks that the command names; all but those that only run by name if it names none. */
function selected(usual: readonly NamedCheck[], onlyByName: readonly NamedCheck[]): Set<NamedCheck> {
  const names = process.argv.slice(2);
  const all = [...usual, ...onlyByName];
  const unknown = names.filter((name) => !all.some((check) => check.name === name));
  if (unknown.length > 0) {
    throw new Error(`no check is named ${unknown.join(', ')}: use ${all.map(({ name }) => name).join(', ')}`);
  }
  return new Set(names.length === 0 ? usual : all.filter(({ name }) => names.includes(name)));
}

function show({ name, output }: CheckResult): void {
  console.log(`\n--- ${name}\n${output}`);
}

/** Prints a line for each check. */
function summary(results: readonly CheckResult[]): Count {
  console.log();
  const total = { passed: 0, failed: 0 };
  for (const { name, passed, failed, seconds } of results) {
    total.passed += passed;
    total.failed += failed;
    const mark = failed === 0 ? '✓' : '✗';
    console.log(`${mark} ${name.padEnd(17)} ${seconds.toFixed(1).padStart(7)} s  ${passed} passed, ${failed} failed`);
  }
  console.log();
  return total;
}

withFolder(all)
  .catch((error: Error): Count => {
    console.error(error.stack);
    return { passed: 0, failed: 1 };
  })
  .then(({ passed, failed }) => {
    console.log(`${passed} passed, ${failed} failed`);
    process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
  });
