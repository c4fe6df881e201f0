import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Duration, SecretValue, type StackProps } from 'aws-cdk-lib';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { type AlembicMigrationProps, DatabaseVariables, MigrationCode, MigrationDatabase } from '../../lib';
import {
  findings,
  laidOutBackend,
  migrationStack,
  type Options,
  revisionFile,
  temporaryDirectory,
  withoutPython,
  writeFiles,
} from './support';

withoutPython();

test('props that need a VPC are rejected without one, and a selection of no subnet with one', () => {
  expect(findings({ vpcSubnets: {}, securityGroups: [] }).errors).toEqual([
    expect.stringContaining('vpcSubnets has no effect without vpc: pass the VPC, or leave it out'),
    expect.stringContaining('securityGroups has no effect without vpc: pass the VPC, or leave it out'),
  ]);
  const { errors } = findings((stack) => ({ vpc: new Vpc(stack, 'Vpc'), vpcSubnets: { subnets: [] } }));
  expect(errors).toEqual([expect.stringContaining('vpcSubnets selects no subnet of Stack/Vpc: select at least one')]);
});

test('all problems are reported at once', () => {
  const { errors } = findings({
    stage: 'pull request 17',
    appName: 'a-name-that-is-much-too-long-for-the-function-of-a-stage',
    timeout: Duration.minutes(20),
    limits: { lockTimeout: Duration.seconds(0), mutexWait: Duration.minutes(20), connectRetry: Duration.minutes(5) },
    runtime: lambda.Runtime.NODEJS_22_X,
    environment: { DATABASE_URL: 'postgresql://app:hunter2@db/app' },
    code: MigrationCode.fromDirectory(temporaryDirectory()),
  });
  expect(errors).toEqual([
    expect.stringContaining('the stage "pull request 17" is not a usable name'),
    expect.stringContaining('Lambda allows 64'),
    expect.stringContaining('the timeout is 20 minutes, but a deploy can wait for 14 minutes'),
    expect.stringContaining('the lock timeout is 0, which means no timeout to PostgreSQL'),
    expect.stringContaining("the mutex wait is 20 minutes and the function's timeout 20 minutes"),
    expect.stringContaining('the connect retry is 5 minutes, but at most 3 minutes are allowed'),
    expect.stringContaining('DATABASE_URL holds a password'),
    expect.stringContaining(
      'supports Python 3.11, 3.12, 3.13, 3.14, and runtime is nodejs22.x: set runtime: lambda.Runtime.PYTHON_3_13',
    ),
    expect.stringContaining('has no folder backend/'),
    expect.stringContaining('has no folder site-packages/'),
  ]);
});

// As jsii sets it.
test.each([
  ['Python/3.13.0', 'set environment={"ADMIN_PASSWORD": "unused"}', 'set runtime=lambda_.Runtime.PYTHON_3_13'],
  ['Java/21.0.4', 'set environment = ADMIN_PASSWORD "unused"', 'set runtime = Runtime.PYTHON_3_13'],
  ['DotNet/8.0.8/8.0.8/1.142.0', 'set environment = ADMIN_PASSWORD "unused"', 'set runtime = Runtime.PYTHON_3_13'],
  ['go1.23.1/linux/amd64', 'set environment = ADMIN_PASSWORD "unused"', 'set runtime = Runtime.PYTHON_3_13'],
])('problems in a CDK app that %s runs are not worded for TypeScript', (agent, environment, runtime) => {
  process.env.JSII_AGENT = agent;
  try {
    const { errors } = findings({ runtime: lambda.Runtime.PYTHON_3_10, environment: { ADMIN_PASSWORD: 'x' } });
    expect(errors.join('\n')).toContain(environment);
    expect(errors.join('\n')).toContain(`and runtime is python3.10: ${runtime}`);
  } finally {
    delete process.env.JSII_AGENT;
  }
});

