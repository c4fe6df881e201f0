import { recall, remember } from '../../cache';
import type { EnvironmentFacts } from '../../contract/facts';
import { sha256 } from './inputs';

/** The inputs of a cached server. */
export interface Manifest {
  /** A hash of everything that is known before the backend starts, except files. */
  readonly setting: string;
  /** A hash of the backend's Python, as it describes itself. */
  readonly python: string;
  /** A hash of the names of all files below the project, except those in `versions` and those that the review writes. */
  readonly names: string;
  /** Folders with revisions. */
  readonly versions: readonly string[];
  /** Hashes of files and folders by absolute path; `absent` for one that was looked for. */
  readonly contents: Readonly<Record<string, string>>;
  /** Ids of the applied revisions, in order. */
  readonly revisions: readonly string[];
  readonly environment: EnvironmentFacts;
}

export interface Entry {
  readonly manifest: Manifest;
  /** The server's data directory. */
  readonly packed: Buffer;
}

/** The entry of that name; undefined if there is none or it is damaged. */
export function recallEntry(name: string): Entry | undefined {
  const stored = recall(name);
  const end = stored?.indexOf('\n') ?? -1;
  if (!stored || end < 0) return undefined;
  const [checksum, text] = [stored.toString('latin1', 0, CHECKSUM), stored.toString('utf8', CHECKSUM, end)];
  if (sha256(text) !== checksum) return undefined;
  return { manifest: JSON.parse(text), packed: stored.subarray(end + 1) };
}

const CHECKSUM = 64;

/** Stores an entry, which only this user can read, because it contains the server's password. */
export function rememberEntry(name: string, { manifest, packed }: Entry): void {
  const text = JSON.stringify(manifest);
  remember(name, Buffer.concat([Buffer.from(`${sha256(text)}${text}\n`), packed]), 0o600);
}
