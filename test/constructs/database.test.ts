import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as rds from 'aws-cdk-lib/aws-rds';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { DatabaseVariables, MigrationDatabase } from '../../lib';
import { SETTINGS_VARIABLE } from '../../lib/contract';
import { findings, functionOf, migrationStack, resourcesOf, templateOf } from './support';

const variables = DatabaseVariables.parts();
const postgres = rds.DatabaseInstanceEngine.postgres({ version: rds.PostgresEngineVersion.VER_17_5 });

function vpcOf(stack: Stack): ec2.IVpc {
  return (stack.node.tryFindChild('Vpc') as ec2.Vpc | undefined) ?? new ec2.Vpc(stack, 'Vpc');
}

function clusterOf(stack: Stack, props: Partial<rds.DatabaseClusterProps> = {}): rds.DatabaseCluster {
  return new rds.DatabaseCluster(stack, 'Cluster', {
    engine: rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.VER_17_5 }),
    writer: rds.ClusterInstance.serverlessV2('Writer'),
    vpc: vpcOf(stack),
    ...props,
  });
}

function instanceOf(stack: Stack): rds.DatabaseInstance {
  return new rds.DatabaseInstance(stack, 'Instance', { engine: postgres, vpc: vpcOf(stack) });
}

function proxyOf(stack: Stack, iamAuth: boolean): rds.DatabaseProxy {
  const cluster = clusterOf(stack);
  const secrets = [cluster.secret as Secret];
  return new rds.DatabaseProxy(stack, 'Proxy', {
    proxyTarget: rds.ProxyTarget.fromCluster(cluster),
    secrets,
    vpc: vpcOf(stack),
    iamAuth,
  });
}

const SOURCES: Record<string, (stack: Stack) => MigrationDatabase> = {
  environment: () => MigrationDatabase.fromEnvironment(),
  secret: (stack) => MigrationDatabase.fromSecret(new Secret(stack, 'Secret'), { variables }),
  'secret with an address': (stack) =>
    MigrationDatabase.fromSecret(new Secret(stack, 'Secret'), {
      variables,
      host: 'db.internal',
      port: 5433,
      databaseName: 'app',
    }),
  cluster: (stack) => MigrationDatabase.fromCluster(clusterOf(stack), { variables, databaseName: 'app' }),
  instance: (stack) => MigrationDatabase.fromInstance(instanceOf(stack), { variables }),
  'cluster with tokens': (stack) =>
    MigrationDatabase.fromIamAuth({ cluster: clusterOf(stack), user: 'migrator', databaseName: 'app', variables }),
  'instance with tokens': (stack) =>
    MigrationDatabase.fromIamAuth({ instance: instanceOf(stack), user: 'migrator', databaseName: 'app', variables }),
  'proxy with tokens': (stack) => {
    const proxy = proxyOf(stack, true);
    return MigrationDatabase.fromIamAuth({ proxy, user: 'migrator', databaseName: 'app', variables });
  },
};

/** The template of a function that uses the source. */
function render(source: string): Template {
  return templateOf((stack) => {
    const database = (SOURCES[source] as (stack: Stack) => MigrationDatabase)(stack);
    const vpc = stack.node.tryFindChild('Vpc') as ec2.Vpc | undefined;
    return { database, ...(vpc && { vpc }) };
  });
}

/** The settings as CloudFormation will fill them: a number for a port, some text for the rest. */
function settingsOf(template: Template): any {
  const value = functionOf(template).Properties.Environment.Variables[SETTINGS_VARIABLE];
  const parts: unknown[] = typeof value === 'string' ? [value] : value['Fn::Join'][1];
  const filled = parts.map((part) =>
    typeof part === 'string' ? part : JSON.stringify(part).includes('Port') ? '5432' : 'filled',
  );
  return JSON.parse(filled.join(''));
}

