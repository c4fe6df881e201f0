import { containerCall } from '../../lib/client/container/failure';
import { type AwsCall, retryOf, sdkFailure } from '../../lib/client/sdk-failure';
import { invokeOf } from '../../lib/client/target';
import { machineCall } from '../../lib/client/tenants/sdk';
import { MigrateError } from '../../lib/contract';

const CALLS: readonly AwsCall[] = [
  invokeOf({ functionName: 'mine', stage: 'dev', region: 'eu-central-1' }),
  containerCall('states:StartExecution of mine'),
  machineCall('states:StartExecution of mine'),
];

function thrown(name: string, httpStatusCode?: number, message = 'its own words'): Error {
  return Object.assign(new Error(message), { name, ...(httpStatusCode && { $metadata: { httpStatusCode } }) });
}

test.each([
  ['CredentialsProviderError', undefined, 'no_credentials', undefined],
  ['TokenProviderError', undefined, 'no_credentials', undefined],
  ['ExpiredTokenException', 400, 'access_denied', undefined],
  ['KmsAccessDeniedException', 400, 'access_denied', undefined],
  ['Unheard', 403, 'access_denied', undefined],
  ['TooManyRequestsException', 429, 'throttled', 'later'],
  ['ThrottlingException', 400, 'throttled', 'later'],
  ['EC2ThrottledException', 502, 'throttled', 'later'],
  ['ResourceConflictException', 409, 'function_not_ready', 'when ready'],
  ['SnapStartNotReadyException', 409, 'function_not_ready', 'when ready'],
  ['SnapStartException', 400, 'function_not_ready', undefined],
  ['KMSAccessDeniedException', 502, 'function_not_ready', undefined],
  ['ValidationException', 400, 'unexpected_answer', undefined],
  ['InternalFailure', 500, 'network', 'if repeatable'],
  ['TimeoutError', undefined, 'network', 'if repeatable'],
] as const)('%s (%s) becomes %s in every service', (name, status, code, retry) => {
  const error = thrown(name, status);
  for (const call of CALLS) {
    const failure = sdkFailure(error, call);
    expect(failure).toMatchObject({ code, cause: error, message: expect.stringContaining('its own words') });
    expect(failure.next).not.toBe('');
    expect([retryOf(error), retryOf(failure)]).toEqual([retry, retry]);
  }
});

test('only a call that was never sent, without retries, has certainly started nothing', () => {
  const [invoke, , machine] = CALLS as [AwsCall, AwsCall, AwsCall];
  const refused = thrown('Error', undefined, 'connect ECONNREFUSED 127.0.0.1:1');
  expect(sdkFailure(refused, invoke).next).toContain('nothing was started');
  expect(sdkFailure(refused, machine).next).not.toContain('nothing was started');
  for (const lost of [thrown('Error', undefined, 'socket hang up'), thrown('ServiceException', 502, 'bad certificate')]) {
    expect(sdkFailure(lost, invoke).next).not.toContain('nothing was started');
  }
});

test('a status of 500 or more is not a dropped connection', () => {
  const [invoke] = CALLS as [AwsCall];
  expect(sdkFailure(thrown('InternalFailure', 500), invoke).message).toMatch(/^Lambda failed before it had answered /);
  expect(sdkFailure(thrown('Error', undefined, 'socket hang up'), invoke).message).toMatch(/^the connection dropped before /);
});

test('every next step about a container says that a started one keeps running', () => {
  const [, container] = CALLS as [AwsCall, AwsCall];
  for (const name of ['CredentialsProviderError', 'AccessDeniedException', 'Error']) {
    expect(sdkFailure(thrown(name), container).next).toMatch(/; a container that has started keeps running/);
  }
});

test('a failure is translated only once, and never modified', () => {
  const failure = new MigrateError('locked', 'ada holds the mutex', 'wait', { revision: 'b2', cause: new Error('why') });
  expect(sdkFailure(failure, CALLS[0] as AwsCall)).toBe(failure);
  const changed = failure.with({ next: 'wait for ada' });
  expect(changed).toBeInstanceOf(MigrateError);
  expect(changed).toMatchObject({ code: 'locked', message: 'ada holds the mutex', next: 'wait for ada', revision: 'b2' });
  expect([changed.cause, failure.next]).toEqual([failure.cause, 'wait']);
});
