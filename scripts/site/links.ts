import { existsSync, lstatSync } from 'node:fs';
import path from 'node:path';
import { packagePath } from '../../lib/package-root';
import { RULES } from '../../lib/review';
import manifest from '../../package.json';
import { anchorOf } from './anchor';

/** A page of the site and, after the `#`, a place in it. */
interface Target {
  readonly page: string;
  readonly anchor?: string;
}

const RULES_PAGE = 'rules/index';

/** Headings of docs/review.md that are on the page of all rules. */
const GROUPS = [...new Set(RULES.map(({ group }) => (group === 'review' ? 'The review itself' : group))), 'squawk'].map(anchorOf);

/**
 * Markdown of a file of the repository with the links of the site. What the site does not have leads to the repository.
 *
 * @param file that the text is from, by its path in the repository
 * @param page of the site that shows it
 */
export function withSiteLinks(markdown: string, file: string, page: string): string {
  return outsideOfCode(markdown, (text) =>
    text.replace(/(!?\[(?:[^\][]|\[[^\]]*\])*\])\((?!https?:)([^)\s]+)\)/g, (_, label: string, target: string) => {
      return `${label}(${label.startsWith('!') ? `/${path.posix.basename(target)}` : linked(target, file, page)})`;
    }),
  );
}

function outsideOfCode(markdown: string, change: (text: string) => string): string {
  return markdown
    .split(/^(```.*?^```)/ms)
    .map((part, index) => (index % 2 === 0 ? change(part) : part))
    .join('');
}

function linked(target: string, file: string, page: string): string {
  const [name = '', anchor] = target.split('#');
  const linkedFile = name === '' ? file : path.posix.join(path.posix.dirname(file), name);
  const found = pageOf(linkedFile, anchor);
  if (found === undefined) return inRepository(linkedFile, anchor);
  const relative = path.posix.relative(path.posix.dirname(page), found.page);
  const place = found.anchor === undefined ? '' : `#${found.anchor}`;
  return found.page === page && place ? place : `${relative.startsWith('.') ? relative : `./${relative}`}.md${place}`;
}

function pageOf(file: string, anchor: string | undefined): Target | undefined {
  if (file === 'README.md') return { page: 'start', anchor };
  if (file === 'docs/review.md' && anchor !== undefined) {
    if (RULES.some(({ id }) => id === anchor)) return { page: `rules/${anchor}` };
    if (GROUPS.includes(anchor)) return { page: RULES_PAGE, anchor };
  }
  const [, page] = /^docs\/([\w-]+)\.md$/.exec(file) ?? [];
  return page === undefined ? undefined : { page, anchor };
}

function inRepository(file: string, anchor: string | undefined): string {
  if (!existsSync(packagePath(file))) throw new Error(`a page links to ${file}, which does not exist`);
  const kind = lstatSync(packagePath(file)).isDirectory() ? 'tree' : 'blob';
  return `${manifest.homepage}/${kind}/main/${file}${anchor === undefined ? '' : `#${anchor}`}`;
}
