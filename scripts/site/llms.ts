import type { Group } from './navigation';
import { summaryOf, titleOf } from './pages';

/**
 * The site for language models, https://llmstxt.org: what there is, with the address of each page's Markdown.
 *
 * @param address of the site, with a slash at its end
 */
export function llmsText(
  title: string,
  description: string,
  address: string,
  groups: readonly Group[],
  pages: ReadonlyMap<string, string>,
): string {
  const sections = groups.map(
    ({ text, items }) => `## ${text}\n\n${items.flatMap((item) => line(item, address, pages)).join('\n')}\n`,
  );
  return [`# ${title}\n\n> ${description}\n`, ...sections].join('\n');
}

function line(item: Group['items'][number], address: string, pages: ReadonlyMap<string, string>): string[] {
  if ('items' in item) return item.items.flatMap((inner) => line(inner, address, pages));
  const page = item.link.slice(1);
  const markdown = pages.get(page) ?? '';
  return [`- [${titleOf(markdown)}](${address}${page}.md): ${summaryOf(markdown)}`];
}
