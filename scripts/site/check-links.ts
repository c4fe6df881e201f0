import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Links within a built site that lead nowhere: to a file that is missing, or to an id that its page does not have. */
export function deadLinks(site: string, base: string): string[] {
  const files = readdirSync(site, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.html'));
  const pages = new Map(files.map((file) => [file, pageOf(readFileSync(path.join(site, file), 'utf8'))]));
  return [...pages].flatMap(([file, { links }]) =>
    links.flatMap((link) => {
      const [name = '', anchor = ''] = link.split('#') as [string, string?];
      const target = targetOf(file, name, base);
      if (target === undefined || !existsSync(path.join(site, target))) return [`${file}: ${link}`];
      const ids = pages.get(target)?.ids;
      return anchor === '' || ids?.has(decodeURIComponent(anchor)) ? [] : [`${file}: ${link}`];
    }),
  );
}

interface Page {
  readonly ids: ReadonlySet<string>;
  readonly links: readonly string[];
}

function pageOf(html: string): Page {
  const values = (attribute: string) =>
    [...html.matchAll(new RegExp(` ${attribute}="([^"]*)"`, 'g'))].map(([, value = '']) => value.replaceAll('&amp;', '&'));
  const links = [...values('href'), ...values('src')].filter((link) => !/^(https?|data|mailto):/.test(link));
  return { ids: new Set([...values('id'), ...values('name')]), links };
}

/** The file of a link, by its path in the site. Undefined: it is outside of the site. */
function targetOf(from: string, name: string, base: string): string | undefined {
  if (name === '') return from;
  if (name.startsWith('/') && !name.startsWith(base)) return undefined;
  const file = name.startsWith('/') ? name.slice(base.length) : path.posix.join(path.posix.dirname(from), name);
  return file === '' || file.endsWith('/') ? `${file}index.html` : file;
}
