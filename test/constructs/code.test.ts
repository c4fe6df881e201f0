import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { AlembicMigration, type AlembicMigrationProps, MigrationCode, MigrationDatabase } from '../../lib';
import { filesBelow, host, hostPython, lockedBackend, packageOf } from '../packaging/support';
import { testApp } from './app';
import { copyOf, revisionFile, temporaryDirectory, writeFiles } from './support';

/** Synthesizes into a directory, as the CDK's command does with cdk.out. */
function synth(code: MigrationCode, outdir = temporaryDirectory(), props: Partial<AlembicMigrationProps> = {}) {
  const app = testApp({ outdir });
  const stack = new Stack(app, 'Stack');
  new AlembicMigration(stack, 'Migration', { stage: 'dev', code, database: MigrationDatabase.fromEnvironment(), ...props });
  const assembly = app.synth();
  const artifact = assembly.getStackArtifact(stack.artifactId);
  const assets = JSON.parse(readFileSync(join(outdir, 'Stack.assets.json'), 'utf8'));
  const paths: string[] = Object.values<any>(assets.files).map(({ source }) => join(outdir, source.path));
  const packaged = paths.find((path) => existsSync(join(path, 'backend'))) ?? '';
  return { outdir, packaged, assets, resources: Object.values<any>(artifact.template.Resources), messages: artifact.messages };
}

describe('a uv project', () => {
  const { UV } = process.env;
  afterEach(() => {
    if (UV === undefined) delete process.env.UV;
    else process.env.UV = UV;
  });

  test('is packaged once per cdk.out, and again after a change', () => {
    const backend = lockedBackend();
    const folder = temporaryDirectory();
    const log = join(folder, 'log');
    writeFileSync(join(folder, 'uv'), `#!/bin/sh\necho "$1 $2" >> ${log}\nexec uv "$@"\n`, { mode: 0o755 });
    process.env.UV = join(folder, 'uv');
    const installs = () =>
      readFileSync(log, 'utf8')
        .split('\n')
        .filter((line) => line === 'pip install').length;

    const logs = (level: string) => ({ environment: { LOG_LEVEL: level } });
    const { outdir, packaged } = synth(MigrationCode.fromProject(backend), undefined, logs('info'));
    expect(filesBelow(packaged)).toContain('backend/alembic/versions/b2.py');
    expect(installs()).toBe(1);

    synth(MigrationCode.fromProject(copyOf(backend)), outdir, logs('info'));
    synth(MigrationCode.fromProject(copyOf(backend)), outdir, logs('debug'));
    expect(installs()).toBe(1);

    const changed = writeFiles(copyOf(backend), { 'alembic/versions/c3.py': revisionFile('c3', 'b2') });
    expect(synth(MigrationCode.fromProject(changed), outdir, logs('debug')).packaged).not.toBe('');
    expect(installs()).toBe(2);
  });

  test('that lacks a group keeps the given ones in the line to paste', () => {
    const groups = '[dependency-groups]\nweb = ["alembic"]\ndb = ["psycopg[binary]"]\n';
    const project = '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.11"\n';
    const backend = writeFiles(lockedBackend(), { 'pyproject.toml': `${project}${groups}` });
    rmSync(join(backend, 'uv.lock'));
    const { messages } = synth(MigrationCode.fromProject(backend, { groups: ['web'] }));
    const errors = messages.filter(({ level }) => level === 'error').map(({ entry }) => entry.data);
    expect(errors).toEqual([expect.stringMatching(/^no_driver: .* groups: \['web', 'db'\] /)]);
  });

  test('that cannot be installed is a clear error, and is not cached for the next synth', () => {
    const broken = writeFiles(lockedBackend(), { 'uv.lock': 'version = 999\n' });
    const first = synth(MigrationCode.fromProject(broken));
    const errors = (messages: typeof first.messages) =>
      messages.filter(({ level }) => level === 'error').map(({ entry }) => entry.data);
    expect(errors(first.messages)).toEqual([expect.stringMatching(/^uv_failed: "uv export" failed in /)]);
    expect(errors(synth(MigrationCode.fromProject(broken), first.outdir).messages)).toHaveLength(1);
  });
});

const runtime = new lambda.Runtime(`python${hostPython()}`, lambda.RuntimeFamily.PYTHON);

test('a project is loaded with those variables of the function that are known at synth', () => {
  const backend = writeFiles(lockedBackend(), {
    'alembic/env.py': 'import os\nif os.environ.get("PROFILER") != "off":\n    import profiler_of_the_team\n',
  });
  const errors = (environment: Record<string, string>) =>
    synth(MigrationCode.fromProject(backend), undefined, { runtime, environment })
      .messages.filter(({ level }) => level === 'error')
      .map(({ entry }) => entry.data);
  expect(errors({})).toEqual([
    expect.stringMatching(/imports profiler_of_the_team.* reads PROFILER, not set here \(https:\/\/.*#missing_module\)$/),
  ]);
  expect(errors({ PROFILER: 'off' })).toEqual([]);
});

test('a prepared directory is packaged unchanged, plus the runner', () => {
  const directory = temporaryDirectory();
  packageOf(lockedBackend(), host).build(directory);
  rmSync(join(directory, 'cdk_alembic'), { recursive: true });
  writeFiles(directory, { 'backend/tests/data.txt': 'kept' });
  const { packaged } = synth(MigrationCode.fromDirectory(directory), undefined, { runtime });
  expect(filesBelow(packaged)).toEqual(
    expect.arrayContaining(['backend/tests/data.txt', 'site-packages/alembic/__init__.pyc', 'cdk_alembic/handler.pyc']),
  );
});

describe('an image', () => {
  const directory = () =>
    writeFiles(temporaryDirectory(), {
      Dockerfile: 'FROM public.ecr.aws/lambda/python:3.13\nCOPY --from=cdk-alembic . ${LAMBDA_TASK_ROOT}/\n',
      'alembic.ini': '[alembic]\nscript_location = alembic\n',
      'alembic/env.py': '',
      'alembic/versions/a1.py': revisionFile('a1', null),
    });

  test('starts the runner on the architecture of the function', () => {
    const { assets, resources } = synth(MigrationCode.fromImage(directory(), { target: 'lambda', buildArgs: { A: '1' } }));
    const [image] = Object.values<any>(assets.dockerImages);
    expect(image.source).toMatchObject({ platform: 'linux/arm64', dockerBuildTarget: 'lambda', dockerBuildArgs: { A: '1' } });
    const fn = resources.find(({ Properties }) => Properties?.FunctionName);
    expect(fn.Properties).toMatchObject({ PackageType: 'Image', ImageConfig: { Command: ['cdk_alembic.handler.handler'] } });
  });

  test('gets the runner as a build context inside cdk.out, so cdk.out can be moved', () => {
    const { assets, outdir } = synth(MigrationCode.fromImage(directory()));
    const [{ source }] = Object.values<any>(assets.dockerImages) as [any];
    const context = source.dockerBuildContexts['cdk-alembic'];
    expect(context).toMatch(/^\.\./);
    const files = filesBelow(join(outdir, source.directory, context));
    expect(files).toContain('cdk_alembic/handler.py');
    expect(files.filter((file) => !file.endsWith('.py'))).toEqual(['cdk_alembic/rds-ca.pem']);
  });

  test('is checked for several heads like any other code', () => {
    const two = writeFiles(directory(), { 'alembic/versions/b1.py': revisionFile('b1', null) });
    const { messages } = synth(MigrationCode.fromImage(two));
    expect(messages.map(({ entry }) => entry.data)).toContainEqual(expect.stringContaining('have 2 heads'));
  });
});
