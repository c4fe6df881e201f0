import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Ajv from 'ajv';
import type { MigrateAnswer } from '../../../lib/contract';
import schema from '../../../schema/migrate-invoke.json';
import { ANSWERS, FAILURES } from '../../contract/samples';
import { answer, applied, failure } from '../../support/aws/answers';
import type { Reply } from '../../support/aws/lambda';
import { StageAws } from '../../support/aws/stage';
import { BuiltCommand } from '../built-command';
import { loss, oneByOne, planned } from '../planned';

let command: BuiltCommand;
let aws: StageAws;
const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(schema);

beforeAll(async () => {
  command = await BuiltCommand.build();
});
afterEach(() => aws?.stop());

interface JsonResult {
  readonly code: number | null;
  readonly document: Record<string, unknown>;
  readonly stderr: string;
}

/** Runs with `--json`; what comes out must be one document of the schema that tells the process's exit code. */
async function run(reply: ReturnType<typeof planned> | Reply, ...args: string[]): Promise<JsonResult> {
  aws = await StageAws.start(typeof reply === 'function' ? reply : () => reply);
  const { code, stdout, stderr } = await command.run(['--stage', 'dev', '--endpoint-url', aws.url, '--json', ...args]);
  const document = JSON.parse(stdout);
  mustFollowSchema(document);
  expect(document.exitCode).toBe(code);
  return { code, document, stderr };
}

function mustFollowSchema(document: unknown): void {
  validate(document);
  expect(validate.errors ?? []).toEqual([]);
}

const broken = failure({ revision: 'c3', sqlState: '42P07', statement: 'CREATE TABLE items' }, [applied('b2')]);

