import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { needed } from '../production/environment';
import { blocks } from './pages';

/** What can be run without the rest of a file: env.py's own lines can't. */
const fragments = blocks('python', ['docs/review.md']).filter(({ code }) => !/^(with )?connectable\b/m.test(code));

describe('with what docs/review.md shows as safe', () => {
  let outcomes: (string | null)[];
  beforeAll(() => {
    const input = JSON.stringify(fragments.map(({ code }) => code));
    const run = spawnSync(needed('RUNNER_PYTHON'), [join(__dirname, 'render.py')], { input, encoding: 'utf8' });
    if (run.status !== 0) throw new Error(run.stderr);
    outcomes = JSON.parse(run.stdout);
  });

  test.each(fragments.map(({ line }, index) => [line, index]))('Alembic takes the code of line %d', (_, index) => {
    expect(outcomes[index]).toBeNull();
  });
});

test('most rules show the safe way as code', () => {
  expect(fragments.length).toBeGreaterThan(25);
});
