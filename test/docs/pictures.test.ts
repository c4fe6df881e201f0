import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { onTerminal, RUNS } from '../../scripts/pictures/runs';
import { needed } from '../production/environment';
import { root } from './pages';

/** Text without white space, and without what differs from run to run or from machine to machine. */
function comparable(text: string): string {
  return text
    .replace(/\d+(\.\d+)? (ms|s)\b/g, 'TIME')
    .replace(/\b\d{4}_\d\d_\d\d_\d{4}-[0-9a-f]{12}/g, 'REVISION')
    .replace(/\b[0-9a-f]{12}\b/g, 'REVISION')
    .replace(/PostgreSQL \d+\.\d+/g, 'POSTGRESQL')
    .replace(/\s+/g, '');
}

function textOf(markup: string): string {
  const entities: Readonly<Record<string, string>> = {
    amp: '&',
    lt: '<',
    gt: '>',
    quot: '"',
    '#39': "'",
    '#x27': "'",
    '#160': ' ',
  };
  return markup.replace(/<[^>]*>/g, '').replace(/&(#?\w+);/g, (whole, name: string) => entities[name] ?? whole);
}

/** What a picture of a terminal shows, below the command. */
function shownIn(svg: string): string {
  const lines = [...svg.matchAll(/<text class="terminal-r\d[^>]*>(.*?)<\/text>/gs)].map(([, text = '']) => textOf(text));
  return lines.join('');
}

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
  const picture = readFileSync(join(root, 'docs', run.picture), 'utf8');
  const expected = `$ npx safe-alembic ${run.command}\n${stripVTControlCharacters(printed)}`;
  expect(comparable(shownIn(picture))).toBe(comparable(expected));
  if (run.page && page) {
    const committed = readFileSync(join(root, 'docs', run.page), 'utf8');
    expect(comparable(saidBy(committed))).toBe(comparable(saidBy(readFileSync(page, 'utf8'))));
  }
});
