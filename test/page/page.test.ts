import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Locator, Page } from 'playwright-core';
import { projectDirectory, run } from '../../examples/local-aws';
import type { Review } from '../../lib/review/finding';
import { htmlReport } from '../../lib/review/reports/html';
import { CLEAN, EXAMPLE, FIXED, HOSTILE, large } from '../review/reports/example';
import { startBrowser } from './browser';

let browser: Browser;
let folder: string;
/** With JavaScript and without. A page for each test would start a process for each. */
const pages = new Map<boolean, Page>();
/** What the open page asked for, and what it complained about. */
let requests: string[];
let complaints: string[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'review-page-'));
  browser = await startBrowser();
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

interface View {
  readonly width?: number;
  readonly scheme?: 'light' | 'dark';
  /** What follows the `#` of the address. */
  readonly link?: string;
  readonly javaScript?: boolean;
}

/** Opens the page of a review from a file. */
async function open(review: Review, { width = 1_400, scheme = 'light', link, javaScript = true }: View = {}): Promise<Page> {
  const page = pages.get(javaScript) ?? (await newPage(javaScript));
  // Without it, the same file with another link would not be loaded again.
  await page.goto('about:blank');
  [requests, complaints] = [[], []];
  await page.setViewportSize({ width, height: 900 });
  await page.emulateMedia({ media: 'screen', colorScheme: scheme, reducedMotion: 'reduce' });
  await page.goto(address(review, link));
  return page;
}

async function newPage(javaScriptEnabled: boolean): Promise<Page> {
  const page = await browser.newPage({ javaScriptEnabled });
  pages.set(javaScriptEnabled, page);
  page.setDefaultTimeout(300_000);
  page.on('request', (request) => requests.push(request.url()));
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('dialog', (dialog) => {
    complaints.push(dialog.message());
    void dialog.dismiss();
  });
  return page;
}

function address(review: Review, link = ''): string {
  const file = join(folder, 'review.html');
  writeFileSync(file, htmlReport(review));
  return `${pathToFileURL(file)}${link && `#${link}`}`;
}

/** The example with the sizes of statistics, and measured. */
const MEASURED: Review = {
  ...EXAMPLE,
  findings: EXAMPLE.findings.map((finding) => ({
    ...finding,
    size: {
      tables: ['invoices'],
      rows: 10_000_000,
      bytes: 1_200_000_000,
      seconds: { low: 6, likely: 23, high: 84 },
      extraBytes: 0,
      basis: 'its last ANALYZE',
      measured: { rows: 1_000_000, milliseconds: 2_300, inProduction: 23_000 },
    },
  })),
  revisions: EXAMPLE.revisions.map((revision) => ({
    ...revision,
    measured: {
      milliseconds: 4_200,
      walBytes: 51_000_000,
      tables: [
        {
          table: 'invoices',
          rows: 1_000_000,
          productionRows: 10_000_000,
          locks: [{ mode: 'AccessExclusiveLock', milliseconds: 4_000 }],
          longestWriteMilliseconds: 2_000,
        },
      ],
    },
  })),
};

const shown = (page: Page) => page.locator('.finding:not([hidden])');
const rulesShown = (page: Page): Promise<string[]> => shown(page).locator('.rule').allTextContents();

