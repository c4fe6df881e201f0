import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { recall, remember } from '../../cache';
import { PackagingError } from '../errors';
import { ANY_PYTHON, uv } from '../uv';
import { findDependencies } from './find';

/** The oldest Python that a function can have. */
const OLDEST = '3.11';

/**
 * A pylock.toml with the wheels of all versions that a backend pins in files without wheels' names, as its index lists them.
 * Undefined if it pins nothing, or if uv or the index does not answer: the installation reports that.
 */
export function wheelsOfPins(directory: string, requirements: readonly string[]): string | undefined {
  try {
    const pins = findDependencies(directory, { groups: [], extras: [], without: [], add: [], requirements })?.pins?.() ?? [];
    return pins.length ? listed(directory, pins) : undefined;
  } catch (error) {
    if (error instanceof PackagingError) return undefined;
    throw error;
  }
}

/** An index never changes the files of a version, except to add some. */
function listed(directory: string, pins: readonly string[]): string {
  const text = pins.map((pin) => `${pin}\n`).join('');
  const entry = `wheels-${createHash('sha256').update(text).digest('hex')}`;
  const cached = recall(entry)?.toString('utf8');
  if (cached) return cached;
  const folder = mkdtempSync(join(tmpdir(), 'cdk-alembic-'));
  const [file, lock] = [join(folder, 'requirements.txt'), join(folder, 'pylock.toml')];
  try {
    writeFileSync(file, text);
    const options = ['--quiet', '--universal', '--no-deps', '--python-version', OLDEST, '--format', 'pylock.toml'];
    uv(directory, ['pip', 'compile', file, ...options, ...ANY_PYTHON, '--output-file', lock]);
    const found = readFileSync(lock, 'utf8');
    remember(entry, found);
    return found;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
