import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { RULES } from '../../lib/review';
import { deadLinks } from '../../scripts/site/check-links';
import { root } from '../docs/pages';
import { startBrowser } from '../page/browser';
import { serve } from './serve';

const SITE = join(root, 'dist/site');
const BASE = '/cdk-alembic/';
/** One page of each kind, and those with the widest tables and pictures. */
const PAGES = ['index', 'start', 'rules/foreign-key-not-valid', 'rules/index', 'api', 'runbook', 'performance'];

let built: { status: number | null; output: string };
let server: Server;
let address: string;
let browser: Browser;
beforeAll(async () => {
  const run = spawnSync('npx', ['tsx', 'scripts/site/index.ts'], { cwd: root, encoding: 'utf8' });
  built = { status: run.status, output: run.stdout + run.stderr };
  ({ server, address } = await serve(SITE, BASE));
  browser = await startBrowser();
});
afterAll(async () => {
  await browser?.close();
  server?.close();
});

const read = (file: string): string => readFileSync(join(SITE, file), 'utf8');

test('the site builds, and all its links work', () => {
  expect(built).toEqual({ status: 0, output: expect.stringMatching(/^dist\/site: \d+ pages$/m) });
});

test('a link to a missing page or heading is found', () => {
  const site = mkdtempSync(join(tmpdir(), 'site-'));
  writeFileSync(
    join(site, 'index.html'),
    '<h2 id="here"></h2><a href="/base/a.html#top"><a href="#gone"><a href="no.html"><a href="/elsewhere">',
  );
  writeFileSync(join(site, 'a.html'), '<h1 id="top"></h1><a href="./index.html#here"><a href="https://example.com/x#y">');
  expect(deadLinks(site, '/base/')).toEqual(['index.html: #gone', 'index.html: no.html', 'index.html: /elsewhere']);
  rmSync(site, { recursive: true });
});

test('every page of docs/ is in the sidebar and in llms.txt', () => {
  const pages = readdirSync(join(root, 'docs')).filter((file) => file.endsWith('.md'));
  expect(pages.length).toBeGreaterThan(20);
  for (const file of pages) {
    expect(read('start.html')).toContain(`href="${BASE}${file.replace('.md', '.html')}"`);
    expect(read('llms.txt')).toContain(`.github.io${BASE}${file})`);
    expect(read(file)).toMatch(/^# /m);
  }
});

test.each(RULES)('$id has a page with what it finds and its source', ({ id }) => {
  const page = read(`rules/${id}.md`);
  expect(page).toMatch(new RegExp(`^# ${id}\n\n\\*\\*(error|warning)\\*\\* · `));
  expect(page).toMatch(/\n## Source\n\n\S/);
  expect(read('llms.txt')).toContain(`rules/${id}.md)`);
});

test.each(RULES)('the page of $id shows code that it finds, and code that passes', ({ id }) => {
  expect(read(`rules/${id}.md`)).toMatch(
    /\n## Found in (this (revision|env\.py)|these files)\n\n.*```python\n.*\n## Passes\n\n.*```python\n.*\n## Source\n/s,
  );
});

describe('in a browser', () => {
  let page: Page;
  /** What the page asked for elsewhere, and what it complained about. */
  let complaints: string[];
  beforeAll(async () => {
    page = await browser.newPage({ reducedMotion: 'reduce' });
    page.setDefaultTimeout(300_000);
    page.on('request', (request) => request.url().startsWith(address) || complaints.push(request.url()));
    page.on('response', (response) => response.ok() || complaints.push(`${response.status()} ${response.url()}`));
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
  });
  beforeEach(() => {
    complaints = [];
  });

  test.each(PAGES)('%s fits 400 and 1,400 pixels, light and dark, and loads nothing from other sites', async (name) => {
    await page.goto(`${address}${name}.html`);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.locator(colorScheme === 'dark' ? 'html.dark' : 'html:not(.dark)').waitFor();
      for (const width of [400, 1_400]) {
        await page.setViewportSize({ width, height: 900 });
        expect([width, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([width, width]);
        if (process.env.SCREENSHOTS) {
          await page.screenshot({ path: join(process.env.SCREENSHOTS, `${name.replace('/', '-')}-${width}-${colorScheme}.png`) });
        }
      }
    }
    expect(complaints).toEqual([]);
  });

  test('the search finds a rule', async () => {
    await page.goto(`${address}start.html`);
    await page.waitForLoadState('networkidle');
    await page.keyboard.press('/');
    await page.keyboard.type('set-not-null-scan');

    await page.locator('.result').first().waitFor();
    expect(await page.locator('.result').first().getAttribute('href')).toContain(`${BASE}rules/set-not-null-scan.html`);
    expect(complaints).toEqual([]);
  });
});
