import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import * as rds from 'aws-cdk-lib/aws-rds';
import { ContainerDeploy, DatabaseVariables, MigrationCode, MigrationCompute, MigrationDatabase } from '../../../lib';
import type { MigrationContainerOptions } from '../../../lib/constructs/container/migration-compute';
import {
  functionOf,
  laidOutBackend,
  migrationStack,
  type Options,
  resourcesOf,
  settingsOf,
  templateOf,
  withoutPython,
  writeFiles,
} from '../support';

// It comes without types.
const aslValidator: (definition: object) => { isValid: boolean; errors: unknown[] } = require('asl-validator');

withoutPython();

/** A migration with a container on a cluster in a VPC of the stack. */
function withContainer(container: Partial<MigrationContainerOptions> = {}, more: Options = {}): Options {
  return (stack) => {
    const vpc = new ec2.Vpc(stack, 'Vpc', { maxAzs: 2 });
    const cluster = new ecs.Cluster(stack, 'Cluster', { vpc });
    const others = typeof more === 'function' ? more(stack) : more;
    return { ...others, compute: MigrationCompute.container({ cluster, ...container }) };
  };
}

function taskOf(template: Template): any {
  const [[, task]] = resourcesOf(template, 'AWS::ECS::TaskDefinition') as [[string, any]];
  return task.Properties;
}

function containerOf(template: Template): any {
  return taskOf(template).ContainerDefinitions[0];
}

function machineOf(template: Template): any {
  const found = resourcesOf(template, 'AWS::StepFunctions::StateMachine').find(([id]) => id.includes('Container')) as any;
  return found[1].Properties;
}

/** The definition; what only the deploy knows stands as a made-up ARN. */
function definitionOf(template: Template): any {
  const parts: unknown[] = machineOf(template).DefinitionString['Fn::Join'][1];
  return JSON.parse(parts.map((part) => (typeof part === 'string' ? part : 'aws')).join(''));
}

const FUNCTION_NAME = 'template-saas-api-migrate-lambda-dev';

test('a stack without a container has no resources for it, and MigrationCompute.functionOnly() is the default', () => {
  const template = templateOf();
  expect(templateOf({ compute: MigrationCompute.functionOnly() }).toJSON()).toEqual(template.toJSON());
  expect(JSON.stringify(template)).not.toMatch(/AWS::ECS|[cC]ontainer|ecs:/);
  expect(settingsOf(template)).not.toHaveProperty('container');
});

test('the task has the same package, processor, environment and settings as the function', () => {
  const template = templateOf(
    withContainer({}, { environment: { LOG_LEVEL: 'info' }, architecture: Architecture.X86_64, guardDataLoss: false }),
  );
  expect(taskOf(template)).toMatchObject({
    Family: `${FUNCTION_NAME}-container`,
    Cpu: '256',
    Memory: '512',
    RequiresCompatibilities: ['FARGATE'],
    RuntimePlatform: { CpuArchitecture: 'X86_64', OperatingSystemFamily: 'LINUX' },
  });
  const { Environment, ...container } = containerOf(template);
  expect(container).toMatchObject({
    EntryPoint: ['python3', '-m', 'cdk_alembic.task'],
    WorkingDirectory: '/var/task',
    StopTimeout: 120,
  });
  const environment = Object.fromEntries(Environment.map(({ Name, Value }: any) => [Name, Value]));
  expect(environment).toMatchObject({ LOG_LEVEL: 'info', AWS_DEFAULT_REGION: { Ref: 'AWS::Region' } });
  const { container: machine, ...settings } = settingsOf(template);
  expect(JSON.parse(environment.CDK_ALEMBIC_SETTINGS)).toEqual(settings);
  expect(machine).toBeDefined();
});

test('the function knows the state machine of its container', () => {
  const { Environment } = functionOf(templateOf(withContainer())).Properties;
  const machine = { 'Fn::GetAtt': [expect.stringContaining('ContainerStateMachine'), 'Arn'] };
  expect(Environment.Variables.CDK_ALEMBIC_SETTINGS['Fn::Join'][1]).toContainEqual(machine);
});

test('the task has a log group of its own with the same retention as that of the function', () => {
  const template = templateOf(withContainer());
  const [id, group] = resourcesOf(template, 'AWS::Logs::LogGroup').find(([name]) => name.includes('Container')) as [string, any];
  expect(group).toMatchObject({
    DeletionPolicy: 'Delete',
    Properties: { LogGroupName: `/aws/lambda/${FUNCTION_NAME}/container`, RetentionInDays: 365 },
  });
  expect(containerOf(template).LogConfiguration.Options).toMatchObject({ 'awslogs-group': { Ref: id } });
});

