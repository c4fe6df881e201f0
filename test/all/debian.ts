import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../../examples/local-aws';

/** Another installation may hold apt's lock, and a mirror may be away for a moment. */
const ATTEMPTS = 8;
const PAUSE_MS = 15_000;

/** The first of some commands that is in a search path. */
export function findCommand(names: readonly string[], searchPath = process.env.PATH ?? ''): string | undefined {
  const candidates = searchPath.split(path.delimiter).flatMap((directory) => names.map((name) => path.join(directory, name)));
  return candidates.find((file) => existsSync(file));
}

/**
 * Installs a package of Debian where this may be done without asking anybody: as root.
 *
 * @param find what it must bring
 * @returns what `find` found, or what the installation said
 */
export async function debianPackage(
  name: string,
  find: () => string | undefined,
  folder: string,
  onInstall: (tool: string) => void,
): Promise<{ readonly found?: string; readonly said: string }> {
  const before = find();
  if (before) return { found: before, said: '' };
  let said = '';
  if (process.platform === 'linux' && process.getuid?.() === 0) {
    onInstall(name);
    for (let attempt = 1; attempt <= ATTEMPTS && !find(); attempt++) {
      if (attempt > 1) await sleep(PAUSE_MS);
      said = await install(name, folder);
    }
  }
  return { found: find(), said };
}

async function install(name: string, folder: string): Promise<string> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const said: string[] = [];
  const commands = [
    // Repairs what an interrupted installation has left.
    ['dpkg', '--configure', '-a'],
    ['apt-get', 'update'],
    ['apt-get', 'install', '--yes', '--no-install-recommends', name],
  ] as const;
  for (const [command, ...args] of commands) said.push((await run(command, args, { env, folder, cwd: folder })).output);
  return said.join('\n');
}
