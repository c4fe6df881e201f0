import { existsSync } from 'node:fs';
import path from 'node:path';
import { run } from '../../examples/local-aws';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** The browser that CHROMIUM names, or one that is installed. */
export function findChromium({ CHROMIUM, PATH = '' }: NodeJS.ProcessEnv = process.env): string | undefined {
  if (CHROMIUM) return CHROMIUM;
  const candidates = PATH.split(path.delimiter).flatMap((directory) => NAMES.map((name) => path.join(directory, name)));
  return candidates.find((file) => existsSync(file));
}

/** A browser for the tests of the review's page. It is installed if this may be done without asking anybody. */
export async function chromium(folder: string, onInstall: (tool: string) => void): Promise<string> {
  const found = findChromium();
  if (found) return found;
  if (process.platform === 'linux' && process.getuid?.() === 0) {
    onInstall('chromium');
    for (const args of [['update'], ['install', '--yes', '--no-install-recommends', 'chromium']]) {
      await run('apt-get', args, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, folder, cwd: folder });
    }
  }
  const installed = findChromium();
  if (installed) return installed;
  throw new Error("no Chromium: install it (Debian: 'apt-get install chromium'), or name one in the variable CHROMIUM");
}
