import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, type Stats, statSync } from 'node:fs';
import path from 'node:path';

/** A project with more files is not searched. */
const MOST_FILES = 20_000;

const NOT_READ = ['node_modules', '__pycache__', 'cdk.out'];

/** Files that a backend may read before, or instead of, those that it has read. */
const SOURCE = /\.(py|ini|toml|cfg)$|(^|[/\\])\.env[^/\\]*$/;

/** All files below a folder, without virtual environments and hidden folders; undefined if there are too many, or a folder can't be read. */
export function filesBelow(folder: string): readonly string[] | undefined {
  const found: string[] = [];
  const walk = (directory: string): boolean => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const full = path.join(directory, entry.name);
      if (!entry.isDirectory()) found.push(full);
      else if (entry.name.startsWith('.') || NOT_READ.includes(entry.name) || existsSync(path.join(full, 'pyvenv.cfg'))) continue;
      else if (!walk(full)) return false;
      if (found.length > MOST_FILES) return false;
    }
    return true;
  };
  try {
    return walk(folder) ? found.sort() : undefined;
  } catch {
    return undefined;
  }
}

export function isSource(file: string): boolean {
  return SOURCE.test(file);
}

/** A hash of a file's content, or of a folder's names; a word if it is missing or unreadable. */
export function contentOf(file: string): string {
  const stats = statsOf(file);
  try {
    if (stats?.isDirectory()) return sha256(JSON.stringify(namesIn(file)));
    return stats?.isFile() ? sha256(readFileSync(file)) : 'absent';
  } catch {
    return 'unreadable';
  }
}

function namesIn(folder: string): readonly string[] {
  const names = readdirSync(folder).filter((name) => !name.startsWith('.') && !NOT_READ.includes(name));
  return names.sort();
}

/** Whether a file, if it exists, was last changed before a time, as `Date.now()` returns it. A folder counts as unchanged. */
export function isOlder(file: string, than: number): boolean {
  const stats = statsOf(file);
  return !stats?.isFile() || Math.max(stats.mtimeMs, stats.ctimeMs) < than;
}

function statsOf(file: string): Stats | undefined {
  try {
    return statSync(file);
  } catch {
    return undefined;
  }
}

export function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
