import { plain, plainLines } from './plain';

/** Escapes untrusted text: it can't become HTML, Markdown, the end of a table's cell or a mention. */
export function escaped(text: string): string {
  return plain(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replace(/[\\`*_[\]|~#@]/g, (character) => `&#${character.charCodeAt(0)};`);
}

export function code(text: string): string {
  return `<code>${escaped(text)}</code>`;
}

/** A block that its own text can't end. */
export function codeBlock(language: string, text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${plainLines(text).join('\n')}\n${fence}`;
}