test.each<[string, Partial<AlembicMigrationProps>, string]>([
  ['lock timeout', { limits: { lockTimeout: Duration.minutes(2) } }, 'the lock timeout is 2 minutes'],
  ['lock timeout that nobody set', {}, 'the lock timeout is 5 seconds'],
  ['lock retry', { limits: { lockRetry: Duration.minutes(2) } }, 'the lock retry is 2 minutes'],
  ['mutex wait', { limits: { mutexWait: Duration.minutes(2) } }, 'the mutex wait is 2 minutes'],
  ['connect retry', { limits: { connectRetry: Duration.minutes(2) } }, 'the connect retry is 2 minutes'],
])('a %s that is not shorter than the timeout is rejected', (_, props, problem) => {
  const timeout = Duration.seconds('limits' in props ? 120 : 5);
  const { errors } = findings({ ...props, timeout });
  expect(errors).toEqual([expect.stringContaining(problem)]);
  expect(errors[0]).toContain('the function would end before it could report what it waited for');
});

test('a Python that is too old for the runner is rejected', () => {
  const code = MigrationCode.fromDirectory(temporaryDirectory());
  expect(findings({ code, runtime: lambda.Runtime.PYTHON_3_10 }).errors[0]).toMatch(
    /and runtime is python3\.10: set runtime: lambda/,
  );
});

test('endBlockers without any session to end is rejected', () => {
  const { errors } = findings({ limits: { endBlockers: { roles: [] } } });
  expect(errors).toEqual(['endBlockers of the limits names no session: list database roles or application names']);
});

test('without runOnDeploy the function may take as long as Lambda allows, and no longer', () => {
  expect(findings({ runOnDeploy: false, timeout: Duration.minutes(15) }).errors).toEqual([]);
  expect(findings({ timeout: Duration.minutes(15) }).errors).toEqual([
    expect.stringContaining('a deploy can wait for 14 minutes'),
  ]);
  expect(findings({ runOnDeploy: false, timeout: Duration.minutes(16) }).errors).toEqual([
    expect.stringContaining('the timeout is 16 minutes, but Lambda allows 15 minutes'),
  ]);
});

describe('in a region whose certificate authorities are not packaged', () => {
  const elsewhere = { env: { region: 'ap-nowhere-1' } };
  const withSecret =
    (environment = {}): Options =>
    (stack) => {
      const secret = Secret.fromSecretNameV2(stack, 'Secret', 'database');
      return { environment, database: MigrationDatabase.fromSecret(secret, { variables: DatabaseVariables.url() }) };
    };

  test('a warning says which certificates to add, and where', () => {
    expect(findings(withSecret(), elsewhere).warnings).toEqual([
      expect.stringMatching(/do not cover RDS in ap-nowhere-1.*ap-nowhere-1-bundle\.pem into the backend.*PGSSLROOTCERT/),
    ]);
  });

  test.each<[string, Options, StackProps]>([
    ['a known region', withSecret(), { env: { region: 'eu-central-1' } }],
    ['a region that is known only at deploy time', withSecret(), {}],
    ['certificates of the user', withSecret({ PGSSLROOTCERT: '/var/task/backend/rds.pem' }), elsewhere],
    ['another mode', withSecret({ PGSSLMODE: 'require' }), elsewhere],
    ['an address from the environment', {}, elsewhere],
  ])('%s has no warning', (_, options, stack) => {
    expect(findings(options, stack).warnings).toEqual([]);
  });
});

test('a mistake is reported instead of thrown, so the rest of the app is still checked', () => {
  expect(() => migrationStack({ stage: '' })).not.toThrow();
});

test.each([
  ['a URL', { DATABASE_URL: 'postgresql+asyncpg://app:hunter2@db:5432/app' }],
  ['a variable for passwords', { POSTGRES_PASSWORD: 'hunter2' }],
  ['a variable of libpq', { PGPASSWORD: 'hunter2' }],
])('a password in %s is rejected, and the error does not repeat it', (_, environment) => {
  const { errors } = findings({ environment });
  expect(errors).toEqual([expect.stringContaining(`${Object.keys(environment)[0]} holds a password`)]);
  expect(errors.join()).not.toContain('hunter2');
});

test('a secret that CloudFormation would resolve into a variable is a warning, and a secure string that it does not resolve an error', () => {
  const { errors, warnings } = findings((stack) => ({
    environment: {
      SHOP_KEY: SecretValue.ssmSecure('/shop/key').unsafeUnwrap(),
      SHOP_URL: `https://shop:${new Secret(stack, 'Secret').secretValueFromJson('key').unsafeUnwrap()}@shop`,
      SHOP_ZONE: StringParameter.valueForStringParameter(stack, '/shop/zone'),
    },
  }));
  expect(errors).toEqual([expect.stringContaining('SHOP_KEY is a secure string of the Parameter Store')]);
  expect(warnings.filter((warning) => warning.includes('SHOP_'))).toEqual([
    expect.stringMatching(
      /^CloudFormation writes the secret of the environment variable SHOP_URL into .*MigrationDatabase\.fromSecret/,
    ),
  ]);
});

