import { Template } from 'aws-cdk-lib/assertions';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { type AlembicMigration, DatabaseVariables, MigrationCode, MigrationDatabase } from '../../lib';
import { copyOf, laidOutBackend, migrationStack, type Options, resourcesOf, revisionFile, writeFiles } from './support';

const nothingLater = () => {};

function fingerprintOf(options: Options, later: (migration: AlembicMigration) => void = nothingLater): string {
  const { stack, migration } = migrationStack(options);
  later(migration);
  return resourcesOf(Template.fromStack(stack), 'Custom::AlembicMigration')[0]?.[1].Properties.Fingerprint;
}

const backend = laidOutBackend();
const code = MigrationCode.fromDirectory(backend);
const same = fingerprintOf({ code });

test('an unchanged deploy runs nothing', () => {
  expect(fingerprintOf({ code })).toBe(same);
  expect(fingerprintOf({ code: MigrationCode.fromDirectory(copyOf(backend)) })).toBe(same);
});

test('the order of variables does not matter', () => {
  expect(fingerprintOf({ code, environment: { A: '1', B: '2' } })).toBe(fingerprintOf({ code, environment: { B: '2', A: '1' } }));
});

const oneMore = MigrationCode.fromDirectory(
  writeFiles(copyOf(backend), { 'backend/alembic/versions/c3.py': revisionFile('c3', 'b2') }),
);

test.each<[string, Options, (migration: AlembicMigration) => void]>([
  ['a new revision', { code: oneMore }, nothingLater],
  ['an environment variable', { code, environment: { FEATURE: 'on' } }, nothingLater],
  ['memory', { code, memorySize: 1024 }, nothingLater],
  ['what is allowed', { code, allowDowngrade: true }, nothingLater],
  ['an environment variable that is added later', { code }, (migration) => migration.function.addEnvironment('FEATURE', 'on')],
  [
    'a permission that is added later',
    { code },
    (migration) =>
      migration.function.addToRolePolicy(new PolicyStatement({ actions: ['s3:GetObject'], resources: ['arn:aws:s3:::a/b'] })),
  ],
  [
    'another secret',
    (stack) => ({
      code,
      database: MigrationDatabase.fromSecret(new Secret(stack, 'Secret'), { variables: DatabaseVariables.url() }),
    }),
    nothingLater,
  ],
])('%s makes the next deploy run', (_, options, later) => {
  expect(fingerprintOf(options, later)).not.toBe(same);
});
