import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The function's platform. */
export interface FunctionPlatform {
  readonly architecture: 'arm64' | 'x86_64';
  /** Major and minor version of Python, such as `3.13`. */
  readonly pythonVersion: string;
}

/** Lambda runs Python on Amazon Linux 2023 since 3.12, before that on Amazon Linux 2. These are their minor versions of glibc 2. */
const GLIBC = { amazonLinux2023: 34, amazonLinux2: 26 };

/** Whether Lambda runs a Python on its older Linux. */
export function isOnAmazonLinux2({ pythonVersion }: Pick<FunctionPlatform, 'pythonVersion'>): boolean {
  return Number(pythonVersion.split('.')[1]) < 12;
}

/**
 * uv's options for the platform: of the Linuxes that uv knows, the newest that Lambda's Linux runs. For Amazon Linux 2, the next newer
 * one finds the most wheels, and `older` leaves out those that it can't run. The newest patch release of Python: AWS updates Lambda's,
 * and some distributions require a recent one.
 */
export function uvTarget(platform: FunctionPlatform, older = false): string[] {
  const linux = older ? 'manylinux2014' : isOnAmazonLinux2(platform) ? 'manylinux_2_28' : `manylinux_2_${GLIBC.amazonLinux2023}`;
  const machine = platform.architecture === 'arm64' ? 'aarch64' : 'x86_64';
  return ['--python-platform', `${machine}-${linux}`, '--python-version', `${platform.pythonVersion}.99`];
}

/** Whether Lambda's Linux can run a wheel with a tag such as `manylinux_2_28_x86_64`, on any architecture. */
export function runsOnLambda(tag: string, pythonVersion: string): boolean {
  const glibc = isOnAmazonLinux2({ pythonVersion }) ? GLIBC.amazonLinux2 : GLIBC.amazonLinux2023;
  return /^(?:manylinux|linux_)/.test(tag) && glibcOf(tag) <= glibc;
}

const NAMED_GLIBCS: Record<string, number> = { manylinux1: 5, manylinux2010: 12, manylinux2014: 17 };

/** Installed distributions that require a newer Linux than the function's, such as `greenlet-3.5.6`. */
export function tooNew(sitePackages: string, platform: FunctionPlatform): string[] {
  if (!isOnAmazonLinux2(platform)) return [];
  return readdirSync(sitePackages)
    .filter((name) => name.endsWith('.dist-info') && existsSync(join(sitePackages, name, 'WHEEL')))
    .filter((name) => {
      const wheel = readFileSync(join(sitePackages, name, 'WHEEL'), 'utf8');
      const platforms = [...wheel.matchAll(/^Tag: .*-(manylinux\w+|\w+)\s*$/gm)].map(([, tag = '']) => tag);
      return platforms.length > 0 && Math.min(...platforms.map(glibcOf)) > GLIBC.amazonLinux2;
    })
    .map((name) => name.replace(/\.dist-info$/, ''));
}

function glibcOf(platform: string): number {
  const [family = '', , minor] = platform.split('_');
  return NAMED_GLIBCS[family] ?? (family === 'manylinux' ? Number(minor) : 0);
}
