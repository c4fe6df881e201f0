import { Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { EventBus } from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { DatabaseVariables, MigrationDatabase } from '../../lib';
import { functionOf, migrationStack, type Options, resourcesOf, templateOf } from './support';

interface Statement {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

/** Actions that are allowed on `*`, because AWS supports no narrower resource for what the role does. */
const NEEDS_STAR = {
  'ec2:CreateNetworkInterface': 'Lambda attaches the function to the VPC; the interface has no name yet',
  'ec2:DescribeNetworkInterfaces': 'has no resource type',
  'ec2:DescribeSubnets': 'has no resource type',
  'ec2:DeleteNetworkInterface': 'as Lambda documents it: otherwise the function may lose its way into the VPC',
  'ec2:AssignPrivateIpAddresses': 'as Lambda documents it',
  'ec2:UnassignPrivateIpAddresses': 'as Lambda documents it',
};

const EVERYTHING: Options = (stack) => ({
  eventBus: new EventBus(stack, 'Bus'),
  vpc: new ec2.Vpc(stack, 'Vpc'),
  encryptionKey: new Key(stack, 'Key'),
  database: MigrationDatabase.fromSecret(new Secret(stack, 'Secret', { encryptionKey: new Key(stack, 'SecretKey') }), {
    variables: DatabaseVariables.url(),
  }),
});

function statementsOf(template: Template): Statement[] {
  return resourcesOf(template, 'AWS::IAM::Policy').flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement);
}

function resourceId(resource: any): string {
  return resource['Fn::GetAtt']?.[0] ?? resource.Ref ?? resource;
}

function statementsOfRole(template: Template, role: string): Statement[] {
  return resourcesOf(template, 'AWS::IAM::Policy')
    .filter(([, policy]) => policy.Properties.Roles[0].Ref === role)
    .flatMap(([, policy]) => policy.Properties.PolicyDocument.Statement);
}

/** Actions that some role may use on a resource that is not named. */
function actionsOnStar(template: Template): string[] {
  return statementsOf(template)
    .filter(({ Effect, Resource }) => Effect === 'Allow' && [Resource].flat().includes('*'))
    .flatMap(({ Action }) => Action);
}

test('the function may only write its log, read its secret, use its keys, send events and enter its VPC', () => {
  const template = templateOf(EVERYTHING);
  const role = functionOf(template).Properties.Role['Fn::GetAtt'][0];
  const actions = statementsOfRole(template, role)
    .filter(({ Effect }) => Effect === 'Allow')
    .map(({ Action, Resource }) => [[Action].flat(), resourceId(Resource)]);
  expect(actions).toEqual([
    [['logs:CreateLogStream', 'logs:PutLogEvents'], expect.stringMatching(/^MigrationLogGroup/)],
    [['kms:Decrypt'], expect.stringMatching(/^Key/)],
    [Object.keys(NEEDS_STAR), '*'],
    [['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'], expect.stringMatching(/^Secret/)],
    [['events:PutEvents'], expect.stringMatching(/^Bus/)],
  ]);
});

test('a function without key, secret, bus and VPC may only write its log', () => {
  const template = templateOf();
  const role = functionOf(template).Properties.Role['Fn::GetAtt'][0];
  expect(statementsOfRole(template, role)).toEqual([
    { Effect: 'Allow', Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Resource: expect.anything() },
  ]);
});

test('permissions on "*" are only those for which AWS has no narrower resource', () => {
  expect(actionsOnStar(templateOf())).toEqual([]);
  expect(actionsOnStar(templateOf(EVERYTHING))).toEqual(Object.keys(NEEDS_STAR));
});

test('Lambda may manage network interfaces for the function, but the code of the function may not', () => {
  const denied = statementsOf(templateOf(EVERYTHING)).filter(({ Effect }) => Effect === 'Deny');
  expect(denied).toEqual([
    expect.objectContaining({
      Action: Object.keys(NEEDS_STAR),
      Condition: { ArnEquals: { 'lambda:SourceFunctionArn': expect.anything() } },
    }),
  ]);
  expect(JSON.stringify(denied)).toContain(':function:template-saas-api-migrate-lambda-dev');
});

test('only actions for keys have wildcards', () => {
  const wild = statementsOf(templateOf(EVERYTHING))
    .flatMap(({ Action }) => Action)
    .filter((action) => action.includes('*'));
  expect(wild).toEqual([]);
});

test('a wildcard in a resource matches only the versions of one function', () => {
  const wild = statementsOf(templateOf(EVERYTHING))
    .flatMap(({ Resource }) => [Resource].flat())
    .filter((resource) => resource !== '*' && JSON.stringify(resource).includes('*'));
  expect(wild.length).toBeGreaterThan(0);
  for (const resource of wild) {
    expect(resource).toEqual({ 'Fn::Join': ['', [{ 'Fn::GetAtt': [expect.any(String), 'Arn'] }, ':*']] });
  }
});

test('no role uses an AWS managed policy, because it would allow more than needed', () => {
  for (const [, { Properties }] of resourcesOf(templateOf(EVERYTHING), 'AWS::IAM::Role')) {
    expect(Properties).not.toHaveProperty('ManagedPolicyArns');
  }
});

test('the deploy handler may only invoke this function and describe this stack', () => {
  const template = templateOf();
  const [fn] = Object.keys(template.findResources('AWS::Lambda::Function', { Properties: { MemorySize: 512 } }));
  const [, policy] = resourcesOf(template, 'AWS::IAM::Policy').find(([id]) => id.includes('HandlerRole')) as [string, any];
  expect(policy.Properties.PolicyDocument.Statement.slice(1)).toEqual([
    {
      Effect: 'Allow',
      Action: ['lambda:InvokeFunction', 'lambda:GetFunctionConfiguration'],
      Resource: { 'Fn::GetAtt': [fn, 'Arn'] },
    },
    { Effect: 'Allow', Action: 'cloudformation:DescribeStacks', Resource: { Ref: 'AWS::StackId' } },
  ]);
});

test('grantInvoke permits what the command needs, on this function only', () => {
  const { stack, migration } = migrationStack({ runOnDeploy: false });
  const role = new iam.Role(stack, 'Ci', { assumedBy: new iam.AccountRootPrincipal() });
  migration.grantInvoke(role);
  const [, policy] = resourcesOf(Template.fromStack(stack), 'AWS::IAM::Policy').find(([id]) => id.startsWith('Ci')) as [
    string,
    any,
  ];
  expect(policy.Properties.PolicyDocument.Statement).toEqual([
    {
      Effect: 'Allow',
      Action: ['lambda:InvokeFunction', 'lambda:GetFunctionConfiguration'],
      Resource: { 'Fn::GetAtt': [expect.stringContaining('MigrationFunction'), 'Arn'] },
    },
  ]);
});

test('grantInvoke fails for a grantee that cannot get a permission', () => {
  const { migration } = migrationStack({ runOnDeploy: false });
  expect(() => migration.grantInvoke(new iam.AccountPrincipal('111122223333'))).toThrow(/could not be added/);
});

test('every function writes to a log group that is deleted with the stack and keeps a year', () => {
  const template = templateOf(EVERYTHING);
  const groups = resourcesOf(template, 'AWS::Logs::LogGroup');
  expect(groups.map(([, { Properties }]) => Properties.LogGroupName)).toEqual([
    '/aws/lambda/template-saas-api-migrate-lambda-dev',
    '/aws/lambda/template-saas-api-migrate-lambda-dev/on-deploy',
  ]);
  for (const [, group] of groups) expect(group).toMatchObject({ DeletionPolicy: 'Delete', Properties: { RetentionInDays: 365 } });
  const ids = groups.map(([id]) => id);
  for (const [, { Properties }] of resourcesOf(template, 'AWS::Lambda::Function')) {
    expect(ids).toContain(Properties.LoggingConfig.LogGroup.Ref);
  }
});

test('a key encrypts the logs and the environment of every function', () => {
  const template = templateOf(EVERYTHING);
  const arn = { 'Fn::GetAtt': [expect.stringMatching(/^Key/), 'Arn'] };
  for (const [, { Properties }] of resourcesOf(template, 'AWS::Logs::LogGroup')) expect(Properties.KmsKeyId).toEqual(arn);
  for (const [, { Properties }] of resourcesOf(template, 'AWS::Lambda::Function')) expect(Properties.KmsKeyArn).toEqual(arn);
});

test('a key encrypts what Step Functions stores about a deploy, and the state machine may use it', () => {
  const template = templateOf(EVERYTHING);
  const arn = { 'Fn::GetAtt': [expect.stringMatching(/^Key/), 'Arn'] };
  const [[, machine]] = resourcesOf(template, 'AWS::StepFunctions::StateMachine') as [[string, any]];
  expect(machine.Properties.EncryptionConfiguration).toEqual({
    Type: 'CUSTOMER_MANAGED_KMS_KEY',
    KmsKeyId: arn,
    KmsDataKeyReusePeriodSeconds: 300,
  });
  expect(statementsOfRole(template, machine.Properties.RoleArn['Fn::GetAtt'][0])).toContainEqual({
    Effect: 'Allow',
    Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
    Resource: arn,
  });
});

test('the state machine of the deploy has no log, because its events contain the answer URL of CloudFormation', () => {
  const [[, machine]] = resourcesOf(templateOf(EVERYTHING), 'AWS::StepFunctions::StateMachine') as [[string, any]];
  expect(machine.Properties).not.toHaveProperty('LoggingConfiguration');
});

test('every role of a function may decrypt with the key', () => {
  const template = templateOf(EVERYTHING);
  for (const [, { Properties }] of resourcesOf(template, 'AWS::Lambda::Function')) {
    const role = Properties.Role['Fn::GetAtt'][0];
    expect(statementsOfRole(template, role)).toContainEqual({
      Effect: 'Allow',
      Action: 'kms:Decrypt',
      Resource: { 'Fn::GetAtt': [expect.stringMatching(/^Key/), 'Arn'] },
    });
  }
});

test('the key policy lets CloudWatch Logs use the key only for these log groups', () => {
  const [, key] = resourcesOf(templateOf(EVERYTHING), 'AWS::KMS::Key').find(([id]) => id.startsWith('Key')) as [string, any];
  const forLogs = key.Properties.KeyPolicy.Statement.filter((statement: any) =>
    JSON.stringify(statement.Principal).includes('logs.'),
  );
  expect(forLogs).toHaveLength(2);
  for (const statement of forLogs) {
    expect(JSON.stringify(statement.Condition)).toContain(':log-group:/aws/lambda/template-saas-api-migrate-lambda-dev');
  }
});

test('the function may decrypt with the key of its secret', () => {
  const [, key] = resourcesOf(templateOf(EVERYTHING), 'AWS::KMS::Key').find(([id]) => id.startsWith('SecretKey')) as [
    string,
    any,
  ];
  const decrypt = key.Properties.KeyPolicy.Statement.filter(({ Action }: Statement) => Action === 'kms:Decrypt');
  expect(decrypt).toEqual([
    expect.objectContaining({ Principal: { AWS: { 'Fn::GetAtt': [expect.stringMatching(/^MigrationRole/), 'Arn'] } } }),
  ]);
});
