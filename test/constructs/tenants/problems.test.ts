import { Duration } from 'aws-cdk-lib';
import { TenantCanary, TenantDeploy, TenantSource } from '../../../lib';
import { errorsOf, type TenantOptions } from './support';

const HAND_OVER = { onDeploy: TenantDeploy.handOver() };

test('all problems are reported at once', () => {
  expect(
    errorsOf({
      stage: 'pull request 17',
      batchSize: 1001,
      maxConnections: 1,
      toleratedFailures: {},
      tenants: TenantSource.fromQuery(' '),
      canary: TenantCanary.share(60, {}),
      timeout: Duration.minutes(15),
    }),
  ).toEqual([
    expect.stringContaining('the stage "pull request 17" is not a usable name'),
    expect.stringContaining('the timeout is 15 minutes, but a deploy can wait for 14 minutes'),
    'the batch size is 1001: use 1 to 1000',
    'maxConnections is 1, and each worker opens 2: use 2 to 10000',
    'toleratedFailures has neither count nor percent: pass one, or leave it out',
    'the query of TenantSource.fromQuery is empty: pass a SELECT with the column name',
    'the canary is 60 % of the tenants: use 1 to 50',
    'the canary needs exactly one of pause and approval',
  ]);
});

test.each<[string, TenantOptions, string]>([
  ['no tenants in a batch', { batchSize: 0 }, 'the batch size is 0'],
  ['half a tenant', { batchSize: 1.5 }, 'the batch size is 1.5'],
  ['a negative tolerance', { toleratedFailures: { count: -1 } }, '-1 failed tenants are tolerated'],
  ['more than all', { toleratedFailures: { percent: 101 } }, '101 % failed tenants are tolerated'],
  ['an empty canary', { canary: TenantCanary.names([], { pause: Duration.hours(0) }) }, 'the canary has no names'],
  [
    'a canary of 31 names',
    {
      canary: TenantCanary.names(
        Array.from({ length: 31 }, (_, index) => `t${index}`),
        { pause: Duration.hours(0) },
      ),
    },
    'the canary has 31 names: use at most 30, or TenantCanary.share',
  ],
  [
    'a canary with a name that no tenant can have',
    { canary: TenantCanary.names(['a/b'], { pause: Duration.hours(0) }) },
    'the canary has names that no tenant can have: a/b',
  ],
  [
    'both pause and approval',
    { canary: TenantCanary.share(5, { pause: Duration.hours(1), approval: true }), ...HAND_OVER },
    'exactly one of pause and approval',
  ],
  [
    'a pause of eight days',
    { canary: TenantCanary.share(5, { pause: Duration.days(8) }), ...HAND_OVER },
    'the canary waits for more than 7 days',
  ],
  [
    'an approval within a few seconds',
    { canary: TenantCanary.share(5, { approval: true, within: Duration.seconds(5) }), ...HAND_OVER },
    'the canary waits less than a minute for an approval',
  ],
  [
    'a deploy that waits for a person',
    { canary: TenantCanary.share(5, { approval: true }) },
    'a deploy cannot wait until someone approves the canaries: use TenantDeploy.handOver()',
  ],
  [
    'a deploy that waits for a long pause',
    { canary: TenantCanary.share(5, { pause: Duration.hours(1) }) },
    "the canaries' pause is 60 minutes, but a deploy that waits has only 30",
  ],
])('%s is rejected', (_, options, problem) => {
  expect(errorsOf(options)).toEqual([expect.stringContaining(problem)]);
});

test('a name that is too long for its functions is reported before the deploy', () => {
  const [error] = errorsOf({ appName: 'a-name-that-is-much-too-long-for-the-functions' });
  expect(error).toContain('Lambda allows 64');
});
