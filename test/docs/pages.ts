import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(__dirname, '../..');

/** README and every page of docs/, by their path from the root. */
export const PAGES = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)].filter((path) =>
  path.endsWith('.md'),
);

export interface Block {
  readonly page: string;
  /** Line of the page on which its code begins. */
  readonly line: number;
  readonly code: string;
}

export function textOf(page: string): string {
  return readFileSync(join(root, page), 'utf8');
}

/** The code blocks of a language, in all pages or in one. */
export function blocks(language: string, pages: readonly string[] = PAGES): Block[] {
  return pages.flatMap((page) =>
    [...textOf(page).matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(({ index, 1: code = '' }) => ({
      page,
      line: textOf(page).slice(0, index).split('\n').length + 1,
      code,
    })),
  );
}
