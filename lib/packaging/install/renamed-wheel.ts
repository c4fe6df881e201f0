import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { normalized } from '../dependencies/parsing/requirement';
import { UvFailed, uv } from '../uv';

/** A distribution whose wheel uv has built. */
export interface BuiltWheel {
  readonly name: string;
  readonly version: string;
}

/**
 * The wheel that uv refuses because it is named after this machine. A setup.py that declares an optional compiled part names its
 * wheel so even if it was built without that part, as those of SQLAlchemy and PyYAML do.
 */
export function refusedWheel(error: unknown): BuiltWheel | undefined {
  if (!(error instanceof UvFailed)) return undefined;
  const [, name, version] = /The built wheel `([^`-]+)-([^`-]+)-[^`]+\.whl` is not compatible with/.exec(error.stderr) ?? [];
  return name && version ? { name: normalized(name), version } : undefined;
}

/**
 * Writes a wheel for all platforms into a folder.
 *
 * @param install installs the distribution alone into a folder, for this machine. Throws if it has compiled files
 */
export function renamedWheel({ name, version }: BuiltWheel, install: (target: string) => void, folder: string): void {
  const target = mkdtempSync(join(tmpdir(), 'cdk-alembic-'));
  try {
    install(target);
    const metadata = join(target, readdirSync(target).find((entry) => entry.endsWith('.dist-info')) as string, 'WHEEL');
    const withoutTags = readFileSync(metadata, 'utf8')
      .replace(/^Tag: .*$/gm, '')
      .trim();
    writeFileSync(metadata, `${withoutTags}\nTag: py3-none-any\n`);
    const wheel = join(folder, `${name.replaceAll('-', '_')}-${version}-py3-none-any.whl`);
    uv(target, ['run', '--no-project', 'python', '-m', 'zipfile', '-c', wheel, ...readdirSync(target)]);
  } finally {
    rmSync(target, { recursive: true, force: true });
  }
}
