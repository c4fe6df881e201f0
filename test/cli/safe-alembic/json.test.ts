import Ajv from 'ajv';
import { withPostgresServer } from '../../../lib/local/postgres/server';
import packageJson from '../../../package.json';
import reviewSchema from '../../../schema/review.json';
import schema from '../../../schema/safe-alembic.json';
import { useTestBed } from '../../local/installed-command';

const bed = useTestBed();

const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });
const validate = ajv.compile(schema);
const validateReview = ajv.compile(reviewSchema);

/** Runs with `--json`; what comes out must be one document of the schema, with the process's exit code. */
async function document(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Record<string, unknown>> {
  const { code, stdout } = await bed.start([...args, '--json'], env).ended;
  const printed = JSON.parse(stdout);
  validate(printed);
  expect(validate.errors ?? []).toEqual([]);
  expect(printed.exitCode).toBe(code);
  return printed;
}

test('every verb prints one document that matches the schema in the package', async () => {
  await withPostgresServer(__dirname, async (server) => {
    const env = { DATABASE_URL: server.url().replace('postgresql:', 'postgresql+psycopg:') };
    bed.project.models(['sa.Column("email", sa.Text())']);
    const { created, review } = (await document(['create', 'Add email to users'])) as {
      created: { revision: string; files: string[] };
      review: object;
    };
    validateReview(review);
    expect(validateReview.errors ?? []).toEqual([]);
    expect(created.files).toHaveLength(1);
    const head = created.revision;

    expect(await document(['current'], env)).toMatchObject({ command: 'current', status: 'pending', from: [] });
    expect(await document(['apply'], env)).toMatchObject({ command: 'upgrade', status: 'complete', to: [head] });
    expect(await document(['history'], env)).toMatchObject({ history: 1, graph: { heads: [head] }, database: [head] });
    expect(await document(['verify'], env)).toMatchObject({ verify: 1, exitCode: 0 });
  });
});

test('a failure is a document that matches the same schema', async () => {
  expect(await document(['create', 'fix'])).toMatchObject({ status: 'failed', error: { code: 'vague_description' } });
  expect(await document(['apply', '--no-such-option'])).toMatchObject({ error: { code: 'invalid_usage' } });
  expect(await document(['current'])).toMatchObject({ error: { code: 'database_unreachable' }, exitCode: 4 });
  expect(await document(['verify'])).toMatchObject({
    checks: [{ check: 'at-head', passed: false }, {}, {}, {}, {}],
    exitCode: 1,
  });
});

test.each([
  ['a document of no verb', { exitCode: 0 }],
  ['a version that is not known', { verify: 2, checks: [], exitCode: 0 }],
  ['a check that does not exist', { verify: 1, checks: [{ check: 'luck', passed: true, what: '', reasons: [] }], exitCode: 0 }],
  ['a created revision without its files', { create: 1, created: { revision: 'a1', file: 'a1.py', left: [] }, exitCode: 0 }],
])('the schema rejects %s', (_, printed) => {
  expect(validate(printed)).toBe(false);
});

test('the schema can be imported from the package', () => {
  expect(packageJson.exports['./schema/safe-alembic.json']).toBe('./schema/safe-alembic.json');
});
