import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { mustRun, neutralEnvironment, projectDirectory } from '../../examples/local-aws';
import { APP, appEnvironment, STACK, TOOLS } from './prepare';

/* The app of `npm run integ`, synthesized with this repository's CDK. Nothing here runs in AWS. */

const INTEG_TESTS = '@aws-cdk/integ-tests-alpha';
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'integ-'));
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }');
  const install = ['install', '--no-audit', '--no-fund', '--legacy-peer-deps', `${INTEG_TESTS}@${TOOLS[INTEG_TESTS]}`];
  await mustRun('npm', install, { env: neutralEnvironment(process.env), cwd: folder });
  for (const name of ['aws-cdk-lib', 'constructs']) {
    symlinkSync(path.join(projectDirectory, 'node_modules', name), path.join(folder, 'node_modules', name));
  }
  symlinkSync(projectDirectory, path.join(folder, 'node_modules', 'cdk-alembic'));
  cpSync(path.join(__dirname, APP), path.join(folder, APP));
  cpSync(path.join(projectDirectory, 'examples/template-saas/back'), path.join(folder, 'back'), { recursive: true });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DependsOn?: readonly string[];
}

interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
}

interface Synthesized {
  readonly testCases: readonly unknown[];
  readonly template: Template;
}

async function synthesized(failsLater: boolean): Promise<Synthesized> {
  const out = path.join(folder, failsLater ? 'fails' : 'out');
  mkdirSync(out);
  // Nothing is packaged.
  const context = JSON.stringify({ 'aws:cdk:bundling-stacks': [] });
  const env = { ...appEnvironment(folder, failsLater), CDK_OUTDIR: out, CDK_CONTEXT_JSON: context };
  await mustRun('node', [APP], { env, cwd: folder });
  const read = (file: string) => JSON.parse(readFileSync(path.join(out, file), 'utf8'));
  return { testCases: Object.values(read('integ.json').testCases), template: read(`${STACK}.template.json`) };
}

function resources(template: Template, type: string): Resource[] {
  return Object.values(template.Resources).filter(({ Type }) => Type === type);
}

test('integ-runner deploys one stack, runs the steps after it, and leaves nothing behind', async () => {
  const { testCases, template } = await synthesized(false);
  expect(testCases).toEqual([
    expect.objectContaining({ stacks: [STACK], hooks: { postDeploy: [expect.stringMatching(/tsx \S+steps\.ts \S+$/)] } }),
  ]);
  expect(resources(template, 'AWS::RDS::DBCluster')).toEqual([
    expect.objectContaining({ DeletionPolicy: 'Delete', Properties: expect.objectContaining({ DeletionProtection: false }) }),
  ]);
  const names = resources(template, 'AWS::Lambda::Function').map(({ Properties }) => Properties.FunctionName);
  expect(names).toContain('template-saas-api-migrate-lambda-integ');
  expect(resources(template, 'AWS::SSM::Parameter')).toEqual([]);
});

test('the failing resource is deployed after the migrations', async () => {
  const { template } = await synthesized(true);
  const [parameter] = resources(template, 'AWS::SSM::Parameter');
  expect(parameter?.DependsOn?.map((id) => template.Resources[id]?.Type)).toContain('Custom::AlembicMigration');
});
