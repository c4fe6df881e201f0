import { readFileSync } from 'node:fs';
import { packagePath } from '../package-root';

const SQUAWK = 'squawk-';

/** A rule's section of `docs/review.md`, which the package contains, as Markdown; undefined if there is no such rule. */
export function rulePage(rule: string): string | undefined {
  const title = rule.startsWith(SQUAWK) ? 'squawk' : rule;
  const section = ruleSection(title);
  if (section === undefined) return undefined;
  const more = title === 'squawk' ? `\nThis one: https://squawkhq.com/docs/${rule.slice(SQUAWK.length)}\n` : '';
  return `${withoutRelativeLinks(section)}\n${more}`;
}

/** A section of `docs/review.md`, without its heading. */
export function ruleSection(title: string): string | undefined {
  const sections = readFileSync(packagePath('docs', 'review.md'), 'utf8').split(/^##+ /m);
  return sections
    .find((text) => text.startsWith(`${title}\n`))
    ?.slice(title.length)
    .trim();
}

/** Markdown without relative links, which only work on the docs pages. */
function withoutRelativeLinks(markdown: string): string {
  return markdown.replace(/\[([^\]]*)\]\((?!https?:)[^)]*\)/g, '$1');
}
