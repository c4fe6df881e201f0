/*
 * npm run site
 *
 * Builds docs/ into a static site, dist/site, with a page for each rule of the review, and checks every link. docs/.vitepress has its
 * configuration and its front page.
 */
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { mustRun } from '../../lib/local/processes/run';
import { packagePath } from '../../lib/package-root';
import manifest from '../../package.json';
import { deadLinks } from './check-links';
import { llmsText } from './llms';
import { type Group, groups } from './navigation';
import { frontPage, pages, titleOf } from './pages';
import { ruleGroups } from './rules';

const STAGE = packagePath('.cache', 'site');
const SITE = packagePath('dist', 'site');

/** GitHub Pages serves a project below its name. */
const BASE = `/${path.posix.basename(manifest.homepage)}/`;
const ADDRESS = `https://${path.posix.basename(path.posix.dirname(manifest.homepage))}.github.io${BASE}`;

async function buildSite(): Promise<void> {
  const all = pages();
  const titles = new Map([...all].filter(([page]) => !page.startsWith('rules/')).map(([page, text]) => [page, titleOf(text)]));
  const sidebar = withRules(groups(titles));
  stage(all, sidebar);
  const vitepress = packagePath('node_modules', 'vitepress', 'bin', 'vitepress.js');
  await mustRun(process.execPath, [vitepress, 'build', packagePath('docs')], { env: process.env, cwd: packagePath() });
  const dead = deadLinks(SITE, BASE);
  if (dead.length > 0) throw new Error(`links that lead nowhere:\n${dead.join('\n')}`);
  console.log(`dist/site: ${all.size + 1} pages`);
}

/** The rules follow the pages about writing migrations. */
function withRules(all: readonly Group[]): Group[] {
  const rules: Group = { text: 'Rules', collapsed: true, items: [{ text: 'All rules', link: '/rules/index' }, ...ruleGroups()] };
  return all.flatMap((group) => (group.text === 'Write migrations' ? [group, rules] : [group]));
}

/** Writes what VitePress reads. The Markdown is published too, for readers that are no browsers. */
function stage(all: ReadonlyMap<string, string>, sidebar: readonly Group[]): void {
  const { name: title, description } = manifest;
  rmSync(STAGE, { recursive: true, force: true });
  mkdirSync(path.join(STAGE, 'pages/public/rules'), { recursive: true });
  mkdirSync(path.join(STAGE, 'pages/rules'));
  writeFileSync(path.join(STAGE, 'pages/index.md'), frontPage());
  for (const [page, text] of all) {
    writeFileSync(path.join(STAGE, 'pages', `${page}.md`), text);
    writeFileSync(path.join(STAGE, 'pages/public', `${page}.md`), text);
  }
  for (const file of readdirSync(packagePath('docs')).filter((name) => /\.(svg|html)$/.test(name))) {
    cpSync(packagePath('docs', file), path.join(STAGE, 'pages/public', file));
  }
  writeFileSync(path.join(STAGE, 'pages/public/llms.txt'), llmsText(title, description, ADDRESS, sidebar, all));
  const nav = [
    { text: 'Start', link: '/start' },
    { text: 'Patterns', link: '/create' },
    { text: 'Rules', link: '/rules/index' },
    { text: 'Runbook', link: '/runbook' },
    { text: 'API', link: '/api' },
  ];
  const site = { title, description, base: BASE, nav, sidebar, repository: manifest.homepage };
  writeFileSync(path.join(STAGE, 'site.json'), JSON.stringify(site));
}

buildSite().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
