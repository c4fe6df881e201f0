import { applied } from '../../support/aws/answers';
import { FakeContainer, MACHINE, type Moment } from '../../support/aws/container';
import { StageAws } from '../../support/aws/stage';
import { BuiltCommand, type Ended } from '../built-command';

/* The command as it is built, against a fake Lambda and fake Step Functions. */

let command: BuiltCommand;
let aws: StageAws;
let container: FakeContainer;

beforeAll(async () => {
  command = await BuiltCommand.build();
});
afterEach(() => aws?.stop());

async function run(moments: readonly Moment[], args: readonly string[] = [], interrupt?: () => Promise<void>): Promise<Ended> {
  container = new FakeContainer(moments);
  aws = await StageAws.start(container.reply, { stepFunctions: container.stepFunctions });
  return command.run(['--stage', 'dev', '--endpoint-url', aws.url, ...args], {}, interrupt?.());
}

const EXECUTION = `${MACHINE.replace(':stateMachine:', ':execution:')}:`;
const DONE: Moment = { status: 'SUCCEEDED', applied: [applied('b2'), applied('c3')], outcome: 'partial' };

test('the plan says which revisions run in the container', async () => {
  const { code, stdout } = await run([{}], ['--command', 'plan']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/b2 {2}Add b2 {2}in the container\n.*c3 {2}Add c3 {2}in the container\n.*d4 {2}Add d4\n/);
});

test('an upgrade waits for the container, shows what it applies, and names its log and the command that stops it', async () => {
  const { code, stdout, stderr } = await run([{}, DONE]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/✓ b2 .*\n.*✓ c3 .*\n.*✓ d4 /);
  expect(stdout).toContain('3 revisions applied');
  expect(stderr).toContain('in the container: b2, c3');
  expect(stderr).toContain(`aws stepfunctions stop-execution --execution-arn ${EXECUTION}`);
});

test('--in container is passed to the function', async () => {
  await run([{ ...DONE, applied: [...(DONE.applied ?? []), applied('d4')] }], ['--in', 'container']);
  expect(container.started[0]?.input.in).toBe('container');
});

test('an unknown place is rejected before anything is sent', async () => {
  const { code, stderr } = await run([], ['--in', 'lambda']);
  expect([code, aws.invokes]).toEqual([2, []]);
  expect(stderr).toContain('in must be one of container, not "lambda"');
});

test('a failure in the container has its error code in the document, and the matching exit code', async () => {
  const { code, stdout } = await run([{ status: 'FAILED', outcome: 'locked', error: 'another run holds the mutex' }], ['--json']);
  expect(code).toBe(3);
  expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'locked' }, exitCode: 3 });
});

test('Ctrl-C leaves the container running, and says how to stop it', async () => {
  const { code, stderr } = await run([{}], [], async () => {
    while (container.looks === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  });
  expect(code).toBe(130);
  expect(stderr).toContain('the container keeps running');
  expect(stderr).toContain(`stop-execution --execution-arn ${EXECUTION}`);
});

test('an ordinary start does not load the SDK of Step Functions', () => {
  expect(command.inputsOfFirstRequest().filter((file) => file.includes('client-sfn'))).toEqual([]);
});
