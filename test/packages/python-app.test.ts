import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUNDLING_STACKS } from 'aws-cdk-lib/cx-api';
import cdkJson from '../../examples/template-saas-python-cdk/cdk.json';
import { SAMPLES, sample } from '../constructs/sample-stack';
import { PYTHON_APP, pythonCdk } from './cdk-alembic';

let env: NodeJS.ProcessEnv;
let folder: string;
beforeAll(async () => {
  env = await pythonCdk();
  folder = mkdtempSync(join(tmpdir(), 'python-app-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the sample's app in Python as the CDK's command line does; nothing is packaged. */
function python(context: Record<string, unknown>, outdir = join(folder, 'unused')) {
  const all = { ...cdkJson.context, ...context, [BUNDLING_STACKS]: [] };
  const variables = { CDK_CONTEXT_JSON: JSON.stringify(all), CDK_OUTDIR: outdir };
  return spawnSync('python3', ['app.py'], { cwd: PYTHON_APP, env: { ...env, ...variables }, encoding: 'utf8' });
}

/** Without metadata, which says for the CDK's statistics which language was used. */
function resourcesOf(template: { readonly Resources: Record<string, Record<string, unknown>> }) {
  const { CDKMetadata: _, ...resources } = template.Resources;
  return Object.fromEntries(Object.entries(resources).map(([id, { Metadata: __, ...resource }]) => [id, resource]));
}

/** A stage with a database of its own and one with a database that exists; in the soak tests, both stages with both. */
const COMPARED = process.env.APPS === 'all' ? SAMPLES : SAMPLES.filter((_, index) => index % 3 === 0);

test.each(COMPARED)('the app in Python deploys the same resources as the one in TypeScript: %j', (context) => {
  const outdir = join(folder, JSON.stringify(Object.keys(context)) + context.stage);
  const { status, stderr } = python(context, outdir);
  expect([status, stderr]).toEqual([0, '']);
  const template = JSON.parse(readFileSync(join(outdir, `template-saas-${context.stage}.template.json`), 'utf8'));
  expect(resourcesOf(template)).toEqual(resourcesOf(sample(context).template.toJSON() as typeof template));
});

test('a missing stage is an error of one sentence', () => {
  const { status, stderr } = python({});
  expect([status, stderr]).toEqual([1, 'set the stage with -c stage=<stage>: dev, prod\n']);
});