test.each([
  ['a URL without a password', { DATABASE_URL: 'postgresql://app@db/app' }],
  ['an empty password', { POSTGRES_PASSWORD: '' }],
  ['a URL with a colon further on', { SITE: 'https://example.org/a:b@c' }],
])('%s is accepted', (_, environment) => expect(findings({ environment }).errors).toEqual([]));

test.each(['MY-VAR', '_TOKEN', 'A', '1ST', ''])('the variable name %j, which Lambda rejects, is rejected', (name) => {
  expect(findings({ environment: { [name]: 'x', APP_ENV: 'prod' } }).errors).toEqual([
    `${JSON.stringify(name)} in environment is no name that Lambda accepts: use two or more letters, digits and underscores, with a letter first`,
  ]);
});

test('a variable that the function fills with the address is a warning', () => {
  const warningsFor = (environment: Record<string, string>) =>
    findings((stack) => ({
      environment,
      database: MigrationDatabase.fromSecret(new Secret(stack, 'Secret'), { variables: DatabaseVariables.url() }),
    })).warnings.filter((warning) => warning.includes('in environment'));
  expect(warningsFor({ APP_ENV: 'prod', postgresql: 'x' })).toEqual([]);
  expect(warningsFor({ DATABASE_URL: 'postgresql://app@db/app', APP_ENV: 'prod' })).toEqual([
    expect.stringMatching(
      /^DATABASE_URL in environment has no effect, because the function fills it with the address of database/,
    ),
  ]);
});

/** An error of packaging as synth shows it. */
function withCode(code: string, text: string): string {
  return `${code}: ${text} (https://cdk-alembic.github.io/cdk-alembic/packaging-errors.html#${code})`;
}

test('a missing directory is named', () => {
  const gone = join(temporaryDirectory(), 'back');
  for (const code of [MigrationCode.fromProject(gone), MigrationCode.fromDirectory(gone), MigrationCode.fromImage(gone)]) {
    expect(findings({ code }).errors).toEqual([
      withCode('backend_not_found', `${gone} is not a directory: pass the backend's folder`),
    ]);
  }
});

test('a file in place of a directory is named', () => {
  const file = join(writeFiles(temporaryDirectory(), { 'alembic.ini': '' }), 'alembic.ini');
  expect(findings({ code: MigrationCode.fromProject(file) }).errors).toEqual([
    withCode('backend_not_found', `${file} is not a directory: pass the backend's folder`),
  ]);
});

test('a pyproject.toml that is not TOML is named', () => {
  const directory = writeFiles(temporaryDirectory(), { 'pyproject.toml': 'name =\n', 'database.txt': '' });
  for (const options of [{}, { requirements: ['database.txt'] }]) {
    expect(findings({ code: MigrationCode.fromProject(directory, options) }).errors).toEqual([
      expect.stringContaining(`invalid_file: ${join(directory, 'pyproject.toml')} can't be read as TOML: `),
    ]);
  }
});

test('a directory without an Alembic project is rejected', () => {
  const code = laidOutBackend();
  rmSync(join(code, 'backend', 'alembic.ini'));
  expect(findings({ code: MigrationCode.fromDirectory(code) }).errors).toEqual([
    expect.stringMatching(
      /^no_alembic_config: .* holds no Alembic project: no alembic\.ini and no \[tool\.alembic\] in pyproject\.toml/,
    ),
  ]);
});

test('several heads are rejected with their names and the command that merges them', () => {
  const code = laidOutBackend({ 'backend/alembic/versions/c3.py': revisionFile('c3', 'a1') });
  const { errors } = findings({ code: MigrationCode.fromDirectory(code) });
  expect(errors).toEqual([
    expect.stringMatching(
      /^invalid_revisions: .* have 2 heads: b2 \(b2\.py\), c3 \(c3\.py\)\. Merge them there with "alembic merge -m 'merge heads' b2 c3"/,
    ),
  ]);
});

