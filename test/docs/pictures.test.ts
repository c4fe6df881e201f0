import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTerminal, RUNS } from '../../scripts/pictures/runs';
import { needed } from '../production/environment';
import { root } from './pages';
import { comparable, shownAndPrinted, textOf } from './picture';

/** The text of a page of a review. Its bars are left out: their widths are times. */
function saidBy(page: string): string {
  return textOf(page.slice(page.indexOf('<body>')).replace(/<script>.*?<\/script>/s, ''));
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pictures-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test.each(RUNS)('docs/$picture shows what the command prints today (npm run pictures draws it)', async (run) => {
  const page = run.page && join(folder, 'page.html');
  const printed = await onTerminal(run, folder, needed('RUNNER_PYTHON'), page);
  const [shown, today] = shownAndPrinted(run.picture, `safe-alembic ${run.command}`, printed);
  expect(shown).toBe(today);
  if (run.page && page) {
    const committed = readFileSync(join(root, 'docs', run.page), 'utf8');
    expect(comparable(saidBy(committed))).toBe(comparable(saidBy(readFileSync(page, 'utf8'))));
  }
});