test('the task gets the requested size, subnets and security groups', () => {
  const template = Template.fromStack(
    migrationStack((stack) => {
      const vpc = new ec2.Vpc(stack, 'Vpc', { maxAzs: 2 });
      const cluster = new ecs.Cluster(stack, 'Cluster', { vpc });
      const group = ec2.SecurityGroup.fromSecurityGroupId(stack, 'Group', 'sg-1');
      return {
        compute: MigrationCompute.container({
          cluster,
          cpu: 1024,
          memoryLimitMiB: 4096,
          vpcSubnets: { subnetType: ec2.SubnetType.PUBLIC },
          securityGroups: [group],
        }),
      };
    }).stack,
  );
  expect(taskOf(template)).toMatchObject({ Cpu: '1024', Memory: '4096' });
  const { Parameters } = definitionOf(template).States.Run;
  expect(Parameters.NetworkConfiguration.AwsvpcConfiguration).toMatchObject({
    SecurityGroups: ['sg-1'],
    AssignPublicIp: 'ENABLED',
  });
  expect(resourcesOf(template, 'AWS::EC2::SecurityGroup').filter(([id]) => id.includes('Container'))).toEqual([]);
});

test('the database lets the container in, and the container may read its secret', () => {
  const template = templateOf(
    withContainer({}, (stack) => {
      const vpc = stack.node.findChild('Vpc') as ec2.Vpc;
      const engine = rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.VER_16_4 });
      const database = new rds.DatabaseCluster(stack, 'Db', { engine, vpc, writer: rds.ClusterInstance.serverlessV2('writer') });
      return { vpc, database: MigrationDatabase.fromCluster(database, { variables: DatabaseVariables.url() }) };
    }),
  );
  const rules = resourcesOf(template, 'AWS::EC2::SecurityGroupIngress');
  const [rule, { Properties }] = rules.find(([, found]) => JSON.stringify(found).includes('ContainerSecurityGroup')) as any;
  expect(Properties.Description).toBe('migrations');
  const [[, resource]] = resourcesOf(template, 'Custom::AlembicMigration') as any;
  expect(resource.DependsOn).toContain(rule);
  const policies = resourcesOf(template, 'AWS::IAM::Policy').filter(([id]) => id.includes('TaskTaskRole')) as any;
  expect(policies[0][1].Properties.PolicyDocument.Statement[0].Action).toContain('secretsmanager:GetSecretValue');
});

describe('the state machine (ECS itself is not run by the tests)', () => {
  test('has a valid definition in Amazon States Language', () => {
    const definition = definitionOf(templateOf(withContainer()));
    expect(aslValidator(definition)).toMatchObject({ isValid: true, errors: [] });
    definition.States.Pause.Next = 'Nowhere';
    expect(aslValidator(definition).isValid).toBe(false);
  });

  test('runs the task on Fargate until it ends, with the request in its environment', () => {
    const { Run } = definitionOf(templateOf(withContainer())).States;
    expect(Run.Resource).toBe('arn:aws:states:::ecs:runTask.sync');
    expect(Run.Parameters).toMatchObject({
      LaunchType: 'FARGATE',
      NetworkConfiguration: { AwsvpcConfiguration: { AssignPublicIp: 'DISABLED' } },
      Overrides: {
        ContainerOverrides: [
          { Name: 'migrate', Environment: [{ Name: 'CDK_ALEMBIC_REQUEST', 'Value.$': 'States.JsonToString($.request)' }] },
        ],
      },
    });
  });

  test('retries a task only if it never began to run, and a limited number of times', () => {
    const { Run, Judge, Pause, Again, Failed } = definitionOf(templateOf(withContainer())).States;
    expect(Run).not.toHaveProperty('Retry');
    expect(Run.Catch).toEqual([{ ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: 'Judge' }]);
    const [limit, , reasons] = Judge.Choices[0].And;
    expect(limit).toEqual({ Variable: '$.starts', NumericLessThan: 3 });
    expect(reasons.Or.map(({ StringMatches }: any) => StringMatches)).toContain('*TaskFailedToStart*');
    expect([Judge.Choices[0].Next, Pause.Next, Again.Next, Judge.Default]).toEqual(['Pause', 'Again', 'Run', 'Failed']);
    expect(Failed).toEqual({ Type: 'Fail', ErrorPath: '$.failure.Error', CausePath: '$.failure.Cause' });
  });

  test('is a standard workflow named after its function and encrypted with the key', () => {
    const template = templateOf(withContainer({}, (stack) => ({ encryptionKey: new Key(stack, 'Key') })));
    expect(machineOf(template)).toMatchObject({
      StateMachineName: `${FUNCTION_NAME}-container`,
      StateMachineType: 'STANDARD',
      EncryptionConfiguration: { Type: 'CUSTOMER_MANAGED_KMS_KEY' },
    });
  });

  test('may only run and stop this task in this cluster and pass it its two roles', () => {
    const template = templateOf(withContainer());
    const role = machineOf(template).RoleArn['Fn::GetAtt'][0];
    const [[, policy]] = resourcesOf(template, 'AWS::IAM::Policy').filter(
      ([, { Properties }]) => Properties.Roles[0].Ref === role,
    ) as any;
    const statements = policy.Properties.PolicyDocument.Statement;
    const inCluster = { ArnEquals: { 'ecs:cluster': { 'Fn::GetAtt': [expect.stringMatching(/^Cluster/), 'Arn'] } } };
    expect(statements.map(({ Action, Condition }: any) => [Action, Condition])).toEqual([
      ['ecs:RunTask', inCluster],
      [['ecs:StopTask', 'ecs:DescribeTasks'], inCluster],
      [['events:PutTargets', 'events:PutRule', 'events:DescribeRule'], undefined],
      ['iam:PassRole', { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } }],
    ]);
    for (const { Resource } of statements) expect([Resource].flat()).not.toContain('*');
    expect(JSON.stringify(statements[0].Resource)).toContain(`:task-definition/${FUNCTION_NAME}-container:*`);
  });
});