describe('--json', () => {
  test('a success is one document on stdout, and text for people goes to stderr', async () => {
    const { code, document, stderr } = await run(oneByOne());
    expect(code).toBe(0);
    expect(document).toMatchObject({
      command: 'upgrade',
      from: ['a1'],
      to: ['c3'],
      applied: [{ revision: 'b2' }, { revision: 'c3' }],
    });
    expect(stderr).toContain('✓ b2');
    expect(stderr).toContain('2 revisions applied');
  });

  test('a document that cannot be written is a failure, and applied revisions stay applied', async () => {
    aws = await StageAws.start(oneByOne());
    const where = ['--stage', 'dev', '--endpoint-url', aws.url];
    const { code, stderr } = await command.runOnFullDisk([...where, '--json']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/2 revisions applied.*x the result could not be written to stdout: ENOSPC/s);
    expect(stderr).toContain('the command itself ended with exit code 0\n');
  });

  test('with nothing to do, the document is that of an upgrade that applied nothing', async () => {
    const { document } = await run({ answer: answer({ command: 'plan' }) });
    expect(document).toMatchObject({ command: 'upgrade', status: 'complete', applied: [], to: ['c3'] });
  });

  test('a check names itself and says whether the database is at head', async () => {
    const { code, document } = await run(
      { answer: answer({ command: 'current', status: 'ahead', unknown: ['zz'] }) },
      '--command',
      'check',
    );
    expect([code, document]).toEqual([3, expect.objectContaining({ command: 'check', status: 'ahead', atHead: false })]);
  });

  test('a dry run has the SQL, or the reason why there is none', async () => {
    const sql = [
      { revision: 'b2', sql: 'SELECT 1' },
      { revision: 'c3', sql: null, reason: 'it reads the database' },
    ];
    const { document } = await run({ answer: answer({ command: 'plan', sql }) }, '--dry-run');
    expect(document).toMatchObject({ command: 'plan', sql });
  });

  test('a history has its revisions and runs', async () => {
    const { document } = await run({ answer: ANSWERS['a history'] }, '--command', 'history');
    expect(document).toMatchObject({ command: 'history' });
  });

  test.each([
    [ANSWERS.drift, 3],
    [ANSWERS['drift that is not known'], 3],
    [{ ...ANSWERS.drift, drift: { status: 'none', objects: [] } }, 0],
  ])('drift is a document with the matching exit code', async (given, exit) => {
    const { code, document } = await run({ answer: given as unknown as MigrateAnswer }, '--command', 'drift');
    expect([code, document.drift]).toEqual([exit, given.drift]);
    expect(aws.invokes).toEqual([{ command: 'drift' }]);
  });

  test('drift is also written as SARIF, each object as a logical location', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'drift-'));
    const file = join(folder, 'drift.sarif');
    await run({ answer: ANSWERS.drift as unknown as MigrateAnswer }, '--command', 'drift', '--sarif', file);
    const sarif = JSON.parse(readFileSync(file, 'utf8'));
    const valid = new Ajv({ allErrors: true, strict: false, validateFormats: false, unicodeRegExp: false }).compile(
      JSON.parse(readFileSync(join(__dirname, '../../review/reports/sarif-2.1.0.json'), 'utf8')),
    );
    valid(sarif);
    expect(valid.errors ?? []).toEqual([]);
    expect(sarif.runs[0].results).toEqual([
      expect.objectContaining({
        ruleId: 'drift-removed',
        locations: [{ logicalLocations: [{ fullyQualifiedName: 'index orders_user_id' }] }],
      }),
      expect.objectContaining({ ruleId: 'drift-added' }),
    ]);
    rmSync(folder, { recursive: true });
  });

  test('a failure is one document on stdout with all known details', async () => {
    const { code, document, stderr } = await run(planned({ failure: broken }));
    expect(code).toBe(1);
    expect(document).toEqual({ contract: 1, status: 'failed', exitCode: 1, error: broken.error, applied: broken.applied });
    expect(stderr).toContain('migration_failed');
  });

  test('a blocked run is a document with each place that destroys data', async () => {
    const dataLoss = [{ ...loss, revision: 'b2' }];
    const { document } = await run(planned({ failure: failure({ code: 'blocked', dataLoss }) }));
    expect(document.error).toMatchObject({ code: 'blocked', dataLoss });
  });

  test('a table that stayed locked is a document that names the holder', async () => {
    const blockers = [{ pid: 4711, role: 'app', state: 'idle in transaction' }];
    const { document } = await run(planned({ failure: failure({ code: 'lock_not_available', blockers }) }));
    expect(document.error).toMatchObject({ code: 'lock_not_available', blockers });
  });

  test('an unconfirmed run on a protected stage is a document', async () => {
    const { document } = await run(planned({ answer: answer() }, { protected: true }));
    expect(document).toMatchObject({ exitCode: 3, error: { code: 'declined' } });
  });

  test('an invalid command line is a document', async () => {
    const { code, stdout } = await command.run(['--json']);
    const document = JSON.parse(stdout);
    mustFollowSchema(document);
    expect([code, document]).toEqual([2, expect.objectContaining({ status: 'failed', exitCode: 2 })]);
    expect(document.error).toMatchObject({ code: 'invalid_usage', message: '--stage is missing' });
  });
});

describe('the schema in the package', () => {
  const { AnswerDocument: answerSchema } = schema.definitions;

  test('takes every answer and failure of the contract, and describes each of their keys', () => {
    for (const [name, example] of Object.entries<object>(ANSWERS)) {
      const known = Object.keys(answerSchema.properties);
      mustFollowSchema({ ...example, exitCode: 0 });
      const unknown = Object.keys(example).filter((key) => !known.includes(key));
      // One example shows that a newer runner may say more.
      if (!name.includes('newer')) expect([name, unknown]).toEqual([name, []]);
    }
    for (const example of Object.values<object>(FAILURES)) mustFollowSchema({ ...example, exitCode: 1 });
  });

  test.each([
    ['an answer without its exit code', answer()],
    ['a status that does not exist', { ...answer(), status: 'done', exitCode: 0 }],
    ['an unknown code', { ...failure(), exitCode: 1, error: { ...failure().error, code: 'oops' } }],
  ])('rejects %s', (_, document) => {
    expect(validate(document)).toBe(false);
  });
});
