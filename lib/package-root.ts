import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A path inside this package; the same whether this file runs from lib/, from dist/lib/ or from a bundle in dist/bin/. */
export function packagePath(...segments: string[]): string {
  let directory = __dirname;
  while (!existsSync(join(directory, 'package.json'))) directory = dirname(directory);
  return join(directory, ...segments);
}
