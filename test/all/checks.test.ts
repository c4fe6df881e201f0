import { type Count, commandCheck, jestCount, junitCount, pytestCheck } from './checks';

const withContext = { env: process.env, folder: __dirname };
const FAILED: Count = { passed: 0, failed: 1 };
const say = (): void => {};

describe('npm test', () => {
  it('counts a check that is one command by its exit code', async () => {
    expect(await commandCheck(withContext, 'true', [])(say)).toEqual({ passed: 1, failed: 0 });
    expect(await commandCheck(withContext, 'false', [])(say)).toEqual(FAILED);
  });

  it('counts a killed or missing command as failed', async () => {
    expect(await commandCheck(withContext, 'sh', ['-c', 'kill -9 $$'])(say)).toEqual(FAILED);
    expect(await pytestCheck(withContext, 'none', 'sh', ['-c', 'kill -9 $$'])(say)).toEqual(FAILED);
    expect(await commandCheck(withContext, 'no-such-command', [])(say)).toEqual(FAILED);
  });

  it('counts a test runner that ran no tests as failed, whatever its exit code', async () => {
    expect(await pytestCheck(withContext, 'none', 'true', [])(say)).toEqual(FAILED);
    expect(await pytestCheck(withContext, 'none', 'false', [])(say)).toEqual(FAILED);
  });

  it("counts errors and skipped tests in pytest's report as failed", () => {
    const xml =
      '<testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="2" skipped="3" tests="10" time="1">';
    expect(junitCount(xml)).toEqual({ passed: 4, failed: 6 });
  });

  const jestReport = { numPassedTests: 5, numFailedTests: 2, numRuntimeErrorTestSuites: 0, numPendingTests: 0, numTodoTests: 0 };

  it.each(['numRuntimeErrorTestSuites', 'numPendingTests', 'numTodoTests'])("counts %s in jest's report as failed", (name) => {
    expect(jestCount(JSON.stringify({ ...jestReport, [name]: 4 }))).toEqual({ passed: 5, failed: 6 });
  });
});
