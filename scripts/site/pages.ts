import { readdirSync, readFileSync } from 'node:fs';
import { packagePath } from '../../lib/package-root';
import { RULES } from '../../lib/review';
import { withSiteLinks } from './links';
import { rulePage, rulesPage } from './rules';

/** Sections of README that the site's front page shows in its own way, or that only a reader of the repository needs. */
const NOT_TO_START = ['Try it', 'How fast it is'];

/** The rules begin here in docs/review.md; on the site each has a page. */
const FIRST_RULES = '\n## Locking\n';

/** The Markdown of every page of the site but the front page, by the page's path. */
export function pages(): Map<string, string> {
  const all = new Map([['start', withSiteLinks(startPage(), 'README.md', 'start')]]);
  for (const name of readdirSync(packagePath('docs')).filter((file) => file.endsWith('.md'))) {
    const page = name.slice(0, -'.md'.length);
    const text = readFileSync(packagePath('docs', name), 'utf8');
    all.set(page, withSiteLinks(page === 'review' ? text.slice(0, text.indexOf(FIRST_RULES) + 1) : text, `docs/${name}`, page));
  }
  all.set('rules/index', withSiteLinks(rulesPage(), 'docs/review.md', 'rules/index'));
  for (const rule of RULES) all.set(`rules/${rule.id}`, withSiteLinks(rulePage(rule), 'docs/review.md', `rules/${rule.id}`));
  return all;
}

/** The front page, with the figures that README shows. */
export function frontPage(): string {
  const [, figures = ''] = /<!-- bench -->\n(.*?)<!-- \/bench -->/s.exec(readFileSync(packagePath('README.md'), 'utf8')) ?? [];
  return readFileSync(packagePath('docs/.vitepress/index.md'), 'utf8').replace('<!-- figures -->', figures);
}

/** README's sections for someone who begins. */
function startPage(): string {
  const [, ...sections] = readFileSync(packagePath('README.md'), 'utf8').split(/^## /m);
  const wanted = sections.filter((section) => !NOT_TO_START.some((title) => section.startsWith(`${title}\n`)));
  // GitHub draws this diagram; the list below it says the same.
  const text = wanted
    .map((section) => `## ${section}`)
    .join('')
    .replace(/^```mermaid\n.*?^```\n\n/ms, '');
  return `# A CDK app in TypeScript\n\nInstall the construct, add it to your stack, and deploy.\n\n${text}`;
}

/** The first heading of a page, as text. */
export function titleOf(markdown: string): string {
  return (/^# (.*)$/m.exec(markdown)?.[1] ?? '').replace(/<[^>]*>|`/g, '').trim();
}

/** The first sentence of a page. */
export function summaryOf(markdown: string): string {
  const [, ...paragraphs] = markdown
    .replace(/^```.*?^```$/gms, '')
    .replace(/<!--.*?-->/gs, '')
    .split(/^# .*$/m);
  const text =
    paragraphs
      .join('')
      .split(/\n\n/)
      .map((part) => part.trim())
      .find((part) => part !== '' && !/^[#|<-]/.test(part)) ?? '';
  const plain = text
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/\*\*/g, '')
    .replace(/\s+/g, ' ');
  return /^.*?[.:](?= |$)/.exec(plain)?.[0].replace(/:$/, '.') ?? plain;
}
