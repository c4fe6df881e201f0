import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';
import { anchorOf } from '../../scripts/site/anchor';

/** Where `npm run site` puts the pages before it builds them: docs/ with its links made the site's, and a page for each rule. */
const stage = fileURLToPath(new URL('../../.cache/site', import.meta.url));
const { title, description, base, nav, sidebar, repository } = JSON.parse(readFileSync(`${stage}/site.json`, 'utf8'));

const ICON = `data:image/svg+xml,${encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path d="M1 1h2v4h2V1h2v6H1z" fill="#24527a"/></svg>')}`;

export default defineConfig({
  title,
  description,
  base,
  srcDir: `${stage}/pages`,
  // The Markdown itself, which is published beside the pages.
  srcExclude: ['public/**'],
  outDir: fileURLToPath(new URL('../../dist/site', import.meta.url)),
  cacheDir: `${stage}/cache`,
  // The headings' anchors are those of GitHub, where the same pages are read.
  // Braces are text: the API reference has types such as `{[ key: string ]: any}`.
  markdown: { anchor: { slugify: anchorOf }, attrs: { disable: true } },
  head: [['link', { rel: 'icon', href: ICON }]],
  themeConfig: {
    nav,
    sidebar,
    outline: { level: [2, 3] },
    search: { provider: 'local' },
    socialLinks: [{ icon: 'github', link: repository }],
  },
});
