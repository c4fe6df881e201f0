import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onlyImported, option, runtimeOption } from '../code-in-messages';
import { nameOf, normalized } from '../dependencies/parsing/requirement';
import { PackagingError } from '../errors';
import type { FunctionPlatform } from '../platform';
import { UvFailed } from '../uv';
import { errorLine, failedDistribution, notCheckedOut } from './build-failure';
import { gitFailure, notFetched } from './from-git';

/**
 * Code compiled on this machine does not run on Lambda's Linux, architecture and Python. So nothing is compiled: a source
 * distribution that requires a compiler fails right away, and one with an optional compiled part is built without it.
 */
export const WITHOUT_COMPILERS = { CC: 'false', CXX: 'false', FC: 'false', RUSTC: 'false' };

/** uv caches builds by their settings, so the project's own environment never gets a distribution without its compiled part. */
export const BUILD_OPTIONS = ['--config-setting', 'cdk-alembic=without-compilers'];

/**
 * Drivers whose wheels have a different name. Both are built from the same source at each release:
 * https://www.psycopg.org/docs/install.html
 */
const WITH_WHEELS: Readonly<Record<string, string>> = { psycopg2: 'psycopg2-binary', 'psycopg-c': 'psycopg-binary' };

/** The distributions that requirements such as `psycopg2-binary==2.9.10` replace: their own, and those with the same modules. */
export function replacedBy(requirements: readonly string[]): string[] {
  const names = requirements.flatMap((text) => nameOf(text) ?? []);
  return [...names, ...Object.keys(WITH_WHEELS).filter((name) => names.includes(WITH_WHEELS[name] as string))];
}

/** The same version of a driver with wheels, such as `psycopg2-binary==2.9.10`; undefined if it is none of those. */
export function withWheels({ name, version }: Unbuilt): string | undefined {
  const other = WITH_WHEELS[name];
  return other && version ? `${other}==${version}` : other;
}

/** Whether a distribution has a driver's wheels. */
export function hasDriverWheels(name: string): boolean {
  return Object.values(WITH_WHEELS).includes(name);
}

/** What every run imports. */
const NEVER_LEFT_OUT = ['alembic', 'sqlalchemy', 'mako', 'markupsafe'];

/** A distribution that can't be built. */
export interface Unbuilt {
  readonly name: string;
  readonly version?: string | undefined;
  /** The requirement that no wheel meets, such as `shop>=2`, if it allows several versions. */
  readonly range?: string | undefined;
  /** The reason from its build. */
  readonly reason?: string | undefined;
}

/** Another Python version, and the distributions with wheels for it but none for the function's. */
export interface OtherPython {
  readonly version: string;
  readonly names: readonly string[];
}

/** Options if distributions can't be built. */
export interface Alternatives {
  readonly other?: OtherPython | undefined;
  /** Newer versions, which have wheels. */
  readonly newer?: readonly string[];
  /** The megabytes of everything else, if they exceed Lambda's limit. */
  readonly tooLarge?: number | undefined;
}

/** Distributions without a wheel for the function, which can't be built here. */
export class NeedsCompiling extends PackagingError {
  constructor(
    readonly unbuilt: readonly Unbuilt[],
    readonly platform: FunctionPlatform,
    { other, newer = [], tooLarge }: Alternatives = {},
  ) {
    const { architecture, pythonVersion } = platform;
    const names = unbuilt.map(({ name }) => name);
    const renewed = newer.flatMap((requirement) => nameOf(requirement) ?? []);
    const others = names.filter((name) => !hasDriverWheels(name) && !other?.names.includes(name) && !renewed.includes(name));
    const optional = others.filter((name) => !NEVER_LEFT_OUT.includes(name));
    // A partial solution beside a complete one is no help.
    const [isByNewer, isByPython] = [newer.length === names.length, other?.names.length === names.length];
    const byNewer =
      newer.length && (isByNewer || !isByPython)
        ? `${option('add', newer)} packages ${newer.length > 1 ? 'newer versions, which have' : 'a newer version, which has'} some`
        : undefined;
    const byPython =
      other && (isByPython || !isByNewer)
        ? `${runtimeOption(other.version)} has wheels for ${other.names.join(', ')}`
        : undefined;
    // The option that solves most cases comes first.
    const isMost = (other?.names.length ?? 0) >= newer.length;
    const remedies = [
      ...(isMost ? [byPython, byNewer] : [byNewer, byPython]).filter((remedy) => remedy !== undefined),
      ...(optional.length
        ? [
            tooLarge
              ? `${onlyImported()} leaves out everything that migrations do not import (without ${optional.join(', ')} alone, the package would have ${tooLarge} MB, and Lambda allows 250)`
              : `${option('without', optional)} leaves out what migrations do not import, ${onlyImported()} detects that automatically`,
          ]
        : []),
      ...(others.length ? [`${option('wheels')} adds a folder of wheels that you built for Lambda`] : []),
    ];
    const reasons = unbuilt.flatMap(({ name, reason }) => (reason ? [`${name}: ${reason}`] : []));
    super(
      'needs_compiling',
      `${names.join(', ')} ${names.length > 1 ? 'have' : 'has'} no wheel for Python ${pythonVersion} on Linux ${architecture} and ` +
        `can't be built without a compiler${reasons.length ? ` (${reasons.join('; ')})` : ''}: ${remedies.join('; ')}`,
    );
  }
}

