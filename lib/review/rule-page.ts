import { readFileSync } from 'node:fs';
import { packagePath } from '../package-root';

const SQUAWK = 'squawk-';

/** What `docs/review.md`, which the package contains, says of a rule, in Markdown. Undefined: there is no such rule. */
export function rulePage(rule: string): string | undefined {
  const title = rule.startsWith(SQUAWK) ? 'squawk' : rule;
  const section = ruleSection(title);
  if (section === undefined) return undefined;
  const more = title === 'squawk' ? `\nThis one: https://squawkhq.com/docs/${rule.slice(SQUAWK.length)}\n` : '';
  return `${withoutPages(section)}\n${more}`;
}

/** A section of `docs/review.md` as it is written there, without its heading. */
export function ruleSection(title: string): string | undefined {
  const sections = readFileSync(packagePath('docs', 'review.md'), 'utf8').split(/^##+ /m);
  return sections
    .find((text) => text.startsWith(`${title}\n`))
    ?.slice(title.length)
    .trim();
}

/** Without links that lead nowhere outside of the page. */
function withoutPages(markdown: string): string {
  return markdown.replace(/\[([^\]]*)\]\((?!https?:)[^)]*\)/g, '$1');
}
