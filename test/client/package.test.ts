import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { cdkAlembic } from '../packages/cdk-alembic';
import { answer, applied, failure } from '../support/aws/answers';
import { awsEnvironment } from '../support/aws/environment';
import { StageAws } from '../support/aws/stage';

/* The client as an application gets it: the published package in another project. */

const root = resolve(__dirname, '../..');
const tsc = [resolve(root, 'node_modules/typescript/bin/tsc')];
const run = promisify(execFile);
let consumer: string;

beforeAll(async () => {
  consumer = mkdtempSync(join(tmpdir(), 'package-'));
  const modules = join(consumer, 'node_modules');
  cpSync((await cdkAlembic()).npm, join(modules, 'cdk-alembic'), { recursive: true });
  for (const name of ['@aws-sdk', '@types']) symlinkSync(join(root, 'node_modules', name), join(modules, name));
});

afterAll(() => rmSync(consumer, { recursive: true }));

/** What TypeScript says of files in another project; empty: nothing. */
function problems(files: Readonly<Record<string, string>>): string {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(consumer, name), text);
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--types', 'node', '--ignoreConfig'];
  try {
    execFileSync(process.execPath, [...tsc, ...options, ...Object.keys(files)], { cwd: consumer, encoding: 'utf8' });
    return '';
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}

const USES_TYPES = `
const client = new MigrateClient({ stage: 'dev' });
async function all(): Promise<void> {
  const plan: MigrateAnswer = await client.plan({ revision: '+1', sql: true });
  const reason: string | undefined = plan.sql?.[0]?.reason;
  const { atHead }: { atHead: boolean } = await client.check();
  await client.upgrade({ signal: new AbortController().signal, onProgress: (slice: MigrateAnswer) => slice.applied, lockSeconds: 1 });
  await client.downgrade({ revision: '-1' });
  await client.stamp({ revision: 'head' });
  const runs = (await client.history()).runs?.[0]?.outcome;
  const error: unknown = new Error();
  if (error instanceof MigrateError) {
    const facts: [string | undefined, string | undefined, readonly string[]] = [error.revision, error.sqlState, error.log];
    const code: FailureCode = error.code;
  }
  // @ts-expect-error a downgrade needs its revision
  await client.downgrade({});
  // @ts-expect-error there is no such option
  await client.upgrade({ revisions: 'head' });
}
`;
const NAMES = '{ MigrateClient, MigrateError, type FailureCode, type MigrateAnswer }';

describe('the types', () => {
  test('are ESM for import and CommonJS for require', () => {
    const files = {
      'esm.mts': `import ${NAMES} from 'cdk-alembic/client';${USES_TYPES}export { all };`,
      'cjs.cts': `import ${NAMES} from 'cdk-alembic/client';${USES_TYPES}export { all };`,
      'required.cts': `import client = require('cdk-alembic/client');\nexport const made: client.MigrateClient = new client.MigrateClient({ stage: 'dev' });`,
    };
    expect(problems(files)).toBe('');
  });

  test('compile every example of the documentation', () => {
    const page = readFileSync(join(root, 'docs/client.md'), 'utf8');
    const examples = Array.from(page.matchAll(/^```ts\n(.*?)^```/gms), ([, code]) => code as string);
    expect(examples.length).toBeGreaterThan(4);
    expect(problems(Object.fromEntries(examples.map((code, index) => [`example-${index}.mts`, code])))).toBe('');
  });

  test('reject wrong code', () => {
    expect(problems({ 'wrong.mts': "import { MigrateClients } from 'cdk-alembic/client';" })).toContain('MigrateClients');
  });
});

describe('the package at run time', () => {
  let aws: StageAws;
  afterEach(() => aws?.stop());

  const program = (load: string) => `
    ${load}
    const client = new MigrateClient({ stage: 'dev' });
    client.upgrade().then(
      ({ applied }) => console.log('applied', applied.length),
      (error) => console.log(error instanceof MigrateError, error.code, error.revision),
    ).finally(() => client.destroy());`;

  test.each([
    ['mjs', "import { MigrateClient, MigrateError } from 'cdk-alembic/client';"],
    ['cjs', "const { MigrateClient, MigrateError } = require('cdk-alembic/client');"],
    // The error's class comes by one way and the client by the other.
    [
      'mixed.mjs',
      "import { createRequire } from 'node:module';\nimport { MigrateError } from 'cdk-alembic/client';\n" +
        "const { MigrateClient } = createRequire(import.meta.url)('cdk-alembic/client');",
    ],
  ])('migrates when loaded as %s, and its errors are instances of MigrateError', async (name, load) => {
    aws = await StageAws.start((_, call) =>
      call === 1 ? { answer: answer({ applied: [applied('b2')] }) } : { failure: failure({ revision: 'c3' }) },
    );
    const file = join(consumer, `run.${name}`);
    writeFileSync(file, program(load));
    const env = { PATH: process.env.PATH, ...awsEnvironment(aws.url) };
    expect((await run(process.execPath, [file], { env })).stdout).toBe('applied 1\n');
    expect((await run(process.execPath, [file], { env })).stdout).toBe('true migration_failed c3\n');
  });

  test('contains the schema of the output of the command', async () => {
    writeFileSync(join(consumer, 'schema.cjs'), "console.log(require('cdk-alembic/schema/migrate-invoke.json').title);");
    const { stdout } = await run(process.execPath, [join(consumer, 'schema.cjs')]);
    expect(stdout).toBe('What migrate-invoke --json prints\n');
  });
});
