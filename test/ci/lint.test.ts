import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { projectDirectory, run } from '../../examples/local-aws';
import { temporaryDirectory } from '../constructs/support';
import { actionFile, githubDirectory, gitlabDirectory, OWN_ACTION, readYaml, yamlFiles } from './files';
import { actionlint, validated } from './linters';

const WORKFLOWS = yamlFiles(githubDirectory);
const PIPELINES = yamlFiles(gitlabDirectory);
const name = (file: string): string => path.relative(projectDirectory, file);
const named = (files: readonly string[]): [string, string][] => files.map((file) => [name(file), file]);

/** A copy of a file with one mistake. */
function spoilt(file: string, from: string, to: string, name = path.basename(file)): string {
  const text = readFileSync(file, 'utf8');
  expect(text).toContain(from);
  const copy = path.join(temporaryDirectory(), name);
  writeFileSync(copy, text.replace(from, to));
  return copy;
}

// One run of the linter finds the mistake and nothing in the other files: it takes seconds to start.
test.each([
  ['the workflows', 'vendor.github-workflows', WORKFLOWS, 'migrate-by-hand.yml', 'runs-on:', 'run-on:'],
  ['the pipelines', 'vendor.gitlab-ci', PIPELINES, 'migrates-after-deploy.gitlab-ci.yml', 'when: manual', 'when: manually'],
  ['action.yml', 'vendor.github-actions', [actionFile], 'action.yml', 'using: node24', 'using: node3'],
])('%s: all of them follow %s, and a copy with a mistake does not', async (_, schema, files, file, from, to) => {
  const wrong = spoilt(files.find((one) => path.basename(one) === file) as string, from, to);
  const { code, output } = await validated(schema, ...files, wrong);
  expect(code).toBe(1);
  const found = output.split('\n').filter((line) => line.includes('::'));
  expect(found.length).toBeGreaterThan(0);
  for (const line of found) expect(line).toContain(wrong);
});

test('actionlint finds an expression that names nothing, and nothing in the workflows', async () => {
  const wrong = spoilt(path.join(githubDirectory, 'migrate-by-hand.yml'), 'inputs.command }}', 'inputs.comand }}', 'wrong.yml');
  const { code, output } = await actionlint([...WORKFLOWS, wrong]);
  expect(code).toBe(1);
  expect(output).toContain('"comand" is not defined');
  expect(output).toContain(`${WORKFLOWS.length + 1} workflow file(s)`);
  expect(output.match(/\.github\/workflows\/[\w-]+\.yml:\d+/g)).toEqual([expect.stringContaining('wrong.yml:')]);
});

describe('every workflow', () => {
  // biome-ignore lint/suspicious/noExplicitAny: a linter has checked the shape of these files
  const jobs = (file: string): any[] => Object.values(readYaml(file).jobs);
  // biome-ignore lint/suspicious/noExplicitAny: a linter has checked the shape of these files
  const steps = (file: string): any[] => jobs(file).flatMap(({ steps = [] }) => steps);

  test.each(named(WORKFLOWS))('%s declares its permissions, has a timeout and puts no expression into a shell', (_, file) => {
    expect(readYaml(file).permissions).toBeDefined();
    for (const job of jobs(file).filter(({ uses }) => !uses)) expect(job['timeout-minutes']).toBeGreaterThan(0);
    for (const step of steps(file)) expect(step.run ?? '').not.toContain('${{');
  });

  test.each(named(WORKFLOWS))('%s gives AWS credentials only to actions of GitHub, AWS and this repository', (_, file) => {
    const github = 'actions\\/(checkout|setup-node|upload-artifact|download-artifact)|github\\/codeql-action\\/upload-sarif';
    const known = new RegExp(`^(${github}|aws-actions\\/configure-aws-credentials)@v\\d+$|^${OWN_ACTION}$`);
    for (const { uses } of steps(file).filter((step) => step.uses)) expect(uses).toMatch(known);
  });

  test('a job that may write to the repository runs no code of a pull request', () => {
    const writing = WORKFLOWS.flatMap(jobs).filter(({ permissions = {} }) =>
      Object.entries(permissions).some(([name, access]) => access === 'write' && name !== 'id-token'),
    );
    expect(writing).toHaveLength(1);
    for (const { steps } of writing) {
      for (const { run = 'gh ' } of steps) expect(run).toMatch(/\b(gh|jq) /);
      for (const { run = '' } of steps) expect(run).not.toMatch(/\b(npm|npx|uv|pipx|node|python)\b/);
    }
  });

  test('a workflow for pull requests never runs with the permissions of the base branch', () => {
    for (const file of WORKFLOWS) expect(readFileSync(file, 'utf8')).not.toContain('pull_request_target');
  });

  test('a called workflow exists and gets all its inputs and secrets', () => {
    const calls = WORKFLOWS.flatMap(jobs).filter(({ uses }) => uses);
    expect(calls).toHaveLength(2);
    for (const { uses, with: given } of calls) {
      const called = readYaml(path.join(githubDirectory, path.basename(uses)));
      expect(Object.keys(given)).toEqual(Object.keys(called.on.workflow_call.inputs));
    }
  });

  test('both workflows of a stage take the same inputs', () => {
    const inputs = (file: string): unknown => readYaml(path.join(githubDirectory, file)).on.workflow_call.inputs;
    expect(inputs('stage-migrates-after-deploy.yml')).toEqual(inputs('stage-migrates-on-deploy.yml'));
  });
});

test('the source of the action has no type errors', async () => {
  const tsc = path.join(projectDirectory, 'node_modules/.bin/tsc');
  const options = ['--noEmit', '--allowJs', '--checkJs', '--strict', '--skipLibCheck', '--ignoreConfig'];
  const types = ['--module', 'nodenext', '--target', 'es2022', '--types', 'node', '--resolveJsonModule'];
  const source = path.join(projectDirectory, 'action/index.js');
  expect(await run(tsc, [...options, ...types, source], { env: process.env, cwd: projectDirectory })).toMatchObject({
    code: 0,
    output: '',
  });
});
