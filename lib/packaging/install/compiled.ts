import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { normalized } from '../dependencies/requirement';
import { PackagingError } from '../errors';
import type { FunctionPlatform } from '../platform';

/**
 * What this machine compiles does not run on Lambda's, whose Linux, architecture and Python are others. So nothing is compiled: a source
 * distribution that needs a compiler fails at once, and one whose compiled part is optional does without.
 */
export const WITHOUT_COMPILERS = { CC: 'false', CXX: 'false', FC: 'false', RUSTC: 'false' };

/** uv keeps what it builds under its settings: the project's own environment does not get a distribution without its compiled part. */
export const BUILD_OPTIONS = ['--config-setting', 'cdk-alembic=without-compilers'];

/** Distributions that have wheels under another name. */
const WITH_WHEELS: Readonly<Record<string, string>> = { psycopg2: 'psycopg2-binary', 'psycopg-c': 'psycopg-binary' };

/** A distribution without a wheel for the function, which can't be built here. */
export class NeedsCompiling extends PackagingError {
  constructor(
    readonly distribution: string,
    { architecture, pythonVersion }: FunctionPlatform,
    reason: string,
  ) {
    const twin = WITH_WHEELS[distribution];
    const leave = `without: ['${distribution}'] leaves it out if migrations do not import it`;
    const remedy = twin
      ? `depend on ${twin} instead, or ${leave}`
      : `${leave}; or build a wheel of it for Lambda and name its folder with wheels`;
    super(
      'needs_compiling',
      `${distribution} has no wheel for Python ${pythonVersion} on Linux ${architecture} and can't be built without a compiler: ${remedy}.${
        reason ? ` uv says: ${reason}` : ''
      }`,
    );
  }
}

/** uv's failure to build a distribution. */
export function needsCompiling(error: unknown, platform: FunctionPlatform): NeedsCompiling | undefined {
  if (!(error instanceof PackagingError) || error instanceof NeedsCompiling) return undefined;
  const [, name] = /Failed to (?:download and )?build `?([A-Za-z0-9][\w.-]*?)(?:==| @|@|`)/.exec(error.message) ?? [];
  if (!name) return undefined;
  const cause = error.message.slice(error.message.indexOf('cause:')).split('\n')[0] as string;
  return new NeedsCompiling(normalized(name), platform, cause.replace(/^cause:\s*/, ''));
}

/** Throws NeedsCompiling for what was compiled here, be it long ago and taken from uv's cache. */
export function refuseCompiled(sitePackages: string, platform: FunctionPlatform, own: readonly string[]): void {
  for (const folder of readdirSync(sitePackages).filter((name) => name.endsWith('.dist-info'))) {
    const name = normalized(folder.split('-', 1)[0] as string);
    const [wheel, record] = ['WHEEL', 'RECORD'].map((file) => join(sitePackages, folder, file)) as [string, string];
    if (own.includes(name) || !existsSync(wheel) || !existsSync(record)) continue;
    const isOfThisMachine = /^Tag: \S+-(?:linux|macosx|win)_?\w*\s*$/m.test(readFileSync(wheel, 'utf8'));
    if (isOfThisMachine && /\.(?:so|dylib|pyd)\b/.test(readFileSync(record, 'utf8')))
      throw new NeedsCompiling(name, platform, '');
  }
}
