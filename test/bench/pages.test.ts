import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { writeDocs } from '../../bench/report/write-docs';
import { ROWS } from '../../bench/rows';

const ROOT = path.join(__dirname, '../..');
const RESULTS = 'bench/results.json';
const WRITTEN = ['README.md', 'docs/performance.md', 'docs/performance.svg', 'docs/scale.md', 'docs/growth.svg'];
const NAMES = ROWS.map(({ name }) => name);

test('README, page and plot show the figures of bench/results.json: `npm run bench -- --write` changes nothing', () => {
  const copy = mkdtempSync(path.join(tmpdir(), 'cdk-alembic-bench-'));
  try {
    for (const file of [RESULTS, ...WRITTEN]) cpSync(path.join(ROOT, file), path.join(copy, file));
    writeDocs(copy, NAMES);
    for (const file of WRITTEN) {
      expect(readFileSync(path.join(copy, file), 'utf8')).toBe(readFileSync(path.join(ROOT, file), 'utf8'));
    }
  } finally {
    rmSync(copy, { recursive: true });
  }
});

test.each(NAMES)('the page says what %s is compared with', (name) => {
  expect(readFileSync(path.join(ROOT, 'docs/performance.md'), 'utf8')).toMatch(new RegExp(`^\\| .*\`${name}\`.* \\|`, 'm'));
});
