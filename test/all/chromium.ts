import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../../examples/local-aws';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** The browser that CHROMIUM names, or one that is installed. */
export function findChromium({ CHROMIUM, PATH = '' }: NodeJS.ProcessEnv = process.env): string | undefined {
  if (CHROMIUM) return CHROMIUM;
  const candidates = PATH.split(path.delimiter).flatMap((directory) => NAMES.map((name) => path.join(directory, name)));
  return candidates.find((file) => existsSync(file));
}

/** What is run as root on Debian; the first repairs what an interrupted installation has left. */
const INSTALL = [
  ['dpkg', '--configure', '-a'],
  ['apt-get', 'update'],
  ['apt-get', 'install', '--yes', '--no-install-recommends', 'chromium'],
] as const;

/** Another installation may hold apt's lock, and a mirror may be away for a moment. */
const ATTEMPTS = 8;
const PAUSE_MS = 15_000;

/** A browser for the tests of the review's page. It is installed if this may be done without asking anybody. */
export async function chromium(folder: string, onInstall: (tool: string) => void): Promise<string> {
  const found = findChromium();
  if (found) return found;
  let said = '';
  if (process.platform === 'linux' && process.getuid?.() === 0) {
    onInstall('chromium');
    for (let attempt = 1; attempt <= ATTEMPTS && !findChromium(); attempt++) {
      if (attempt > 1) await sleep(PAUSE_MS);
      said = await install(folder);
    }
  }
  const installed = findChromium();
  if (installed) return installed;
  throw new Error(`no Chromium: install it (Debian: 'apt-get install chromium'), or name one in the variable CHROMIUM\n${said}`);
}

async function install(folder: string): Promise<string> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const said: string[] = [];
  for (const [command, ...args] of INSTALL) {
    said.push((await run(command, args, { env, folder, cwd: folder })).output);
  }
  return said.join('\n');
}