test('the runner accepts the settings for every kind of database', () => {
  const all = Object.keys(SOURCES).map((source) => settingsOf(render(source)));
  const check =
    'import json, sys; from cdk_alembic.protocol import checks, rules; print(json.dumps([checks.problems(rules.SETTINGS, s) for s in json.load(sys.stdin)]))';
  const run = spawnSync('python3', ['-c', check], {
    cwd: join(__dirname, '../../lambda/migrate'),
    input: JSON.stringify(all),
    encoding: 'utf8',
  });
  expect(run.stderr).toBe('');
  expect(JSON.parse(run.stdout)).toEqual(all.map(() => []));
});

test('secrets are referenced, and no template contains a password', () => {
  for (const source of Object.keys(SOURCES)) {
    const [fn] = resourcesOf(render(source), 'AWS::Lambda::Function');
    expect(JSON.stringify(fn)).not.toMatch(/resolve:secretsmanager|"password":"(?!POSTGRES_PASSWORD)/);
  }
});

test('a secret can supply the whole address', () => {
  expect(settingsOf(render('secret')).database).toEqual({
    source: 'secret',
    secretArn: 'filled',
    variables: {
      host: 'POSTGRES_HOST',
      port: 'POSTGRES_PORT',
      user: 'POSTGRES_USER',
      password: 'POSTGRES_PASSWORD',
      database: 'POSTGRES_DB',
    },
  });
});

test('props for the address override the secret', () => {
  expect(settingsOf(render('secret with an address')).database).toMatchObject({
    host: 'db.internal',
    port: 5433,
    database: 'app',
  });
});

test('a cluster is reached at its writer, with its own secret', () => {
  const template = render('cluster');
  const text = JSON.stringify(functionOf(template).Properties.Environment);
  expect(text).toMatch(/"Fn::GetAtt":\["Cluster\w+","Endpoint.Address"\]/);
  expect(text).toMatch(/"Ref":"ClusterSecretAttachment\w+"/);
});

test.each(['cluster', 'instance', 'cluster with tokens', 'proxy with tokens'])(
  'the security group of a %s admits the function',
  (source) => {
    const rules = resourcesOf(render(source), 'AWS::EC2::SecurityGroupIngress').map(([, { Properties }]) => Properties);
    expect(rules).toContainEqual(
      expect.objectContaining({
        SourceSecurityGroupId: { 'Fn::GetAtt': [expect.stringMatching(/^MigrationFunction/), 'GroupId'] },
      }),
    );
  },
);

test.each(['cluster with tokens', 'instance with tokens', 'proxy with tokens'])(
  'for %s, the function may connect as this role and reads no secret',
  (source) => {
    const [, policy] = resourcesOf(render(source), 'AWS::IAM::Policy').find(([id]) => id.startsWith('MigrationRole')) as [
      string,
      any,
    ];
    const text = JSON.stringify(policy.Properties.PolicyDocument.Statement);
    expect(text).toContain('rds-db:connect');
    expect(text).toMatch(/:?\/migrator"/);
    expect(text).not.toContain('secretsmanager');
  },
);

test.each<[string, RegExp, (stack: Stack) => MigrationDatabase]>([
  [
    'a cluster',
    /^the secret Stack\/Cluster\/Secret\S* belongs to the database Stack\/Cluster, whose security group stays closed: .*MigrationDatabase\.fromCluster /,
    (stack) => MigrationDatabase.fromSecret(clusterOf(stack).secret as ISecret, { variables }),
  ],
  [
    'an instance',
    /belongs to the database Stack\/Instance, .*MigrationDatabase\.fromInstance /,
    (stack) => MigrationDatabase.fromSecret(instanceOf(stack).secret as ISecret, { variables }),
  ],
])('the secret of %s alone causes a warning, because nothing lets the function in', (_, warning, database) => {
  const { warnings } = findings((stack) => ({ database: database(stack), vpc: vpcOf(stack) }));
  expect(warnings.filter((text) => warning.test(text))).toHaveLength(1);
});

describe('an imported database', () => {
  const group = (stack: Stack) => ec2.SecurityGroup.fromSecurityGroupId(stack, 'Group', 'sg-1');
  const attributes = { clusterIdentifier: 'c', clusterEndpointAddress: 'c.local', port: 5432 };
  const cluster = (stack: Stack, securityGroups?: ec2.ISecurityGroup[]) => {
    const imported = rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, 'Imported', { ...attributes, securityGroups });
    return MigrationDatabase.fromCluster(imported, { variables, secret: new Secret(stack, 'Secret') });
  };
  const proxy = (stack: Stack) => {
    const imported = rds.DatabaseProxy.fromDatabaseProxyAttributes(stack, 'Imported', {
      dbProxyName: 'p',
      dbProxyArn: 'arn:aws:rds:eu-west-1:111122223333:db-proxy:prx-1',
      endpoint: 'p.local',
      securityGroups: [group(stack)],
    });
    return MigrationDatabase.fromIamAuth({ proxy: imported, user: 'm', databaseName: 'app', variables });
  };
  const closed = (database: (stack: Stack) => MigrationDatabase, securityGroups?: (stack: Stack) => ec2.ISecurityGroup[]) =>
    findings((stack) => ({
      database: database(stack),
      vpc: vpcOf(stack),
      ...(securityGroups && { securityGroups: securityGroups(stack) }),
    })).warnings.filter((warning) => warning.includes('security groups'));

  test.each([
    ['cluster', (stack: Stack) => cluster(stack), 'pass securityGroups where you import it, or pass a group that it admits'],
    [
      'proxy, whose groups the CDK ignores,',
      proxy,
      'imported proxy Stack/Imported, so no rule lets the function in: pass a group',
    ],
  ])('a %s without security groups causes a warning, because nothing lets the function in', (_, database, remedy) => {
    expect(closed(database)).toEqual([expect.stringContaining(remedy)]);
  });

  test('with its security groups, or with one for the function that it admits, there is no warning', () => {
    expect(closed((stack) => cluster(stack, [group(stack)]))).toEqual([]);
    expect(closed(cluster, (stack) => [group(stack)])).toEqual([]);
  });
});

test('a database without a secret is reported', () => {
  const { errors } = findings((stack) => {
    const cluster = rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, 'Imported', { clusterIdentifier: 'c' });
    return { database: MigrationDatabase.fromCluster(cluster, { variables }) };
  });
  expect(errors).toEqual([expect.stringContaining('the database Stack/Imported has no secret')]);
});