test('a project without any revision can be deployed, with a warning', () => {
  const code = writeFiles(temporaryDirectory(), {
    'backend/alembic.ini': '[alembic]\nscript_location = alembic\n',
    'backend/alembic/env.py': '',
    'site-packages/alembic/__init__.py': '',
    'site-packages/alembic/config.py': 'Config = None\n',
  });
  const { errors, warnings } = findings({ code: MigrationCode.fromDirectory(code) });
  expect(errors).toEqual([]);
  expect(warnings).toEqual([expect.stringContaining('has no revisions yet')]);
});

test('a project for another Python is rejected with the runtime to set', () => {
  const code = writeFiles(temporaryDirectory(), {
    'pyproject.toml': '[project]\nname = "back"\nversion = "1"\nrequires-python = ">=3.12,<3.13"\n',
    'alembic.ini': '[alembic]\nscript_location = alembic\n',
    'alembic/env.py': '',
    'alembic/versions/a1.py': revisionFile('a1', null),
  });
  const { errors } = findings({ code: MigrationCode.fromProject(code), runtime: lambda.Runtime.PYTHON_3_13 });
  expect(errors).toEqual([
    withCode(
      'unsupported_python',
      `${code}/pyproject.toml requires Python >=3.12,<3.13 and the function runs 3.13: set runtime: lambda.Runtime.PYTHON_3_12`,
    ),
  ]);
});

test('a project without dependencies is rejected', () => {
  const code = writeFiles(temporaryDirectory(), {
    'alembic.ini': '[alembic]\nscript_location = alembic\n',
    'alembic/env.py': '',
    'alembic/versions/a1.py': revisionFile('a1', null),
  });
  expect(findings({ code: MigrationCode.fromProject(code) }).errors).toEqual([
    expect.stringContaining(`no_dependencies: ${code} has no uv.lock, poetry.lock, pdm.lock`),
  ]);
});

test('a monorepo is rejected with the folders that have a configuration and dependencies', () => {
  const backend = { 'alembic.ini': '[alembic]\nscript_location = alembic\n', 'alembic/env.py': '', 'poetry.lock': '' };
  const below = (folder: string, files: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(files).map(([path, text]) => [`${folder}/${path}`, text]));
  const code = writeFiles(temporaryDirectory(), {
    ...below('api', backend),
    ...below('deploy/files', { 'alembic.ini': '[alembic]\nscript_location = shop:alembic\n' }),
  });
  const { errors } = findings({ code: MigrationCode.fromProject(code) });
  expect(errors).toEqual([
    expect.stringMatching(
      /^no_dependencies: .*, so its dependencies are unknown: pass \/.*\/api, which has them and an alembic\.ini \(/,
    ),
  ]);
  writeFiles(code, below('jobs', backend));
  expect(findings({ code: MigrationCode.fromProject(code) }).errors).toEqual([
    expect.stringContaining(`: pass one of the folders that have them and an alembic.ini: ${code}/api, ${code}/jobs (`),
  ]);
});

describe('without uv', () => {
  const { PATH, UV } = process.env;
  beforeEach(() => Object.assign(process.env, { UV: '/nowhere/uv' }));
  afterEach(() => {
    Object.assign(process.env, { PATH });
    if (UV === undefined) delete process.env.UV;
    else process.env.UV = UV;
  });

  test('the error says how to install it', () => {
    const code = writeFiles(temporaryDirectory(), {
      'pyproject.toml': '[project]\nname = "x"\nversion = "1"\n',
      'uv.lock': '',
      'alembic.ini': '[alembic]\nscript_location = alembic\n',
      'alembic/env.py': '',
      'alembic/versions/a1.py': revisionFile('a1', null),
    });
    const { errors } = findings({ code: MigrationCode.fromProject(code) });
    expect(errors).toEqual([
      expect.stringMatching(/^uv_not_found: uv is needed .* "\/nowhere\/uv" could not be run: install it .*"pip install uv"/),
    ]);
  });
});

test('fromIamAuth requires exactly one database', () => {
  const database = MigrationDatabase.fromIamAuth({ user: 'migrator', databaseName: 'app', variables: DatabaseVariables.url() });
  expect(findings({ database }).errors).toEqual([expect.stringContaining('exactly one of cluster, instance and proxy')]);
});

test('a password that the backend requires but migrations do not use can be set to "unused"', () => {
  expect(findings({ environment: { ADMIN_PASSWORD: 'unused' } }).errors).toEqual([]);
});
