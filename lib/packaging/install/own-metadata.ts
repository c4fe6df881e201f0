import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownProject } from '../project/own-project';

/**
 * Writes the metadata of an installation: a backend may read its own version from importlib.metadata, or find its
 * plugins by entry points. Its code is in the backend's folder and is not built.
 */
export function writeOwnMetadata(directory: string, sitePackages: string): void {
  const project = ownProject(directory);
  if (!project) return;
  const name = project.name.replace(/[-_.]+/g, '_');
  const folder = join(sitePackages, `${name}-${project.version}.dist-info`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'METADATA'), `Metadata-Version: 2.1\nName: ${project.name}\nVersion: ${project.version}\n`);
  const groups = Object.entries(project.entryPoints);
  if (!groups.length) return;
  const text = groups.map(([group, entries]) => {
    const lines = Object.entries(entries).map(([entry, value]) => `${entry} = ${value}\n`);
    return `[${group}]\n${lines.join('')}`;
  });
  writeFileSync(join(folder, 'entry_points.txt'), text.join('\n'));
}
