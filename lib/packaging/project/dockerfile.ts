import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the backend's Dockerfile sets with ENV, without values that refer to other variables. */
export function imageVariables(directory: string): Record<string, string> {
  const file = join(directory, 'Dockerfile');
  if (!existsSync(file)) return {};
  const text = readFileSync(file, 'utf8').replace(/\\\r?\n/g, ' ');
  const set = [...text.matchAll(/^[ \t]*ENV[ \t]+(.+)$/gim)].flatMap(([, words = '']) => assignments(words.trim()));
  return Object.fromEntries(set.filter(([, value]) => !value.includes('$')));
}

/** Both forms of ENV: https://docs.docker.com/reference/dockerfile/#env */
function assignments(words: string): (readonly [string, string])[] {
  const [, only, value = ''] = /^(\w+)\s+(.+)$/.exec(words) ?? [];
  if (only) return [[only, value]];
  return [...words.matchAll(/(\w+)=("[^"]*"|'[^']*'|\S*)/g)].map(([, name = '', text = '']) => [
    name,
    text.replace(/^(["'])(.*)\1$/, '$2'),
  ]);
}
