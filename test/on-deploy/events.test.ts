/* Random events and random answers of the function: each ends in an answer for CloudFormation, or in an error with a code. */
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { LambdaClient } from '@aws-sdk/client-lambda';
import fc from 'fast-check';
import { isComplete, onEvent } from '../../lambda/on-deploy';
import { type MigrateAnswer, type MigrateFailure, type MigrateRequest, STATUSES } from '../../lib/contract';
import { answer, applied, failure } from '../support/aws/answers';
import { always, anyText, damaged, EVENTS, json } from '../support/random';

/** What CloudFormation leaves for a reason, and for the attributes. */
const MAX_BYTES = 2_600;
const environment = process.env;
let replies: readonly unknown[];
let asked: string[];
let statuses: readonly unknown[];

beforeEach(() => {
  process.env = { ...environment, AWS_REGION: 'eu-central-1' };
  jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  jest.spyOn(LambdaClient.prototype, 'send').mockImplementation(async ({ input }: { input: object }) => {
    asked.push((JSON.parse(Buffer.from((input as { Payload: Uint8Array }).Payload).toString()) as MigrateRequest).command ?? '');
    return reply(replies[(asked.length - 1) % replies.length]);
  });
  jest
    .spyOn(CloudFormationClient.prototype, 'send')
    .mockImplementation(async () => ({ Stacks: [{ StackStatus: statuses[asked.length % statuses.length] }] }) as never);
});

afterEach(() => {
  jest.restoreAllMocks();
  process.env = environment;
});

function reply(value: unknown): unknown {
  if (value instanceof Error) throw value;
  const { FunctionError, payload } = value as { FunctionError?: string; payload: unknown };
  return {
    FunctionError,
    Payload: { transformToString: () => (typeof payload === 'string' ? payload : JSON.stringify(payload)) },
  };
}

const revision = fc.oneof(fc.stringMatching(/^[0-9a-f]{12}$/), fc.string({ minLength: 1, maxLength: 60 }));
const revisions = fc.array(revision, { maxLength: 60 });
const anAnswer: fc.Arbitrary<MigrateAnswer> = fc
  .record({
    command: fc.constantFrom('plan', 'upgrade', 'current'),
    status: fc.constantFrom(...STATUSES),
    from: revisions,
    to: revisions,
    pending: revisions.map((list) => list.map((one) => ({ revision: one, message: one }))),
    applied: revisions.map((list) => list.map((one) => applied(one))),
    warnings: fc.array(anyText, { maxLength: 2 }),
  })
  .map((fields) => answer(fields as Partial<MigrateAnswer>));
const aFailure: fc.Arbitrary<MigrateFailure> = fc
  .record({
    code: fc.constantFrom('locked', 'migration_failed', 'blocked', 'deadline_reached', 'database_ahead'),
    message: anyText,
    next: anyText,
    revision: fc.option(anyText, { nil: undefined }),
    statement: fc.option(anyText, { nil: undefined }),
  })
  .map((error) => failure(error as never));
// Those that say that the function is not ready are waited for; other tests have them.
const anError = fc
  .record({ name: fc.constantFrom('AccessDeniedException', 'TimeoutError', 'ServiceException', 'Error'), message: anyText })
  .map(({ name, message }) => Object.assign(new Error(message), { name }));
const aReply = fc.oneof(
  { weight: 4, arbitrary: fc.record({ payload: anAnswer }) },
  { weight: 4, arbitrary: fc.record({ payload: damaged(anAnswer) }) },
  fc.record({ payload: fc.oneof(json, anyText) }),
  fc.record({ payload: fc.oneof(json, anyText), FunctionError: fc.constant('Unhandled') }),
  fc.record({ payload: aFailure.map((it) => ({ errorMessage: JSON.stringify(it) })), FunctionError: fc.constant('Unhandled') }),
  fc.record({
    payload: damaged(aFailure).map((it) => ({ errorMessage: JSON.stringify(it) })),
    FunctionError: fc.constant('Unhandled'),
  }),
  anError,
);
const properties = fc.record({
  ServiceToken: fc.constant('token'),
  FunctionName: fc.constantFrom('template-saas-api-migrate-lambda-dev', 'f'.repeat(64)),
  Stage: fc.constantFrom('dev', 'prod'),
  Fingerprint: fc.constant('f1'),
});
const validEvent = fc.record({
  RequestType: fc.constantFrom('Create', 'Update', 'Delete'),
  ServiceToken: fc.constant('token'),
  ResponseURL: fc.constant('https://cloudformation.example/answer?Signature=secret'),
  StackId: fc.constant('arn:aws:cloudformation:eu-central-1:111122223333:stack/app-dev/5ac8a3a0'),
  RequestId: fc.uuid(),
  LogicalResourceId: fc.constant('Migrations'),
  ResourceType: fc.constant('Custom::AlembicMigration'),
  PhysicalResourceId: fc.constant('issued-before'),
  ResourceProperties: fc.oneof({ weight: 4, arbitrary: properties }, { weight: 1, arbitrary: damaged(properties) }),
  Data: fc.record({ fromRevision: fc.string() }),
  PendingCount: fc.nat(70),
  StartedAt: fc.constantFrom(Date.now(), 0),
});
const anEvent = fc.oneof({ weight: 5, arbitrary: validEvent }, { weight: 3, arbitrary: damaged(validEvent) }, json);

/** An answer, or the message of an error that has a code. */
async function outcome(handle: () => Promise<unknown>): Promise<unknown> {
  try {
    return await handle();
  } catch (error) {
    const { name, message } = error as Error;
    expect(['DeployFailure', 'invalid_request']).toContain(name);
    expect(message).toMatch(/^(\[[a-z_]+\] |the migrations take longer).*; next: ./s);
    expect(bytesOf(message)).toBeLessThan(MAX_BYTES);
    return message;
  }
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

test(`${EVENTS} random events get an answer for CloudFormation or an error with a code, and start nothing that they should not`, async () => {
  const context = { getRemainingTimeInMillis: () => 20 } as never;
  const given = fc.record({
    event: anEvent,
    answers: fc.array(aReply, { minLength: 1, maxLength: 3 }),
    stacks: fc.array(fc.oneof(fc.constantFrom('UPDATE_IN_PROGRESS', 'UPDATE_ROLLBACK_IN_PROGRESS'), json), {
      minLength: 1,
      maxLength: 2,
    }),
  });
  await always(given, async ({ event, answers, stacks }) => {
    [replies, statuses, asked] = [answers, stacks, []];
    const type = (event as { RequestType?: unknown } | null)?.RequestType;
    const begun = await outcome(() => onEvent(event as never));
    expect(asked).not.toContain('upgrade');
    if (typeof begun === 'object') {
      expect(begun).toMatchObject({ PhysicalResourceId: expect.stringMatching(/./) });
      expect(bytesOf(begun)).toBeLessThan(MAX_BYTES);
    }
    const ended = await outcome(() => isComplete({ ...(event as object), ...(begun as object) } as never, context));
    if (type === 'Delete') expect(asked).toEqual([]);
    if (typeof ended !== 'object') return;
    const { IsComplete, Data = {} } = ended as { IsComplete: unknown; Data?: Record<string, unknown> };
    expect(typeof IsComplete).toBe('boolean');
    for (const value of Object.values(Data)) expect(typeof value).toBe('string');
    if (Data.appliedCount !== undefined) expect(Number(Data.appliedCount)).toBeGreaterThanOrEqual(0);
    expect(bytesOf(Data)).toBeLessThan(MAX_BYTES);
  });
});