test('the only permission on "*" in a stack with a container is to get a token for pulling images', () => {
  const statements = resourcesOf(templateOf(withContainer()), 'AWS::IAM::Policy').flatMap(
    ([, { Properties }]) => Properties.PolicyDocument.Statement,
  );
  const onStar = statements.filter(({ Effect, Resource }: any) => Effect === 'Allow' && [Resource].flat().includes('*'));
  expect(onStar.map(({ Action }: any) => Action)).toEqual(['ecr:GetAuthorizationToken']);
});

test.each([
  [undefined, 'wait'],
  [ContainerDeploy.wait(), 'wait'],
  [ContainerDeploy.handOver(), 'handOver'],
])('the deploy gets the setting for the container (%#)', (onDeploy, told) => {
  const template = templateOf(withContainer({ onDeploy }));
  template.hasResourceProperties('Custom::AlembicMigration', { Container: told });
  expect(Object.keys(template.findOutputs('*')).join()).toContain('ContainerExecution');
});

test('the deploy and grantees of grantInvoke may start and watch the container', () => {
  const { stack, migration } = migrationStack(withContainer());
  const ci = new iam.Role(stack, 'Ci', { assumedBy: new iam.AccountRootPrincipal() });
  migration.grantInvoke(ci);
  const template = Template.fromStack(stack);
  for (const role of ['HandlerRole', 'Ci']) {
    const [, policy] = resourcesOf(template, 'AWS::IAM::Policy').find(([id]) => id.includes(role)) as [string, any];
    expect(policy.Properties.PolicyDocument.Statement).toEqual(
      expect.arrayContaining([
        {
          Effect: 'Allow',
          Action: 'states:StartExecution',
          Resource: { 'Fn::GetAtt': [expect.stringContaining('ContainerStateMachine'), 'Arn'] },
        },
        { Effect: 'Allow', Action: 'states:DescribeExecution', Resource: expect.anything() },
      ]),
    );
    expect(JSON.stringify(policy)).toContain(`:execution:${FUNCTION_NAME}-container:*`);
  }
});

test('the alarm goes off if a run in the container fails, because nobody may be waiting for it', () => {
  const { stack, migration } = migrationStack(withContainer());
  expect(migration.containerFailureAlarm).toBeDefined();
  Template.fromStack(stack).hasResourceProperties('AWS::CloudWatch::Alarm', {
    AlarmName: `${FUNCTION_NAME}-container-failed`,
    MetricName: 'ExecutionsFailed',
    Dimensions: [{ Name: 'StateMachineArn', Value: Match.anyValue() }],
  });
});

describe('the image (which Docker builds when the stack is deployed)', () => {
  /** Docker's input of an image, below the cloud assembly. */
  function imagesOf(options: Options): { directory: string; source: any }[] {
    const { stack } = migrationStack(options, {});
    const assembly = (stack.node.root as App).synth();
    const manifest = JSON.parse(readFileSync(join(assembly.directory, `${Stack.of(stack).artifactId}.assets.json`), 'utf8'));
    return Object.values<any>(manifest.dockerImages).map(({ source }) => ({
      directory: join(assembly.directory, source.directory),
      source,
    }));
  }

  test('of a package has the same content as the zip of the function', () => {
    const [image, ...others] = imagesOf(withContainer({}, { code: MigrationCode.fromDirectory(laidOutBackend()) }));
    expect(others).toEqual([]);
    const { directory, source } = image as { directory: string; source: any };
    expect(source.platform).toBe('linux/arm64');
    const dockerfile = readFileSync(join(directory, 'Dockerfile'), 'utf8');
    expect(dockerfile).toBe('FROM public.ecr.aws/lambda/python:3.13\nCOPY --from=package . /var/task/\n');
    const staged = join(directory, source.dockerBuildContexts.package);
    expect(readFileSync(join(staged, 'cdk_alembic/task.py'), 'utf8')).toContain('def main()');
    expect(readFileSync(join(staged, 'backend/alembic.ini'), 'utf8')).toContain('[alembic]');
  });

  test('of a Dockerfile is the image of the function with another entry point', () => {
    const directory = laidOutBackend();
    writeFiles(directory, { Dockerfile: 'FROM public.ecr.aws/lambda/python:3.13\n' });
    const code = MigrationCode.fromImage(directory, { alembicDirectory: 'backend' });
    const options = withContainer({}, { code });
    expect(imagesOf(options)).toHaveLength(1);
    const template = templateOf(options);
    expect(functionOf(template).Properties.Code.ImageUri).toEqual(containerOf(template).Image);
  });
});
