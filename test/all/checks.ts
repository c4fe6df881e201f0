import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { projectDirectory, type RunResult, run } from '../../examples/local-aws';

/** How many tests a check ran, and how they ended. */
export interface Count {
  readonly passed: number;
  readonly failed: number;
}

/** Runs a check. @param say takes each line that it prints */
export type Check = (say: Say) => Promise<Count>;

export type Say = (line: string) => void;

/** What a check needs to run its commands. */
export interface CheckContext {
  readonly env: NodeJS.ProcessEnv;
  readonly folder: string;
}

/** A command that is one test: it passes with exit code 0. */
export function commandCheck(context: CheckContext, command: string, args: readonly string[]): Check {
  return async (say) =>
    (await show(say, context, command, args)).code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/** Runs the tests of one of jest's projects. @param workers how many test files at once @param files some of them; none: all */
export function jestCheck(context: CheckContext, project: string, workers: number, files: readonly string[] = []): Check {
  const report = path.join(context.folder, `jest-${project}.json`);
  const args = ['jest', ...files, '--selectProjects', project, `--maxWorkers=${workers}`, '--json', '--outputFile', report];
  return async (say) => {
    const { code } = await show(say, context, 'npx', args);
    return counted(code, report, jestCount);
  };
}

export function pytestCheck(context: CheckContext, name: string, command: string, args: readonly string[], cwd?: string): Check {
  const report = path.join(context.folder, `pytest-${name}.xml`);
  return async (say) => {
    // Not beside the sources: the packaging tests hash their folders. Kept: each worker would compile all of SQLAlchemy again.
    const env = { ...context.env, PYTHONPYCACHEPREFIX: path.join(projectDirectory, '.cache/bytecode') };
    const reported = [...args, '-p', 'no:cacheprovider', `--junitxml=${report}`];
    const { code } = await show(say, { ...context, env }, command, reported, cwd);
    return counted(code, report, junitCount);
  };
}

async function show(
  say: Say,
  { env, folder }: CheckContext,
  command: string,
  args: readonly string[],
  cwd = projectDirectory,
): Promise<RunResult> {
  return run(command, args, { env, folder, cwd, onLine: say });
}

/** A runner that failed without a failed test, or ran none, has failed itself. */
function counted(code: number, report: string, count: (text: string) => Count): Count {
  const { passed, failed } = existsSync(report) ? count(readFileSync(report, 'utf8')) : { passed: 0, failed: 0 };
  const brokenRunner = failed === 0 && (code !== 0 || passed === 0);
  return { passed, failed: brokenRunner ? 1 : failed };
}

/** A skipped test has failed: it kept no promise, and nobody would notice. */
export function jestCount(json: string): Count {
  const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites, numPendingTests, numTodoTests } = JSON.parse(json);
  return { passed: numPassedTests, failed: numFailedTests + numRuntimeErrorTestSuites + numPendingTests + numTodoTests };
}

/** The same of pytest's report. */
export function junitCount(xml: string): Count {
  const number = (name: string): number => Number(new RegExp(`<testsuite [^>]*\\b${name}="(\\d+)"`).exec(xml)?.[1] ?? 0);
  const failed = number('failures') + number('errors') + number('skipped');
  return { passed: number('tests') - failed, failed };
}
