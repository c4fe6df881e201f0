import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { listOwnFiles } from './sources';

const DOCKERFILE = /(?:^|\/)(?:Dockerfile[^/]*|[^/]+\.Dockerfile)$/;

/** What the backend's Dockerfile sets with ENV, or all of those in its folders alike; without values that refer to other variables. */
export function imageVariables(directory: string): Record<string, string> {
  const files = existsSync(join(directory, 'Dockerfile'))
    ? ['Dockerfile']
    : listOwnFiles(directory).filter((file) => DOCKERFILE.test(file));
  const set = files.flatMap((file) => variablesOf(readFileSync(join(directory, file), 'utf8')));
  const alike = set.filter(
    ([name, value]) => files.length === 1 || set.every(([other, text]) => other !== name || text === value),
  );
  const known = alike.filter(([, value]) => !value.includes('$'));
  return Object.fromEntries(known.map(([name, value]) => [name, name === 'FLASK_APP' ? inBackend(directory, value) : value]));
}

function variablesOf(dockerfile: string): (readonly [string, string])[] {
  const text = dockerfile.replace(/\\\r?\n/g, ' ');
  return [...text.matchAll(/^[ \t]*ENV[ \t]+(.+)$/gim)].flatMap(([, words = '']) => assignments(words.trim()));
}

/** A path of the image as that of the backend's file, by its last folders; another value as it is. */
function inBackend(directory: string, value: string): string {
  if (!value.startsWith('/')) return value;
  const folders = value.split('/');
  const ends = folders.slice(1).map((_, start) => folders.slice(start + 1).join('/'));
  return ends.find((end) => existsSync(join(directory, end))) ?? value;
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
