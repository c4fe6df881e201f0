import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The function's platform. */
export interface FunctionPlatform {
  readonly architecture: 'arm64' | 'x86_64';
  /** Major and minor version of Python, such as `3.13`. */
  readonly pythonVersion: string;
}

/** uv's name for the platform. `manylinux2014` leaves out wheels for a newer Linux, which uv would prefer. */
export function uvPlatform(
  { architecture }: FunctionPlatform,
  linux: 'manylinux_2_28' | 'manylinux2014' = 'manylinux_2_28',
): string {
  return `${architecture === 'arm64' ? 'aarch64' : 'x86_64'}-${linux}`;
}

/** Lambda runs Python before 3.12 on Amazon Linux 2, which has this glibc 2.x; uv knows only 2.17 and 2.28. */
const OLD_GLIBC = 26;
const NAMED_GLIBCS: Record<string, number> = { manylinux1: 5, manylinux2010: 12, manylinux2014: 17 };

/** Installed distributions that require a newer Linux than the function's, such as `greenlet-3.5.6`. */
export function tooNew(sitePackages: string, { pythonVersion }: FunctionPlatform): string[] {
  if (Number(pythonVersion.split('.')[1]) >= 12) return [];
  return readdirSync(sitePackages)
    .filter((name) => name.endsWith('.dist-info') && existsSync(join(sitePackages, name, 'WHEEL')))
    .filter((name) => {
      const wheel = readFileSync(join(sitePackages, name, 'WHEEL'), 'utf8');
      const platforms = [...wheel.matchAll(/^Tag: .*-(manylinux\w+|\w+)\s*$/gm)].map(([, platform = '']) => platform);
      return platforms.length > 0 && Math.min(...platforms.map(glibcOf)) > OLD_GLIBC;
    })
    .map((name) => name.replace(/\.dist-info$/, ''));
}

function glibcOf(platform: string): number {
  const [family = '', , minor] = platform.split('_');
  return NAMED_GLIBCS[family] ?? (family === 'manylinux' ? Number(minor) : 0);
}
