import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { DestroyedData } from '../../lib/data-loss/find-losses';
import { readDataLosses } from '../../lib/packaging/proof/data-losses';
import { type Case, revisionFile } from './cases/case';

/** The findings for each case, from the same code that packaging uses. */
export function judged(cases: readonly Case[]): readonly (readonly DestroyedData[])[] {
  const folder = mkdtempSync(join(tmpdir(), 'data-loss-'));
  try {
    const names = cases.map((one, index) => {
      const files = { [`alembic/versions/r${index}.py`]: revisionFile(one), ...one.files };
      for (const [name, content] of Object.entries(files)) {
        const path = join(folder, `case${index}`, name);
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, content);
      }
      return `alembic/versions/r${index}.py`;
    });
    // Each case is a separate backend, all read at once: modules are searched for in the folders above a revision.
    const found = readDataLosses(
      'python3',
      folder,
      names.map((name, index) => `case${index}/${name}`),
    );
    if (!found) throw new Error('python3 could not read the cases');
    return names.map((name, index) => found[`case${index}/${name}`] ?? []);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
