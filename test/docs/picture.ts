import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { root } from './pages';

/** Text without white space, and without what differs from run to run or from machine to machine. */
export function comparable(text: string): string {
  // A terminal breaks a long line anywhere, also in a number or a name.
  return text
    .replace(/\s+/g, '')
    .replace(/\d+(\.\d+)?m?s/g, 'TIME')
    .replace(/\d{4}_\d\d_\d\d_\d{4}-[0-9a-f]{12}/g, 'REVISION')
    .replace(/[0-9a-f]{12,}/g, 'REVISION')
    .replace(/PostgreSQL\d+\.\d+/g, 'POSTGRESQL');
}

export function textOf(markup: string): string {
  const entities: Readonly<Record<string, string>> = {
    amp: '&',
    lt: '<',
    gt: '>',
    quot: '"',
    '#39': "'",
    '#x27': "'",
    '#160': ' ',
  };
  return markup.replace(/<[^>]*>/g, '').replace(/&(#?\w+);/g, (whole, name: string) => entities[name] ?? whole);
}

/** What a picture of a terminal shows, below the command. */
function shownIn(svg: string): string {
  const lines = [...svg.matchAll(/<text class="terminal-r\d[^>]*>(.*?)<\/text>/gs)].map(([, text = '']) => textOf(text));
  return lines.join('');
}

/** What a picture in docs/ shows and what a command prints today, without their times and colors. */
export function shownAndPrinted(picture: string, command: string, printed: string): readonly [shown: string, printed: string] {
  const svg = readFileSync(join(root, 'docs', picture), 'utf8');
  return [comparable(shownIn(svg)), comparable(`$ npx ${command}\n${stripVTControlCharacters(printed)}`)];
}
