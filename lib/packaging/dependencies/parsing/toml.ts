import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'smol-toml';
import { PackagingError } from '../../errors';
import { normalized } from './requirement';

// biome-ignore lint/suspicious/noExplicitAny: files of other tools; the reader of a field checks it.
export type Table = Record<string, any>;

/** A TOML file; undefined if it does not exist. Throws PackagingError if it is invalid. */
export function readToml(file: string): Table | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return parse(readFileSync(file, 'utf8')) as Table;
  } catch (error) {
    const [reason] = (error as Error).message.split('\n');
    throw new PackagingError('invalid_file', `${file} can't be read as TOML: ${reason}`);
  }
}

/** The entry of a group or extra, whatever the spelling of its name: `Cloud_Tools` is `cloud-tools`. */
export function entryOf(table: Table | undefined, name: string): Table[string] {
  return Object.entries(table ?? {}).find(([key]) => normalized(key) === normalized(name))?.[1];
}
