import { answer, applied, failure } from '../../support/aws/answers';
import { StageAws, type StageOptions } from '../../support/aws/stage';
import { BuiltCommand, type Ended } from '../built-command';
import { oneByOne, planned } from '../planned';

let command: BuiltCommand;
let aws: StageAws;

beforeAll(async () => {
  command = await BuiltCommand.build();
});
afterEach(() => aws?.stop());

async function run(reply: ReturnType<typeof planned>, args: readonly string[], options?: StageOptions): Promise<Ended> {
  aws = await StageAws.start(reply, options);
  return command.run(['--stage', 'dev', '--endpoint-url', aws.url, ...args]);
}

describe('--follow', () => {
  test("shows each line of the function's log once, in readable form, including lines that arrive after the run", async () => {
    const first = ['START RequestId: 1', '{"level":"INFO","event":"applied","revision":"b2","durationMs":12}'];
    const logEvents = (call: number) =>
      call === 1 ? first : [...first, 'printed by\u001b[2J a revision\n', 'REPORT RequestId: 1'];
    const { code, stdout, stderr } = await run(oneByOne(), ['--follow'], { logEvents, delayMs: 200 });
    expect(code).toBe(0);
    expect(stderr.match(/^ {2}\| .*$/gm)).toEqual([
      '  | INFO applied revision=b2 durationMs=12',
      '  | printed by [2J a revision',
    ]);
    expect(stdout).not.toContain('|');
    expect(aws.logCalls[0]).toMatchObject({ logGroupName: '/aws/lambda/template-saas-api-migrate-lambda-dev' });
  });

  test('says once that it may not read the log, and the run continues', async () => {
    const logEvents = () => ({ status: 400, error: 'AccessDeniedException' });
    const { code, stderr } = await run(oneByOne(), ['--follow'], { logEvents });
    expect(code).toBe(0);
    expect(stderr.match(/^!.*$/gm)).toEqual([expect.stringMatching(/the log can't be followed: AccessDeniedException/)]);
  });

  test('prints nothing while the function has no log', async () => {
    const logEvents = () => ({ status: 400, error: 'ResourceNotFoundException' });
    const { code, stderr } = await run(oneByOne(), ['--follow'], { logEvents });
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('!')]);
  });

  test('is off by default', async () => {
    await run(oneByOne(), []);
    expect(aws.logCalls).toEqual([]);
  });
});

describe('--wait-lock', () => {
  const locked = failure({ code: 'locked', message: 'another migration run holds the mutex: ada' });

  test('retries until the other run has ended, and reports once what it is waiting for', async () => {
    const done = answer({ from: ['a1'], applied: [applied('b2')] });
    const reply = planned((_, call) => (call < 3 ? { failure: locked } : { answer: done }));
    const { code, stderr } = await run(reply, ['--wait-lock', '300']);
    expect(code).toBe(0);
    expect(stderr.match(/^!.*$/gm)).toEqual(['! waiting: another migration run holds the mutex: ada']);
    expect(aws.invokes).toHaveLength(4);
  });

  test('gives up when its time is up', async () => {
    const from = performance.now();
    const { code, stderr } = await run(planned({ failure: locked }), ['--wait-lock', '1']);
    expect([code, stderr]).toEqual([3, expect.stringContaining('✗ locked: ')]);
    expect(performance.now() - from).toBeGreaterThan(1_000);
  });

  test('without it, a lock ends the command at once', async () => {
    const { code } = await run(planned({ failure: locked }), []);
    expect([code, aws.invokes.length]).toEqual([3, 2]);
  });
});
