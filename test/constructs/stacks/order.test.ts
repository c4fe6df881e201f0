import { Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as sns from 'aws-cdk-lib/aws-sns';
import { DatabaseVariables, MigrationDatabase } from '../../../lib';
import { functionOf, migrationStack, type Resource, resourcesOf } from '../support';

function runOf(template: Template): [string, Resource] {
  return resourcesOf(template, 'Custom::AlembicMigration')[0] as [string, Resource];
}

/** What a resource waits for, also by way of others. A circle ends the search, as CloudFormation would end the deploy. */
function waitsFor(template: Template, id: string, above: readonly string[] = []): Set<string> {
  const resources = Object.fromEntries(resourcesOf(template));
  if (above.includes(id)) throw new Error(`a circle: ${[...above, id].join(' -> ')}`);
  const text = JSON.stringify(resources[id]);
  const referred = [...text.matchAll(/"(?:Ref":"|Fn::GetAtt":\[")([^"]+)"/g)].map(([, target]) => target as string);
  const direct = [...referred, ...(resources[id]?.DependsOn ?? [])].filter((target) => target in resources);
  return new Set(direct.flatMap((target) => [target, ...waitsFor(template, target, [...above, id])]));
}

test('the run waits for the function, its permissions and its log group', () => {
  const template = Template.fromStack(migrationStack().stack);
  const [, { DependsOn }] = runOf(template);
  for (const part of [
    'MigrationFunction',
    'MigrationRoleDefaultPolicy',
    'MigrationLogGroup',
    'MigrationFunctionEventInvokeConfig',
  ]) {
    expect(DependsOn).toContainEqual(expect.stringMatching(new RegExp(`^${part}[0-9A-F]{8}$`)));
  }
});

test('executeAfter and executeBefore put the run between two things', () => {
  const { stack, migration } = migrationStack();
  migration.executeAfter(new sns.Topic(stack, 'First'));
  migration.executeBefore(new sns.Topic(stack, 'Last'));
  const template = Template.fromStack(stack);
  const [id, run] = runOf(template);
  const [first, last] = resourcesOf(template, 'AWS::SNS::Topic') as [[string, Resource], [string, Resource]];
  expect(run.DependsOn).toContain(first[0]);
  expect(last[1].DependsOn).toEqual([id]);
});

test('what has to come before the migrations and after them fails synth, with what to change', () => {
  const { stack, migration } = migrationStack();
  const topic = new sns.Topic(stack, 'Topic');
  migration.executeAfter(topic);
  migration.executeBefore(topic);
  expect(() => Template.fromStack(stack)).toThrow(
    'Topic waits for the migrations, which wait for Stack/Topic/Resource: pass to executeBefore only what may start after them, ' +
      'such as the new application code, and to executeAfter only what they need',
  );
});

test('the stack of the migrations as a whole can not wait for them', () => {
  const { stack, migration } = migrationStack();
  migration.executeBefore(stack);
  expect(() => Template.fromStack(stack)).toThrow(/^.*Stack waits for the migrations, which wait for Stack\/Migration\//m);
});

test('the run waits for the database, its secret and the network rules for both, and the application waits for the run', () => {
  const { stack, migration } = migrationStack((scope) => {
    const vpc = new ec2.Vpc(scope, 'Vpc', {
      subnetConfiguration: [{ name: 'isolated', subnetType: ec2.SubnetType.PRIVATE_ISOLATED }],
    });
    vpc.addInterfaceEndpoint('SecretsManager', { service: ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER });
    const cluster = new rds.DatabaseCluster(scope, 'Cluster', {
      engine: rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.VER_17_5 }),
      writer: rds.ClusterInstance.serverlessV2('Writer'),
      vpc,
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
    });
    const database = MigrationDatabase.fromCluster(cluster, { variables: DatabaseVariables.url() });
    return { vpc, vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED }, database };
  });
  // The application uses the same database: the rule that admits it must not be waited for.
  const api = new lambda.Function(stack, 'Api', {
    code: lambda.Code.fromInline('pass'),
    handler: 'index.handler',
    runtime: lambda.Runtime.PYTHON_3_13,
    vpc: stack.node.findChild('Vpc') as ec2.Vpc,
    vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
  });
  (stack.node.findChild('Cluster') as rds.DatabaseCluster).connections.allowDefaultPortFrom(api);
  migration.executeBefore(api);

  const template = Template.fromStack(stack);
  const [id] = runOf(template);
  const before = waitsFor(template, id);
  const types = [...before].map((target) => Object.fromEntries(resourcesOf(template))[target]?.Type);
  expect(types).toEqual(
    expect.arrayContaining([
      'AWS::RDS::DBInstance',
      'AWS::SecretsManager::SecretTargetAttachment',
      'AWS::EC2::VPCEndpoint',
      'AWS::EC2::SecurityGroupIngress',
    ]),
  );
  const [apiId] = resourcesOf(template, 'AWS::Lambda::Function').find(([name]) => name.startsWith('Api')) as [string, Resource];
  expect(waitsFor(template, apiId)).toContain(id);
});

test('only the function is in the VPC, and its callers stay outside', () => {
  const { stack } = migrationStack((scope) => ({ vpc: new ec2.Vpc(scope, 'Vpc') }));
  const inside = resourcesOf(Template.fromStack(stack), 'AWS::Lambda::Function').filter(
    ([, { Properties }]) => Properties.VpcConfig,
  );
  expect(inside.map(([, { Properties }]) => Properties.FunctionName)).toEqual(['template-saas-api-migrate-lambda-dev']);
});

test('the function has the security groups and subnets of the props', () => {
  const { stack } = migrationStack((scope) => {
    const vpc = new ec2.Vpc(scope, 'Vpc', {
      maxAzs: 1,
      subnetConfiguration: [
        { name: 'public', subnetType: ec2.SubnetType.PUBLIC },
        { name: 'isolated', subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
      ],
    });
    const group = ec2.SecurityGroup.fromSecurityGroupId(scope, 'Group', 'sg-1');
    return { vpc, vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED }, securityGroups: [group] };
  });
  expect(functionOf(Template.fromStack(stack)).Properties.VpcConfig).toEqual({
    SecurityGroupIds: ['sg-1'],
    SubnetIds: [{ Ref: expect.stringContaining('isolated') }],
  });
});
