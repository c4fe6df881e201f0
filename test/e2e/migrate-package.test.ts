import { readFileSync } from 'node:fs';
import path from 'node:path';
import { CreateFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import Ajv from 'ajv';
import { clientOptions, copySampleBackend, projectDirectory } from '../../examples/local-aws';
import schema from '../../schema/migrate-package.json';
import { useLocalAws } from './use-local-aws';

const validate = new Ajv().compile(schema);

/* A function without the CDK: packaged by migrate-package, created through Lambda's API, run by migrate-invoke. */

const shared = useLocalAws(async (aws) => ({
  backend: await copySampleBackend(aws, 'back'),
  secretArn: await aws.createDatabaseWithSecret('shop_prod'),
}));

/** The sample's. */
const VARIABLES = {
  host: 'POSTGRES_HOST',
  port: 'POSTGRES_PORT',
  user: 'POSTGRES_USER',
  password: 'POSTGRES_PASSWORD',
  database: 'POSTGRES_DB',
};

/** Packages the backend with nothing cached from an earlier run. Returns what is printed. */
async function packaged(name: string) {
  const { aws, prepared } = shared;
  const output = path.join(aws.folder, name);
  const { code, stdout, stderr } = await aws.run(
    process.execPath,
    [
      ...[path.join(projectDirectory, 'dist/bin/migrate-package.js'), prepared.backend.directory],
      ...['--output', output, '--architecture', aws.architecture, '--python', aws.pythonVersion],
      ...Object.entries(VARIABLES).flatMap(([part, variable]) => ['--database-variable', `${part}=${variable}`]),
    ],
    { env: { ...aws.env, XDG_CACHE_HOME: path.join(aws.folder, `cache-${name}`) } },
  );
  expect([code, stderr]).toEqual([0, '']);
  const document = JSON.parse(stdout);
  validate(document);
  expect(validate.errors ?? []).toEqual([]);
  return document;
}

test('the same backend gives the same bytes, and a function that migrates', async () => {
  const { aws, prepared } = shared;
  const made = await packaged('one.zip');
  const again = await packaged('two.zip');
  const zip = readFileSync(made.package);
  expect(zip.equals(readFileSync(again.package))).toBe(true);
  expect([again.sha256, made.bytes]).toEqual([made.sha256, zip.length]);

  const { handler, runtime, architectures, memorySize, timeout, environment } = made.function;
  const [[variable, example]] = Object.entries(environment) as [[string, string]];
  const settings = JSON.parse(example);
  Object.assign(settings.database, { secretArn: prepared.secretArn });
  await new LambdaClient(clientOptions(aws.ministack.url)).send(
    new CreateFunctionCommand({
      FunctionName: 'shop-api-migrate-lambda-prod',
      Role: 'arn:aws:iam::000000000000:role/migrate',
      Code: { ZipFile: zip },
      Handler: handler,
      Runtime: runtime,
      Architectures: architectures,
      MemorySize: memorySize,
      Timeout: timeout,
      Environment: { Variables: { [variable]: JSON.stringify(settings) } },
    }),
  );

  const command = path.join(projectDirectory, 'dist/bin/migrate-invoke.js');
  const run = await aws.run(process.execPath, [command, '--app-name', 'shop', '--stage', 'prod']);
  expect([run.code, run.output]).toEqual([0, expect.stringContaining('applied')]);
  const rows = (sql: string) => aws.postgres.query('shop_prod', sql);
  expect(await rows('SELECT version_num FROM alembic_version')).toEqual([{ version_num: prepared.backend.revisions().at(-1) }]);
  expect(await rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename = 'users'")).toHaveLength(1);
});
