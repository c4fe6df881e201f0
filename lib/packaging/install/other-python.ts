import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FunctionPlatform, isOnAmazonLinux2, uvTarget } from '../platform';
import { UvFailed, uv } from '../uv';
import { hasDriverWheels, type OtherPython, type Unbuilt } from './compiled';

/** Checking more distributions would take longer than trying the installation. */
const MAX_ASKED = 8;

/** The first Python that has wheels for most of the distributions that can't be built. */
export function otherPython(
  directory: string,
  unbuilt: readonly Unbuilt[],
  platform: FunctionPlatform,
  versions: readonly string[],
): OtherPython | undefined {
  const pins = unbuilt.flatMap(({ name, version }) => (version ? [{ name, pin: `${name}==${version}` }] : []));
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

/** Of drivers without a wheel for the function, the oldest newer versions that have one, such as `psycopg2-binary==2.9.10`. */
export function newerDrivers(directory: string, unbuilt: readonly Unbuilt[], platform: FunctionPlatform): string[] {
  const drivers = unbuilt.filter(({ name, version }) => version && hasDriverWheels(name));
  if (!drivers.length) return [];
  const folder = mkdtempSync(join(tmpdir(), 'cdk-alembic-'));
  const file = join(folder, 'requirements.txt');
  try {
    return drivers.flatMap(({ name, version }) => {
      writeFileSync(file, `${name}>${version}\n`);
      const options = [
        '--quiet',
        '--no-deps',
        '--no-header',
        '--no-annotate',
        '--only-binary',
        ':all:',
        '--resolution',
        'lowest',
      ];
      return uv(directory, ['pip', 'compile', file, ...options, ...uvTarget(platform)]).trim() || [];
    });
  } catch (error) {
    if (error instanceof UvFailed) return [];
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
