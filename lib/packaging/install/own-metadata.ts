import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownProject } from '../project/own-project';

/**
 * Writes the metadata of an installation: a backend may read its own version from importlib.metadata, or find its
 * plugins by entry points. Its code is in the backend's folder and is not built.
 */
export function writeOwnMetadata(directory: string, sitePackages: string): void {
  const own = ownProject(directory);
  if (!own) return;
  const name = own.name.replace(/[-_.]+/g, '_');
  const folder = join(sitePackages, `${name}-${own.version}.dist-info`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'METADATA'), `Metadata-Version: 2.1\nName: ${own.name}\nVersion: ${own.version}\n`);
  const groups = Object.entries(own.entryPoints);
  if (!groups.length) return;
  const text = groups.map(([group, entries]) => {
    const lines = Object.entries(entries).map(([entry, value]) => `${entry} = ${value}\n`);
    return `[${group}]\n${lines.join('')}`;
  });
  writeFileSync(join(folder, 'entry_points.txt'), text.join('\n'));
}
