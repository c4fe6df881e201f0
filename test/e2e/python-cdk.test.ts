import { rmSync } from 'node:fs';
import path from 'node:path';
import { copySampleBackend, createSampleStage, type NewMigration } from '../../examples/local-aws';
import { PYTHON_APP, pythonCdk } from '../packages/cdk-alembic';
import { ADD_PHONE } from './add-phone';
import { mustSucceed, useLocalAws } from './use-local-aws';

const REQUIRE_COUNTRY: NewMigration = {
  revision: 'e2e000000003',
  message: 'Require country of users',
  upgrade: [
    'op.create_table("countries", sa.Column("code", sa.String(2), primary_key=True))',
    'op.add_column("users", sa.Column("country", sa.String(2), nullable=False))',
  ],
};

describe('cdk deploy of an app in Python', () => {
  // The tests tell one story: each deploys on what the one before has left.
  const shared = useLocalAws(async (aws) => {
    const backend = await copySampleBackend(aws, 'back');
    const app = { cwd: PYTHON_APP, env: await pythonCdk(aws.env) };
    return { backend, dev: await createSampleStage(aws, 'dev', backend, app) };
  });

  it('migrates a new database to the newest revision', async () => {
    const { dev, backend } = shared.prepared;

    mustSucceed(await dev.deploy());

    expect(await dev.version()).toEqual(backend.revisions().slice(-1));
    expect(await dev.tables()).toEqual(['items', 'notifications', 'projects', 'users']);
  });

  it('fails if a migration fails, shows the revision and the reason, and keeps earlier revisions and rows', async () => {
    const { dev, backend } = shared.prepared;
    await dev.rows("INSERT INTO users (email, full_name) VALUES ('ada@example.com', 'Ada')");
    backend.writeMigration(ADD_PHONE);
    backend.writeMigration(REQUIRE_COUNTRY);

    const { code, output } = await dev.deploy();

    expect(code).toBe(1);
    expect(output).toContain(REQUIRE_COUNTRY.revision);
    expect(output).toContain('column "country" of relation "users" contains null values');
    expect(output).not.toContain(shared.aws.postgres.password);
    expect(await dev.version()).toEqual([ADD_PHONE.revision]);
    expect(await dev.tables()).not.toContain('countries');
    expect(await dev.rows('SELECT email, phone FROM users')).toEqual([{ email: 'ada@example.com', phone: null }]);
  });

  it('ends with the error of the construct and no traceback if the backend cannot be packaged', async () => {
    const { dev, backend } = shared.prepared;
    rmSync(path.join(backend.directory, 'alembic.ini'));

    const { code, output } = await dev.deploy();

    expect(code).toBe(1);
    expect(output).toContain(`${backend.directory} holds no Alembic project`);
    expect(output).not.toContain('Traceback');
  });
});
