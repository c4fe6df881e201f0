import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FunctionPlatform, isOnAmazonLinux2, uvTarget } from '../platform';
import { ANY_PYTHON, UvFailed, uv } from '../uv';
import type { OtherPython, Unbuilt } from './compiled';

/** Checking more distributions would take longer than trying the installation. */
const MAX_ASKED = 8;

/** The first Python that has wheels for most of the distributions that can't be built. */
export function otherPython(
  directory: string,
  unbuilt: readonly Unbuilt[],
  platform: FunctionPlatform,
  versions: readonly string[],
): OtherPython | undefined {
  const pins = unbuilt.flatMap(({ name, version, range }) => {
    const pin = version ? `${name}==${version}` : range;
    return pin ? [{ name, pin }] : [];
  });
  const target = mkdtempSync(join(tmpdir(), 'cdk-alembic-'));
  try {
    const found = versions
      .filter((version) => version !== platform.pythonVersion)
      .map((version) => {
        const other = { ...platform, pythonVersion: version };
        const where = [...uvTarget(other, isOnAmazonLinux2(other)), '--target', target];
        return {
          version,
          names: pins.slice(0, MAX_ASKED).flatMap(({ name, pin }) => (hasWheel(directory, pin, where) ? [name] : [])),
        };
      });
    const most = Math.max(0, ...found.map(({ names }) => names.length));
    return most ? found.find(({ names }) => names.length === most) : undefined;
  } finally {
    rmSync(target, { recursive: true, force: true });
  }
}

function hasWheel(directory: string, pin: string, where: readonly string[]): boolean {
  try {
    uv(directory, ['pip', 'install', '--dry-run', '--quiet', '--no-deps', '--only-binary', ':all:', ...where, pin]);
    return true;
  } catch (error) {
    if (error instanceof UvFailed) return false;
    throw error;
  }
}

/**
 * Of distributions without a wheel for the function, the oldest newer versions that have one, such as `psycopg2-binary==2.9.10`. None
 * for those without a version, or without such a release.
 */
export function newerVersions(directory: string, unbuilt: readonly Unbuilt[], platform: FunctionPlatform): string[] {
  const pinned = unbuilt.filter(({ version }) => version).slice(0, MAX_ASKED);
  const together = oldestWithWheels(directory, pinned, platform);
  if (together || pinned.length < 2) return together ?? [];
  return pinned.flatMap((one) => oldestWithWheels(directory, [one], platform) ?? []);
}

/** Undefined if one of them has no newer version with a wheel. */
function oldestWithWheels(directory: string, unbuilt: readonly Unbuilt[], platform: FunctionPlatform): string[] | undefined {
  const newer = unbuilt.map(({ name, version }) => `${name}>${version}`);
  return newer.length ? withWheelsFor(directory, newer, ['--resolution', 'lowest', ...uvTarget(platform)]) : undefined;
}

/** Of distributions such as `numpy-2.4.6`, the newest versions before them that the function's older Linux can run. */
export function olderVersions(directory: string, unfit: readonly string[], platform: FunctionPlatform): string[] {
  return unfit.slice(0, MAX_ASKED).flatMap((name) => {
    return withWheelsFor(directory, [name.replace('-', '<')], uvTarget(platform, true)) ?? [];
  });
}

/** Versions with a wheel that meet requirements. */
function withWheelsFor(directory: string, requirements: readonly string[], options: readonly string[]): string[] | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'cdk-alembic-'));
  const file = join(folder, 'requirements.txt');
  try {
    writeFileSync(file, requirements.map((requirement) => `${requirement}\n`).join(''));
    const quiet = ['--quiet', '--no-deps', '--no-header', '--no-annotate', '--only-binary', ':all:'];
    return uv(directory, ['pip', 'compile', file, ...quiet, ...options, ...ANY_PYTHON])
      .trim()
      .split('\n');
  } catch (error) {
    if (error instanceof UvFailed) return undefined;
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
