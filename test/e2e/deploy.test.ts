import { LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { clientOptions, copySampleBackend, createSampleStage, type NewMigration } from '../../examples/local-aws';
import { functionName } from '../../lib/contract';
import { ADD_PHONE } from './add-phone';
import { mustSucceed, useLocalAws } from './use-local-aws';

const ADD_AGE: NewMigration = {
  revision: 'e2e000000002',
  message: 'Add age to users',
  upgrade: ['op.add_column("users", sa.Column("age", sa.Integer()))'],
};
const REQUIRE_COUNTRY: NewMigration = {
  revision: 'e2e000000003',
  message: 'Require country of users',
  upgrade: [
    'op.create_table("countries", sa.Column("code", sa.String(2), primary_key=True))',
    'op.add_column("users", sa.Column("country", sa.String(2), nullable=False))',
  ],
};
const REPAIRED: NewMigration = {
  ...REQUIRE_COUNTRY,
  upgrade: ['op.add_column("users", sa.Column("country", sa.String(2), nullable=False, server_default="DE"))'],
};

describe('cdk deploy', () => {
  // The tests tell one story: each deploys on what the one before has left.
  const shared = useLocalAws(async (aws) => {
    const backend = await copySampleBackend(aws, 'back');
    return { backend, dev: await createSampleStage(aws, 'dev', backend) };
  });

  const emails = async (): Promise<unknown[]> =>
    (await shared.prepared.dev.rows('SELECT email FROM users ORDER BY 1')).map((r) => r.email);

  const functions = async (): Promise<(string | undefined)[]> => {
    const lambda = new LambdaClient(clientOptions(shared.aws.ministack.url));
    const { Functions = [] } = await lambda.send(new ListFunctionsCommand({}));
    return Functions.map(({ FunctionName }) => FunctionName);
  };

  it('brings an empty database to head and reports from, to and the number of revisions', async () => {
    const { dev, backend } = shared.prepared;
    expect(await dev.tables()).toEqual([]);

    const result = await dev.deploy();

    mustSucceed(result);
    const revisions = backend.revisions();
    expect(await dev.version()).toEqual(revisions.slice(-1));
    expect(await dev.tables()).toEqual(['items', 'notifications', 'projects', 'users']);
    expect(await dev.columns('users')).toEqual(['id', 'email', 'created_at', 'full_name']);
    expect(await functions()).toContain(functionName('template-saas', 'dev'));
    expect(result.output).toContain(`= ${revisions.at(-1)}`);
    expect(result.output).toContain(`= ${revisions.length}`);
  });

  it('applies the migration that a release adds, and keeps the rows', async () => {
    const { dev, backend } = shared.prepared;
    await dev.rows("INSERT INTO users (email, full_name) VALUES ('ada@example.com', 'Ada')");
    backend.writeMigration(ADD_PHONE);

    const result = await dev.deploy();

    mustSucceed(result);
    expect(await dev.version()).toEqual([ADD_PHONE.revision]);
    expect(await dev.columns('users')).toContain('phone');
    expect(await emails()).toEqual(['ada@example.com']);
  });

  it('runs nothing if nothing has changed', async () => {
    const { dev, backend } = shared.prepared;
    // Any run would now try to add the column a second time, and fail.
    const [previous] = backend.revisions().slice(-2);
    await dev.rows('UPDATE alembic_version SET version_num = $1', [previous]);

    const result = await dev.deploy();

    mustSucceed(result);
    expect(await dev.version()).toEqual([previous]);
    await dev.rows('UPDATE alembic_version SET version_num = $1', [ADD_PHONE.revision]);
  });

  it('fails if a migration fails, names the revision and the reason, and keeps earlier revisions', async () => {
    const { dev, backend } = shared.prepared;
    backend.writeMigration(ADD_AGE);
    backend.writeMigration(REQUIRE_COUNTRY);

    const { code, output } = await dev.deploy();

    expect(code).toBe(1);
    expect(output).toContain(REQUIRE_COUNTRY.revision);
    expect(output).toContain('migration_failed');
    expect(output).toContain('column "country" of relation "users" contains null values');
    expect(output).not.toContain(shared.aws.postgres.password);
    expect(await dev.version()).toEqual([ADD_AGE.revision]);
    expect(await dev.columns('users')).toEqual(expect.arrayContaining(['age']));
    expect(await dev.columns('users')).not.toContain('country');
    // The failed revision's first statement is rolled back too.
    expect(await dev.tables()).not.toContain('countries');
    expect(await emails()).toEqual(['ada@example.com']);
  });

  it('continues where it stopped after the migration is fixed', async () => {
    const { dev, backend } = shared.prepared;
    backend.writeMigration(REPAIRED);

    const result = await dev.deploy();

    mustSucceed(result);
    expect(await dev.version()).toEqual([REQUIRE_COUNTRY.revision]);
    expect(await dev.rows('SELECT email, country FROM users')).toEqual([{ email: 'ada@example.com', country: 'DE' }]);
  });

  it('leaves the database unchanged when the stack is destroyed', async () => {
    const { dev } = shared.prepared;
    const before = [await dev.version(), await dev.tables(), await dev.rows('SELECT * FROM users')];

    mustSucceed(await dev.destroy());

    expect([await dev.version(), await dev.tables(), await dev.rows('SELECT * FROM users')]).toEqual(before);
    expect(await functions()).not.toContain(functionName('template-saas', 'dev'));
  });
});
