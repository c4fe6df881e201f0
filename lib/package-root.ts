import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A path inside this package. Works from lib/, from dist/lib/ and from a bundle in dist/bin/. */
export function packagePath(...segments: string[]): string {
  let directory = __dirname;
  while (!existsSync(join(directory, 'package.json'))) directory = dirname(directory);
  return join(directory, ...segments);
}
