import { logGroupOf, logLink } from '../../../lib/cli/migrate-invoke/log-link';

test.each([
  ['eu-central-1', 'https://eu-central-1.console.aws.amazon.com/'],
  ['cn-north-1', 'https://cn-north-1.console.amazonaws.cn/'],
  ['us-gov-west-1', 'https://us-gov-west-1.console.amazonaws-us-gov.com/'],
  ['eusc-de-east-1', 'https://eusc-de-east-1.console.amazonaws-eusc.eu/'],
  ['us-isob-east-1', 'https://us-isob-east-1.console.sc2shome.sgov.gov/'],
  ['us-iso-east-1', 'https://us-iso-east-1.console.c2shome.ic.gov/'],
])('the link for %s opens the console of its partition', (region, start) => {
  expect(logLink('migrate', region, 0)).toMatch(
    new RegExp(`^${start.replaceAll('.', '\\.')}cloudwatch/home\\?region=${region}#`),
  );
});

test('the link opens the log group at the time of the run', () => {
  expect(logLink('migrate', 'eu-central-1', 1_750_000_000_000)).toBe(
    'https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1' +
      '#logsV2:log-groups/log-group/$252Faws$252Flambda$252Fmigrate/log-events$3Fstart$3D1750000000000',
  );
});

test.each([
  'migrate',
  'migrate:live',
  'arn:aws:lambda:eu-central-1:123456789012:function:migrate',
  'arn:aws-cn:lambda:cn-north-1:123456789012:function:migrate:42',
  '123456789012:function:migrate',
])('%s leads to the log group of the function', (name) => {
  expect(logGroupOf(name)).toBe('/aws/lambda/migrate');
});
