import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Aspects, type Stack, Validations } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { AttributeType, Table } from 'aws-cdk-lib/aws-dynamodb';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Runtime } from 'aws-cdk-lib/aws-lambda';
import * as rds from 'aws-cdk-lib/aws-rds';
import { AwsSolutionsChecks } from 'cdk-nag';
import { AwsSolutionsChecks as AwsSolutionsChecks2 } from 'cdk-nag-2';
import { MigrationCompute, MigrationSnapshot, TenantCanary, TenantDeploy, TenantSource } from '../../lib';
import { SAMPLES, sample } from './sample-stack';
import { migrationStack, temporaryDirectory } from './support';
import { tenantStack } from './tenants/support';

const WITH_EVERYTHING = () =>
  migrationStack((stack) => ({
    vpc: new ec2.Vpc(stack, 'Vpc', { flowLogs: { all: {} } }),
    encryptionKey: new Key(stack, 'Key', { enableKeyRotation: true }),
    eventBus: new EventBus(stack, 'Bus'),
    snapshot: MigrationSnapshot.always({
      instance: rds.DatabaseInstance.fromDatabaseInstanceAttributes(stack, 'Instance', {
        instanceIdentifier: 'shop',
        instanceEndpointAddress: 'shop.x.eu-west-1.rds.amazonaws.com',
        port: 5432,
        securityGroups: [],
      }),
    }),
    runtime: Runtime.PYTHON_3_14,
  })).stack;

const WITH_CONTAINER = () =>
  migrationStack((stack) => {
    const vpc = new ec2.Vpc(stack, 'Vpc', { flowLogs: { all: {} } });
    const cluster = new ecs.Cluster(stack, 'Cluster', { vpc, containerInsightsV2: ecs.ContainerInsights.ENABLED });
    const encryptionKey = new Key(stack, 'Key', { enableKeyRotation: true });
    return { vpc, encryptionKey, runtime: Runtime.PYTHON_3_14, compute: MigrationCompute.container({ cluster }) };
  }).stack;

const TENANTS = () => tenantStack({ runtime: Runtime.PYTHON_3_14 }).stack;

const TENANTS_WITH_EVERYTHING = () =>
  tenantStack((stack) => ({
    vpc: new ec2.Vpc(stack, 'Vpc', { flowLogs: { all: {} } }),
    encryptionKey: new Key(stack, 'Key', { enableKeyRotation: true }),
    tenants: TenantSource.fromTable(
      new Table(stack, 'Table', {
        partitionKey: { name: 'id', type: AttributeType.STRING },
        pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      }),
    ),
    canary: TenantCanary.share(5, { approval: true }),
    onDeploy: TenantDeploy.handOver(),
    runtime: Runtime.PYTHON_3_14,
  })).stack;

/** Makes a stack once, for all checks that only read it. */
function once(make: () => Stack): () => Stack {
  let made: Stack | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

const CONSTRUCTS: [string, () => Stack][] = [
  ['a stack with everything that the construct can use', WITH_EVERYTHING],
  ['a stack with tenants', TENANTS],
  ['a stack with tenants and everything that they can use', TENANTS_WITH_EVERYTHING],
  ['a stack with a container', WITH_CONTAINER],
];
const STACKS: [string, () => Stack][] = [
  ...SAMPLES.map((context): [string, () => Stack] => [
    `the sample with ${JSON.stringify(context)}`,
    once(() => sample(context).stack),
  ]),
  ...CONSTRUCTS.map(([name, make]): [string, () => Stack] => [name, once(make)]),
];

/** Rules of cdk-nag's AwsSolutions that a stack breaks, and where. */
function nag(stack: Stack, options: { evenAcknowledged: boolean } = { evenAcknowledged: false }): { rule: string; at: string }[] {
  const pack = new AwsSolutionsChecks(stack);
  if (options.evenAcknowledged) Object.assign(pack, { isAcknowledged: () => false });
  return pack
    .validateScope(stack)
    .violations.flatMap(({ ruleName: rule, violatingResources = [] }) =>
      violatingResources.map(({ constructPath = '' }) => ({ rule, at: constructPath })),
    );
}

/** What a stack acknowledges, and why. */
function acknowledged(stack: Stack): [string, string][] {
  return stack.node
    .findAll()
    .flatMap(({ node }) => node.metadata)
    .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
    .flatMap(({ data }) => Object.entries<string>(data))
    .map(([id, reason]): [string, string] => [id.replace(/^annotation::/i, ''), reason])
    .filter(([id]) => id.startsWith('AwsSolutions-'));
}

test.each(STACKS)('cdk-nag (AwsSolutions) finds nothing in %s', (_, make) => {
  expect(nag(make())).toEqual([]);
});

// As an app of cdk-nag 2 adds it: its findings are errors of the synth.
test.each(CONSTRUCTS)('cdk-nag 2 finds nothing in %s', (_, make) => {
  const stack = make();
  Aspects.of(stack).add(new AwsSolutionsChecks2());
  const annotations = Annotations.fromStack(stack);
  const finding = Match.stringLikeRegexp('AwsSolutions-|CdkNagValidationFailure');
  const found = [...annotations.findError('*', finding), ...annotations.findWarning('*', finding)];
  expect(found.map(({ id, entry }) => [id, entry.data])).toEqual([]);
});

test.each(STACKS)('every acknowledgement in %s is needed and has a reason', (_, make) => {
  const stack = make();
  const found = nag(stack, { evenAcknowledged: true }).map(({ rule }) => rule);
  const rules = acknowledged(stack);
  expect(rules.length).toBeGreaterThan(0);
  for (const [id, reason] of rules) {
    expect(found).toContain(id);
    expect(reason.length).toBeGreaterThan(40);
  }
});

// All at once: its start takes most of the time.
test('cfn-lint finds nothing in the templates', () => {
  const folder = temporaryDirectory();
  const files = STACKS.map(([name, make], index) => {
    const file = join(folder, `${index} ${name.replaceAll(/\W+/g, ' ')}.json`);
    writeFileSync(file, JSON.stringify(Template.fromStack(make()).toJSON()));
    return file;
  });
  // W3005: the CDK writes DependsOn also where a reference says the same.
  const run = spawnSync('cfn-lint', ['--ignore-checks', 'W3005', '--', ...files], { encoding: 'utf8' });
  if (run.error) throw new Error(`cfn-lint can't be run: "pip install cfn-lint" and put it on the PATH (${run.error.message})`);
  expect(run.stdout + run.stderr).toBe('');
  expect(run.status).toBe(0);
});
