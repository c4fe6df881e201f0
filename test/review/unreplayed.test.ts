import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { observe, readGraph } from '../../lib/local/python/observe';
import { withObserver } from '../../lib/local/python/with-observer';
import { type Review, review } from '../../lib/review';
import { needed } from '../production/environment';
import { type Case, writeProject } from './examples/project';
import { ALL_RULES, findingsOf } from './examples/reviewed';
import { inFolder } from './folder';
import { UNREPLAYED } from './unreplayed-cases';

const FAILS = 'import not_installed\n';
const EXAMPLES = (head: string) =>
  UNREPLAYED.map(({ title, up, down, head: own = '', given }) => ({
    rule: title,
    ...(given === undefined ? {} : { given }),
    good: { revisions: [{ up, down, head: `${head}${own}` }] },
  }));

/** Reviews all cases where env.py fails, so that nothing can be replayed. */
async function reviewed(head: string): Promise<{ cases: readonly Case[]; result: Review }> {
  return inFolder(async (project) => {
    const cases = writeProject(project, EXAMPLES(head));
    writeFileSync(path.join(project, 'alembic', 'env.py'), FAILS);
    return withObserver({ project, python: [needed('RUNNER_PYTHON')], database: 'scratch' }, async ({ observer }) => {
      const graph = await readGraph(observer);
      const asked = cases.flatMap((one) => one.revisions);
      const observed = await observe(observer, { revisions: asked, drift: false });
      const input = { graph, ...observed, unreleased: asked, edited: [], started: 0 };
      return { cases, result: await review(input, ALL_RULES) };
    });
  });
}

describe.each([
  ['that Alembic can render', ''],
  ['that can’t be imported', FAILS],
])('a revision %s, where nothing can be replayed', (_, head) => {
  let found: Awaited<ReturnType<typeof reviewed>>;

  beforeAll(async () => {
    found = await reviewed(head);
  });

  test.each(UNREPLAYED)('$title', ({ title, findings, says = [], advises = [], without = [] }) => {
    const one = found.cases.find(({ rule }) => rule === title) as Case;
    const open = findingsOf(found.result, one);
    const all = open.map(({ severity, rule, direction, message }) => {
      const told = `${severity} ${rule}${direction === 'downgrade' ? ' in the downgrade' : ''}`;
      return { told, message };
    });
    const rules = findings.map((finding) => finding.split(' ').slice(0, 2).join(' '));
    const own = all.filter(({ told }) => /^error|update-all/.test(told) || rules.some((rule) => told.startsWith(rule)));
    expect(own.map(({ told }) => told).sort()).toEqual([...findings].sort());
    expect(all.filter(({ told }) => without.some((rule) => told.includes(rule)))).toEqual([]);
    for (const part of says) expect(JSON.stringify(all).replace(/_g\d+/g, '')).toContain(part);
    for (const part of advises) expect(open.map(({ instead }) => instead).join('\n')).toContain(part);
    expect(JSON.stringify(all)).not.toMatch(/cdk_alembic|\.{4}/);
  });
});