describe('the page of a review', () => {
  test.each([EXAMPLE, FIXED, CLEAN])('loads nothing but its own file, and logs no errors', async (review) => {
    const page = await open(review);
    await page.waitForLoadState('networkidle');
    expect(requests).toEqual([address(review)]);
    expect(complaints).toEqual([]);
  });

  test('shows content from migrations as text, never as markup', async () => {
    const page = await open(EXAMPLE);
    expect(await page.locator('script').count()).toBe(1);
    expect(await page.locator('.finding').nth(2).locator('.message').textContent()).toContain(HOSTILE);
    expect(await page.locator('.finding').nth(2).locator('figure code').first().textContent()).toContain(HOSTILE);
    await page.locator('#r-b0d1e2f3a4c5 summary').click();
    expect(await page.locator('#r-b0d1e2f3a4c5 .statements code').first().textContent()).toContain(HOSTILE);
    const everywhere = JSON.parse(JSON.stringify(EXAMPLE), (key, value) =>
      typeof value === 'string' && !['severity', 'outcome', 'mode', 'seen'].includes(key)
        ? `${value}"'><img src=x onerror=alert(1)>`
        : value,
    );
    const spoilt = await open(everywhere);
    expect(await spoilt.locator('img').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  test('runs no other script, even if one was injected', async () => {
    const file = join(folder, 'injected.html');
    const own = htmlReport(EXAMPLE);
    const injected = own.replace(
      '<main>',
      '<main><script>document.title = "run"</script><p onclick="document.title = \'run\'" id="click">x</p>',
    );
    writeFileSync(file, injected);
    const page = await open(EXAMPLE);
    await page.goto(String(pathToFileURL(file)));
    await page.locator('#click').click();
    expect(await page.title()).toBe('Migrations: 5 errors, 4 warnings, 2 acknowledged');
    expect(complaints.filter((text) => /Content Security Policy/.test(text)).length).toBeGreaterThanOrEqual(2);
    expect(await page.locator('output').textContent()).toBe('11 of 11 shown');
  });

  test('a wrapped line of code keeps its indentation', async () => {
    const page = await open(EXAMPLE, { width: 400 });
    const lefts = await page.evaluate<number[]>(`(() => {
      const lines = [...document.querySelectorAll('.finding')][9].querySelectorAll('code span');
      const [text] = [...lines].find((one) => one.textContent.startsWith('    op.create_index')).childNodes;
      const range = document.createRange();
      range.setStart(text, 4);
      range.setEnd(text, text.length);
      return [...range.getClientRects()].map(({ left }) => Math.round(left));
    })()`);
    expect(lefts.length).toBeGreaterThan(2);
    for (const left of lefts.slice(1)) expect(left).toBeGreaterThan(lefts[0] as number);
  });

  test('a button copies the code exactly', async () => {
    const page = await open(FIXED, { width: 400 });
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    const { instead } = EXAMPLE.findings[9] as { instead: string };
    const diff = FIXED.fixes?.files[1]?.diff ?? '';
    for (const [figure, code] of [
      [page.locator('.finding').nth(9).locator('figure').nth(1), instead],
      [page.locator('#fixes figure').nth(1), diff.trimEnd()],
    ] as const) {
      await figure.getByRole('button', { name: 'Copy' }).click();
      await figure.getByRole('button', { name: 'Copied' }).waitFor();
      expect(await page.evaluate('navigator.clipboard.readText()')).toBe(code);
    }
  });

  test('a series that --fix wrote is shown as a diff, with unfixed findings and the reasons', async () => {
    const page = await open(FIXED, { link: 'fixes' });
    const fixes = page.locator('#fixes');
    expect(await fixes.locator('figcaption').allInnerTexts()).toEqual([
      expect.stringMatching(/_email_1\.py, new\s+Copy$/),
      expect.stringMatching(/_email\.py, changed\s+Copy$/),
    ]);
    expect(await fixes.locator('.removed').allTextContents()).toEqual([
      '-"""Index accounts by email"""',
      '-    op.create_unique_constraint("uq_accounts_email", "accounts", ["email"])',
    ]);
    expect(await fixes.locator('.added').count()).toBe(8);
    expect(await fixes.locator('.added').nth(5).textContent()).toContain(HOSTILE);
    expect(await fixes.locator('.reason').allTextContents()).toEqual(['Not fixed it needs your decision']);
    expect(await fixes.locator('li').count()).toBe(3);
  });

  test('the search finds findings by message, SQL and revision', async () => {
    const page = await open(EXAMPLE);
    const search = page.getByRole('searchbox', { name: 'Search' });
    for (const [words, rules] of [
      ['NEVER null', ['set-not-null-scan']],
      ['rename settled_at', ['rename']],
      ['c1e2f3a4b5d6', ['downgrade-missing']],
      ['größer wird', ['index-not-concurrent']],
      ['no migration says this', []],
    ] as const) {
      await search.fill(words);
      expect([words, await rulesShown(page)]).toEqual([words, rules]);
      expect(await page.locator('output').textContent()).toBe(`${rules.length} of 11 shown`);
    }
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.getByText('11 of 11 shown').waitFor();
    expect(await page.locator('.finding[hidden]').count()).toBe(0);
  });

  test('findings are filtered by severity, rule, revision and whether they are acknowledged', async () => {
    const page = await open(EXAMPLE);
    const choose = (label: string, value: string) => page.getByRole('combobox', { name: label }).selectOption(value);
    await choose('Severity', 'warning');
    expect(await shown(page).count()).toBe(5);
    await choose('State', 'open');
    expect(await shown(page).count()).toBe(4);
    await choose('Revision', '9c0d1e2f3a4b');
    expect(await rulesShown(page)).toEqual(['locks-several-tables']);
    await choose('Severity', '');
    expect(await rulesShown(page)).toEqual(['table-rewrite', 'update-all', 'locks-several-tables']);
    await choose('Rule', 'update-all');
    expect(await rulesShown(page)).toEqual(['update-all']);
  });

  test('a link to a finding scrolls to it, marks it, and shows it even if a filter hides it', async () => {
    const id = (await (await open(EXAMPLE)).locator('.finding').nth(9).getAttribute('id')) as string;
    const page = await open(EXAMPLE, { link: id });
    const finding = page.locator(`#${id}`);
    const inView = async (): Promise<boolean> => {
      const box = await finding.boundingBox();
      return box !== null && box.y >= 0 && box.y < 450;
    };
    const colour = (): Promise<string> => page.evaluate(`getComputedStyle(document.getElementById('${id}')).backgroundColor`);
    expect(await inView()).toBe(true);
    expect(await colour()).toMatch(/^rgb\(/);
    await page.getByRole('combobox', { name: 'Severity' }).selectOption('warning');
    expect(await finding.isVisible()).toBe(false);
    await page.evaluate(`location.hash = ''; location.hash = '${id}'`);
    await finding.waitFor({ state: 'visible' });
    while (!(await inView())) await page.waitForTimeout(20);
    expect(await finding.locator('.anchor').getAttribute('href')).toBe(`#${id}`);
  });

  test('a link to a revision opens its locks by table and its statements', async () => {
    const page = await open(EXAMPLE, { link: 'r-9c0d1e2f3a4b' });
    const revision = page.locator('#r-9c0d1e2f3a4b');
    expect(await revision.locator('details').getAttribute('open')).not.toBeNull();
    expect(await revision.locator('.locks').first().locator('th').allTextContents()).toEqual(['invoices', 'accounts']);
    expect(await revision.locator('.statements li').first().innerText()).toContain(
      'ACCESS EXCLUSIVE on invoices · rewrites invoices',
    );
    expect(await revision.locator('.links a').allTextContents()).toEqual(['table-rewrite', 'update-all', 'locks-several-tables']);
  });

  test('a lock is drawn from the statement that took it to the end of its transaction', async () => {
    const page = await open(EXAMPLE, { link: 'r-9c0d1e2f3a4b' });
    const bars = page.locator('#r-9c0d1e2f3a4b .locks').first().locator('rect:not(.empty)');
    const [invoices, accounts] = [await bars.nth(0).boundingBox(), await bars.nth(1).boundingBox()];
    if (!invoices || !accounts) throw new Error('no bars');
    expect(accounts.x + accounts.width).toBeCloseTo(invoices.x + invoices.width, 0);
    expect(accounts.width / invoices.width).toBeLessThan(0.05);
    expect(await bars.nth(0).getAttribute('class')).toBe('all');
  });

  test('estimated and measured times are drawn on one scale, each lock and wait in proportion to its duration', async () => {
    const page = await open(MEASURED, { link: 'r-9c0d1e2f3a4b' });
    const box = async (row: Locator, kind: string) => {
      const found = await row.locator(`rect.${kind}`).boundingBox();
      if (!found) throw new Error(`no ${kind}`);
      return found;
    };
    const rows = page.locator('.finding .duration').first().locator('tr');
    const [range, likely, measured] = [
      await box(rows.nth(0), 'range'),
      await box(rows.nth(0), 'likely'),
      await box(rows.nth(1), 'measured'),
    ];
    expect(likely.x).toBeGreaterThan(range.x);
    expect(likely.x).toBeLessThan(range.x + range.width);
    // Measured: as long as the likely time.
    expect(Math.abs(measured.x + measured.width - likely.x)).toBeLessThan(2);
    expect(await rows.nth(2).locator('text').allTextContents()).toEqual(['0.1 s', '1 s', '10 s', '1 min', '10 min', '1 h']);

    const bars = page.locator('#r-9c0d1e2f3a4b .locks').first().locator('tr');
    expect(await bars.allInnerTexts()).toEqual(['invoices\tACCESS EXCLUSIVE 4.0 s\t', 'invoices\ta write waited 2.0 s\t']);
    const lengths = [await box(bars.nth(0), 'all'), await box(bars.nth(1), 'writers')].map(({ width }) => width);
    expect((lengths[1] as number) / (lengths[0] as number)).toBeCloseTo(0.5, 1);
    for (const [name, part] of Object.entries({
      finding: page.locator('.finding').first(),
      revision: page.locator('#r-9c0d1e2f3a4b'),
    })) {
      if (process.env.SCREENSHOTS) await part.screenshot({ path: join(process.env.SCREENSHOTS, `measured-${name}.png`) });
    }
  });

  test('the graph has a dot for each revision, on the line of its branch', async () => {
    const page = await open(EXAMPLE);
    const x = async (revision: string): Promise<number> => Number(await page.locator(`#r-${revision} circle`).getAttribute('cx'));
    expect(await page.locator('.graph circle').count()).toBe(12);
    const [main, branch] = [await x('9c0d1e2f3a4b'), await x('b0d1e2f3a4c5')];
    expect(branch).toBeGreaterThan(main);
    expect([await x('c1e2f3a4b5d6'), await x('d2f3a4b5c6e7'), await x('17d8e9f0a1c2')]).toEqual([branch, main, main]);
    expect(await page.locator('.tag').allTextContents()).toEqual(['archive', 'merge', 'failed', 'not replayed', 'head']);
  });

  describe.each([400, 1_400])('at %i pixels', (width) => {
    test.each(['light', 'dark'] as const)('nothing is cut off and every text is legible: %s', async (scheme) => {
      const page = await open({ ...FIXED, findings: MEASURED.findings, revisions: MEASURED.revisions }, { width, scheme });
      await page.evaluate('for (const one of document.querySelectorAll("details")) one.open = true');
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
      for (const link of ['', await page.locator('.finding').first().getAttribute('id'), 'r-e3a4b5c6d7f8']) {
        await page.evaluate(`location.hash = '${link}'`);
        const { checked, poor } = await page.evaluate<{ checked: number; poor: string[] }>(
          readFileSync(join(__dirname, 'contrast.js'), 'utf8'),
        );
        expect(checked).toBeGreaterThan(200);
        expect(poor).toEqual([]);
      }
    });
  });

  test('can be used with only the keyboard', async () => {
    const page = await open(EXAMPLE);
    await page.keyboard.press('/');
    await page.keyboard.type('never null');
    expect(await rulesShown(page)).toEqual(['set-not-null-scan']);
    await page.locator('#r-17d8e9f0a1c2 summary').focus();
    await page.keyboard.press('Enter');
    expect(await page.locator('#r-17d8e9f0a1c2 .statements').first().isVisible()).toBe(true);
  });

  test('has headings in order, and a name for each control', async () => {
    const page = await open(EXAMPLE);
    const levels = await page.evaluate<number[]>(
      '[...document.querySelectorAll("h1,h2,h3,h4")].map((one) => Number(one.tagName[1]))',
    );
    expect(levels.filter((level) => level === 1)).toHaveLength(1);
    for (const [index, level] of levels.entries()) expect(level).toBeLessThanOrEqual((levels[index - 1] ?? 0) + 1);
    for (const name of ['Severity', 'Rule', 'Revision', 'State']) {
      expect(await page.getByRole('combobox', { name, exact: true }).count()).toBe(1);
    }
    expect(await page.getByRole('searchbox', { name: 'Search', exact: true }).count()).toBe(1);
    const ids = await page.evaluate<string[]>('[...document.querySelectorAll("[id]")].map((one) => one.id)');
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('can be read without JavaScript, and then shows no controls', async () => {
    const page = await open(EXAMPLE, { javaScript: false });
    expect(await page.locator('#filters').isVisible()).toBe(false);
    expect(await page.locator('.finding').count()).toBe(11);
  });

  test('prints every finding without controls, and leaves no page half empty', async () => {
    // A4 at 96 pixels an inch, less the margins.
    const [width, height] = [718, 1_047];
    // Each takes more than half a page.
    const instead = Array.from({ length: 36 }, (_, line) => `op.execute("SELECT ${line}")`).join('\n');
    const review = { ...FIXED, findings: FIXED.findings.map((finding) => ({ ...finding, instead })) };
    const page = await open(review, { width });
    await page.emulateMedia({ media: 'print' });
    expect(await page.locator('#filters').isVisible()).toBe(false);
    expect(await page.getByRole('button').filter({ visible: true }).count()).toBe(0);
    const content = await page.evaluate<number>('document.documentElement.scrollHeight');
    const pdf = await page.pdf({ format: 'A4', margin: { top: 38, right: 38, bottom: 38, left: 38 }, printBackground: true });
    if (process.env.SCREENSHOTS) writeFileSync(join(process.env.SCREENSHOTS, 'review.pdf'), pdf);
    const pages = pdf.toString('latin1').match(/\/Type \/Page\b/g)?.length ?? 0;
    expect(pages).toBeGreaterThan(2);
    expect(pages).toBeLessThanOrEqual(Math.ceil((content / height) * 1.1));
  });

  test('of a review without findings says so and has no controls', async () => {
    const page = await open(CLEAN);
    expect(await page.locator('h1').textContent()).toBe('Nothing found');
    expect(await page.locator('#filters').count()).toBe(0);
  });

  test('of 500 revisions and 1,000 findings opens and searches without delay', async () => {
    const review = large();
    const before = Date.now();
    const page = await open(review, { width: 400 });
    expect(Date.now() - before).toBeLessThan(100_000);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(400);
    const searched = await page.evaluate<number>(`(() => {
      const from = performance.now();
      const input = document.querySelector('input');
      input.value = 'legacy.example';
      input.dispatchEvent(new Event('input', { bubbles: true }));
      document.body.getBoundingClientRect();
      return performance.now() - from;
    })()`);
    expect(searched).toBeLessThan(10_000);
    expect(await shown(page).count()).toBe(review.findings.filter(({ rule }) => rule === 'reads-outside').length);
    expect(complaints).toEqual([]);
  });
});

test('the script of the page has no type errors', async () => {
  const tsc = join(projectDirectory, 'node_modules/.bin/tsc');
  const options = ['--noEmit', '--allowJs', '--strict', '--ignoreConfig', '--target', 'es2022', '--types', ''];
  const script = join(projectDirectory, 'lib/review/reports/page/page.js');
  const checked = await run(tsc, [...options, script], { env: process.env, cwd: projectDirectory });
  expect(checked).toMatchObject({ code: 0, output: '' });
});

test('the page works in an installed package, which contains the files it reads', async () => {
  const packed = await run('npm', ['pack', '--dry-run', '--ignore-scripts', '--json'], {
    env: process.env,
    cwd: projectDirectory,
  });
  const files = JSON.parse(packed.stdout)[0].files.map(({ path }: { path: string }) => path);
  for (const file of ['page.css', 'page.js']) expect(files).toContain(`lib/review/reports/page/${file}`);
});
