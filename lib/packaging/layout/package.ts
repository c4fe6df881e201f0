import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { BACKEND_DIRECTORY, DEPENDENCIES_DIRECTORY, RUNNER_DIRECTORY } from '../../contract';
import { packagePath } from '../../package-root';
import { named, onlyImported, option } from '../code-in-messages';
import { PackagingError } from '../errors';
import { type Distribution, sizeOf } from '../imported/installed';
import type { FunctionPlatform } from '../platform';
import { copyFiles, hashFiles, listFiles } from '../project/sources';
import { rdsCertificates, writeRdsCertificates } from './rds-certificates';

/** Increase this when the same input is packaged differently, or when lib/data-loss has different findings for it. */
const PACKAGING_VERSION = 12;

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const MAX_UNZIPPED_BYTES = 250 * 1024 * 1024;

/** From this size on, a backend's own files may be the reason for a package that is too large. */
const LARGE_SOURCES = 25 * 1024 * 1024;

/** A package that can be built. Its hash is known in advance; equal hashes mean equal packages. */
export interface Package {
  readonly hash: string;
  readonly warnings: readonly string[];
  /** Writes the package to an empty directory, and loads it. */
  build(target: string): void;
  /**
   * Loads a package that was built earlier, unless it was already loaded with these values of environment variables: the hash does
   * not include them. Returns warnings. Throws PackagingError if it can't run.
   */
  prove(target: string): readonly string[];
}

/** The runner's folder on this machine. */
export function runnerDirectory(): string {
  return packagePath('lambda', 'migrate', RUNNER_DIRECTORY);
}

/** Hash of all files that `copyRunner` copies. */
export function hashRunner(): string {
  return createHash('sha256').update(hashFiles(runnerDirectory(), runnerFiles())).update(rdsCertificates()).digest('hex');
}

/** Copies the runner and its trusted certificate authorities into the directory that becomes /var/task. */
export function copyRunner(target: string): void {
  const runner = join(target, RUNNER_DIRECTORY);
  copyFiles(runnerDirectory(), runnerFiles(), runner);
  writeRdsCertificates(runner);
}

function runnerFiles(): string[] {
  return listFiles(runnerDirectory()).filter((file) => file.endsWith('.py'));
}

/** Hash of the code that reads what revisions destroy: the package has its findings. */
export function hashGuard(): string {
  const guard = packagePath('lambda', 'migrate', 'cdk_alembic_local', 'upgrade_sql');
  return hashFiles(
    guard,
    listFiles(guard).filter((file) => file.endsWith('.py')),
  );
}

/** Hash of a package, from all of its inputs. */
export function hashPackage(platform: FunctionPlatform, parts: Readonly<Record<string, string>>): string {
  const all = { version: PACKAGING_VERSION, runner: hashRunner(), guard: hashGuard(), ...platform, ...parts };
  return createHash('sha256')
    .update(JSON.stringify(Object.entries(all).sort()))
    .digest('hex');
}

/**
 * Throws for a package over Lambda's limit: Lambda would reject it after the upload, in the middle of the deploy.
 *
 * @param distributions all that are installed
 * @param reached those that `only: imported` would keep; undefined if it was used
 * @param reasons why it may be larger than necessary
 */
export function checkSize(
  target: string,
  directory: string,
  distributions: readonly Distribution[],
  { reached, reasons = [] }: { reached?: () => ReadonlySet<Distribution>; reasons?: readonly string[] },
): void {
  const bytes = sizeOf(target);
  if (bytes <= MAX_UNZIPPED_BYTES) return;
  const sitePackages = join(target, DEPENDENCIES_DIRECTORY);
  const sizeOfAll = (entries: Iterable<string>) =>
    [...entries].reduce((sum, entry) => sum + sizeOf(join(sitePackages, entry)), 0);
  const [first, ...others] = distributions
    .map(({ name, entries }) => ({ name, size: sizeOfAll(entries) }))
    .sort((a, b) => b.size - a.size)
    .slice(0, 3);
  const kept = reached && sizeOfAll(new Set([...reached()].flatMap(({ entries }) => entries)));
  const own = sizeOf(join(target, BACKEND_DIRECTORY));
  const remedies = [
    ...(kept === undefined
      ? []
      : [`with ${onlyImported()} it would have at most ${megabytes(bytes - sizeOf(sitePackages) + kept)} MB`]),
    ...(first
      ? [
          `${option('without', [first.name])} leaves out the largest, with ${megabytes(first.size)} MB, if migrations do not import it` +
            (others.length ? ` (next: ${others.map(({ name, size }) => `${name}, ${megabytes(size)} MB`).join('; ')})` : ''),
        ]
      : []),
    ...(own < LARGE_SOURCES ? [] : [`${option('exclude')} leaves out files of the backend, which have ${megabytes(own)} MB`]),
    `or use ${named('MigrationCode.fromImage')}`,
  ];
  throw new PackagingError(
    'too_large',
    `the package of ${directory} has ${megabytes(bytes)} MB unzipped, and Lambda allows 250: ${[...reasons, ...remedies].join('; ')}`,
  );
}

/** The megabytes of a folder, if they exceed Lambda's limit. */
export function tooLarge(folder: string): number | undefined {
  const bytes = sizeOf(folder);
  return bytes > MAX_UNZIPPED_BYTES ? megabytes(bytes) : undefined;
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / 1024 / 1024);
}