test.each<[string, string, (stack: Stack) => MigrationDatabase]>([
  [
    'an instance of MySQL',
    'the database Stack/Mysql has the engine mysql, and migrations run on PostgreSQL',
    (stack) => {
      const engine = rds.DatabaseInstanceEngine.mysql({ version: rds.MysqlEngineVersion.VER_8_0 });
      return MigrationDatabase.fromInstance(new rds.DatabaseInstance(stack, 'Mysql', { engine, vpc: vpcOf(stack) }), {
        variables,
      });
    },
  ],
  [
    'a cluster of Aurora MySQL with tokens',
    'the database Stack/Cluster has the engine aurora-mysql, and migrations run on PostgreSQL',
    (stack) => {
      const engine = rds.DatabaseClusterEngine.auroraMysql({ version: rds.AuroraMysqlEngineVersion.VER_3_04_0 });
      return MigrationDatabase.fromIamAuth({ cluster: clusterOf(stack, { engine }), user: 'm', databaseName: 'app', variables });
    },
  ],
  [
    'a read replica',
    'the database Stack/Replica is a read replica, and migrations write: pass its primary',
    (stack) => {
      const replica = new rds.DatabaseInstanceReadReplica(stack, 'Replica', {
        sourceDatabaseInstance: instanceOf(stack),
        instanceType: new ec2.InstanceType('t4g.micro'),
        vpc: vpcOf(stack),
      });
      return MigrationDatabase.fromInstance(replica, { variables, secret: new Secret(stack, 'Secret') });
    },
  ],
  ...(['password', 'token'] as const).map((kind): [string, string, (stack: Stack) => MigrationDatabase] => [
    `an imported cluster without an address, with a ${kind}`,
    'the database Stack/Imported is imported without its address: pass clusterEndpointAddress and port',
    (stack) => {
      const attributes = { clusterIdentifier: 'c', clusterResourceIdentifier: 'cluster-C' };
      const cluster = rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, 'Imported', attributes);
      return kind === 'password'
        ? MigrationDatabase.fromCluster(cluster, { variables, secret: new Secret(stack, 'Secret') })
        : MigrationDatabase.fromIamAuth({ cluster, user: 'm', databaseName: 'app', variables });
    },
  ]),
  [
    'an imported cluster without a resource id, with a token',
    'names: pass clusterResourceIdentifier to fromDatabaseClusterAttributes (DbClusterResourceId in "aws rds describe-db-clusters")',
    (stack) => {
      const attributes = { clusterIdentifier: 'c', clusterEndpointAddress: 'c.local', port: 5432 };
      const cluster = rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, 'Imported', attributes);
      return MigrationDatabase.fromIamAuth({ cluster, user: 'm', databaseName: 'app', variables });
    },
  ],
  [
    'an imported instance without a resource id, with a token',
    'names: pass instanceResourceId to fromDatabaseInstanceAttributes (DbiResourceId in "aws rds describe-db-instances")',
    (stack) => {
      const attributes = { instanceIdentifier: 'i', instanceEndpointAddress: 'i.local', port: 5432, securityGroups: [] };
      const instance = rds.DatabaseInstance.fromDatabaseInstanceAttributes(stack, 'Imported', attributes);
      return MigrationDatabase.fromIamAuth({ instance, user: 'm', databaseName: 'app', variables });
    },
  ],
  [
    'an instance that rejects tokens, with a token',
    'the database Stack/Instance rejects IAM tokens: create it with iamAuthentication: true',
    (stack) => {
      const props = { engine: postgres, vpc: vpcOf(stack), iamAuthentication: false };
      const instance = new rds.DatabaseInstance(stack, 'Instance', props);
      return MigrationDatabase.fromIamAuth({ instance, user: 'm', databaseName: 'app', variables });
    },
  ],
  [
    'a proxy that rejects tokens, with a token',
    'the proxy Stack/Proxy rejects IAM tokens: create it with iamAuth: true, or use MigrationDatabase.fromProxy',
    (stack) => MigrationDatabase.fromIamAuth({ proxy: proxyOf(stack, false), user: 'm', databaseName: 'app', variables }),
  ],
  [
    'a proxy that accepts only tokens, with a password',
    'the proxy Stack/Proxy accepts only IAM tokens: use MigrationDatabase.fromIamAuth with it',
    (stack) => MigrationDatabase.fromProxy(proxyOf(stack, true), { secret: new Secret(stack, 'Secret'), variables }),
  ],
])('%s fails at synth', (_, problem, database) => {
  const { errors } = findings((stack) => ({ database: database(stack) }));
  expect(errors).toEqual([expect.stringContaining(problem)]);
});

test('opening the database to the function causes no warning at synth', () => {
  const { warnings } = findings((stack) => ({ database: SOURCES.cluster?.(stack), vpc: vpcOf(stack) }));
  expect(warnings.filter((warning) => /rule/i.test(warning))).toEqual([]);
});

test('name and scheme of the URL variable can be chosen', () => {
  const { stack } = migrationStack((scope) => ({
    database: MigrationDatabase.fromSecret(new Secret(scope, 'Secret'), {
      variables: DatabaseVariables.url('DB_URL', { scheme: 'postgresql+asyncpg' }),
    }),
  }));
  expect(settingsOf(Template.fromStack(stack)).database.variables).toEqual({ url: 'DB_URL', urlScheme: 'postgresql+asyncpg' });
});
