import { recall, remember } from '../../cache';
import { sha256 } from '../replay-cache/inputs';

/** The name in the cache. The Python that is started checks that the bytecode is its own. */
export function bytecodeEntry(code: Readonly<Record<string, string>>, python: readonly string[]): string {
  return `observer-${sha256(JSON.stringify([code, python]))}`;
}

/** The stored bytecode; empty if there is none, or it is damaged. */
export function recallBytecode(entry: string): string {
  const stored = recall(entry)?.toString() ?? '';
  const bytecode = stored.slice(CHECKSUM);
  return sha256(bytecode) === stored.slice(0, CHECKSUM) ? bytecode : '';
}

const CHECKSUM = 64;

/** Stores it where only this user can change it. */
export function rememberBytecode(entry: string, bytecode: string): void {
  remember(entry, `${sha256(bytecode)}${bytecode}`, 0o600);
}
