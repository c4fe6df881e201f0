import { readFileSync } from 'node:fs';
import path from 'node:path';
import { projectDirectory } from '../../examples/local-aws';
import { devDependencies, version } from '../../package.json';
import { buildCommand } from '../../scripts/build-commands';
import { releaseNotes } from '../../scripts/release/notes';
import { bundled, component, sbom } from '../../scripts/release/sbom';
import { temporaryDirectory } from '../constructs/support';
import { REPOSITORY, readYaml, yamlFiles } from './files';
import { actionlint, validated } from './linters';

/* This repository's own workflows, and how it is released. */

const own = path.join(projectDirectory, '.github');
const WORKFLOWS = yamlFiles(path.join(own, 'workflows'));
const named = WORKFLOWS.map((file): [string, string] => [path.basename(file), file]);

test('there are no other workflows', () => {
  expect(named.map(([name]) => name)).toEqual(['ci.yml', 'release.yml', 'scorecard.yml', 'site.yml']);
});

test('actionlint finds nothing in them', async () => {
  expect(await actionlint(WORKFLOWS)).toMatchObject({
    code: 0,
    output: expect.stringContaining(`${WORKFLOWS.length} workflow file`),
  });
});

test.each([
  ['vendor.github-workflows', WORKFLOWS],
  ['vendor.dependabot', [path.join(own, 'dependabot.yml')]],
])('they follow %s', async (schema, files) => {
  expect(await validated(schema, ...files)).toMatchObject({ code: 0 });
});

// biome-ignore lint/suspicious/noExplicitAny: a linter has checked the shape of these files
const jobs = (file: string): any[] => Object.values(readYaml(file).jobs);

test.each(named)('%s may only read by default, has a timeout, and puts no expression into a shell', (_, file) => {
  expect(readYaml(file).permissions).toEqual({ contents: 'read' });
  for (const { 'timeout-minutes': minutes, steps } of jobs(file)) {
    expect(minutes).toBeGreaterThan(0);
    for (const { run = '' } of steps) expect(run).not.toContain('${{');
  }
});

test.each(named)('%s pins third-party actions to a commit, and keeps no credentials in a checkout', (_, file) => {
  const steps = jobs(file).flatMap(({ steps }) => steps);
  for (const { uses, with: given } of steps.filter((step) => step.uses)) {
    expect(uses).toMatch(/^(actions|github)\/[\w/-]+@v\d+$|^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
    if (uses.startsWith('actions/checkout@')) expect(given['persist-credentials']).toBe(false);
  }
});

describe('the release', () => {
  const workflow = readYaml(path.join(own, 'workflows/release.yml'));

  test('is published by jobs that run no code of this repository and have no secrets', () => {
    const publishing = ['npm', 'pypi'].map((name) => workflow.jobs[name]);
    for (const { permissions, environment, steps } of publishing) {
      expect(permissions).toEqual({ contents: 'read', 'id-token': 'write' });
      expect(environment).toMatch(/^(npm|pypi)$/);
      expect(JSON.stringify(steps)).not.toMatch(/actions\/checkout|secrets\.|npm (ci|run|install)/);
    }
    expect(workflow.jobs.build.permissions).toBeUndefined();
  });

  test('lists each package bundled into a command once, with version and license', async () => {
    const inside = bundled(await buildCommand('safe-alembic', temporaryDirectory()), projectDirectory);
    const { components } = sbom(component('npm', 'safe-alembic', version, 'Apache-2.0'), [...inside, ...inside]);
    const width = devDependencies['string-width'];
    const licenses = [{ expression: 'MIT' }];
    expect(components).toContainEqual(expect.objectContaining({ purl: `pkg:npm/string-width@${width}`, licenses }));
    expect(components).toHaveLength(inside.length);
    for (const { purl } of components) expect(purl).toMatch(/^pkg:npm\/(%40[\w.-]+\/)?[\w.-]+@\d+\./);
  });

  const changelog = `# Changelog\n\n## Unreleased\n\n## ${version} - 2026-12-01\n\n### Added\n\n- All.\n\n## 0.0.1 - 2026-01-01\n\n- Old.\n`;

  test('uses the section of this version in the changelog as its notes', () => {
    expect(releaseNotes(`v${version}`, REPOSITORY, changelog)).toBe('### Added\n\n- All.');
  });

  test('does not start in another repository, with another tag, or without a changelog', () => {
    const all = () => releaseNotes('v9.9.9', 'someone/else', readFileSync(path.join(projectDirectory, 'CHANGELOG.md'), 'utf8'));
    expect(all).toThrow(`the tag is v9.9.9, and package.json has the version ${version}`);
    expect(all).toThrow('this repository is someone/else, and package.json has the homepage');
    expect(all).toThrow(`CHANGELOG.md has nothing under a heading "## ${version} - <year>-<month>-<day>"`);
  });
});
