import { createHash } from 'node:crypto';
import { recall, remember } from '../../cache';
import type { LoadedWith } from '../proof/proof';

/** A package, and the variables that it is loaded with. */
interface ProvedPackage extends LoadedWith {
  /** The package's hash. */
  readonly hash: string;
  /** The backend's folder, which warnings name. */
  readonly directory: string;
}

/** Proofs of this process, for machines without a writable cache. */
const provedHere = new Map<string, readonly string[]>();

/** The warnings of a package that was loaded with these variables; undefined if it was not. */
export function recallProof(which: ProvedPackage): readonly string[] | undefined {
  const entry = entryName(which);
  const known = provedHere.get(entry) ?? recall(entry)?.toString('utf8');
  try {
    return typeof known === 'string' ? (JSON.parse(known) as string[]) : known;
  } catch {
    // A damaged entry: load it again.
    return undefined;
  }
}

export function rememberProof(which: ProvedPackage, warnings: readonly string[]): void {
  const entry = entryName(which);
  provedHere.set(entry, warnings);
  remember(entry, JSON.stringify(warnings));
}

function entryName(which: ProvedPackage): string {
  const { hash, directory, environment, databaseVariables = {}, hasUnknownVariables, isAssumed } = which;
  const variables = [environment, databaseVariables].map((table) => Object.entries(table).sort());
  const key = JSON.stringify([hash, directory, variables, hasUnknownVariables, isAssumed]);
  return `proof-${createHash('sha256').update(key).digest('hex')}`;
}