/** The user's error for a failed download or build; undefined for any other error. */
export function failureOf(error: unknown, platform: FunctionPlatform): PackagingError | undefined {
  if (!(error instanceof UvFailed)) return undefined;
  const { stderr } = error;
  const fromGit = notFetched(error);
  if (fromGit) return gitFailure(fromGit, []);
  // uv's resolver, of a distribution without a source.
  const [, unfit, at] =
    /Because ([\w.-]+?)(?:\{[^}]*\})?==(\S+) has no (?:wheels|usable wheels|source distribution)/.exec(stderr) ?? [];
  if (unfit) return new NeedsCompiling([{ name: normalized(unfit), version: at }], platform);
  const [, range] =
    /Because (?:all versions of )?([\w.-]+(?:[<>=!~]=?[\w.,<>=!~*]+)?) ha(?:s|ve) no (?:usable )?wheels/.exec(stderr) ?? [];
  if (range) return new NeedsCompiling([{ name: nameOf(range) as string, range }], platform);
  const { name, version } = failedDistribution(stderr);
  const [, absent] = /Distribution not found at: (file:\/\/\S+)/.exec(stderr) ?? [];
  if (absent) return notCheckedOut(fileURLToPath(absent), 'does not exist');
  if (!name) return undefined;
  return new NeedsCompiling([{ name: normalized(name), version, reason: buildReason(stderr) }], platform);
}

/** The reason from a failed build, unless it is just the missing compiler. */
function buildReason(stderr: string): string {
  const last = errorLine(stderr);
  return /\bfalse\b|^error: Failed to|returned non-zero exit status/i.test(last) ? '' : last.slice(0, 200);
}

/**
 * Throws NeedsCompiling for anything that was compiled on this machine, even if it comes from uv's cache.
 *
 * @param own distributions whose wheels the team built for Lambda
 * @param hasWheel whether the index has a wheel for the function, which uv prefers to a build
 */
export function refuseCompiled(
  sitePackages: string,
  platform: FunctionPlatform,
  own: readonly string[],
  hasWheel: (name: string, version: string) => boolean,
): void {
  const compiled = readdirSync(sitePackages)
    .filter((name) => name.endsWith('.dist-info'))
    .map((folder) => ({ folder, parts: folder.replace(/\.dist-info$/, '').split('-') }))
    .map(({ folder, parts: [name = '', version = ''] }) => ({
      folder: join(sitePackages, folder),
      name: normalized(name),
      version,
    }))
    .filter(({ folder, name, version }) => {
      if (own.includes(name) || !isForOneMachine(folder)) return false;
      const address = addressOf(folder);
      // mysql-connector-python and torch name their wheels' files after manylinux, but not what is in them.
      return address === undefined ? !hasWheel(name, version) : !address.endsWith('.whl');
    });
  if (compiled.length) throw new NeedsCompiling(compiled, platform);
}

/** Whether an installed distribution has compiled files, and claims only the platform where they were compiled. */
function isForOneMachine(folder: string): boolean {
  const [wheel, record] = [join(folder, 'WHEEL'), join(folder, 'RECORD')];
  if (!existsSync(wheel) || !existsSync(record)) return false;
  const isLocal = /^Tag: \S+-(?:linux|macosx|win)_?\w*\s*$/m.test(readFileSync(wheel, 'utf8'));
  return isLocal && /\.(?:so|dylib|pyd)\b/.test(readFileSync(record, 'utf8'));
}

/** Where a distribution comes from if that is not an index: https://packaging.python.org/en/latest/specifications/direct-url/ */
function addressOf(folder: string): string | undefined {
  const file = join(folder, 'direct_url.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).url : undefined;
}
