import { readFileSync, statSync } from 'node:fs';
import { parseJson } from '../../../client/json';

/** Step Functions accepts far less: a larger file is a mistake. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Names of tenants, or why they can't be read. */
export type NameList = { readonly names: readonly string[] } | { readonly problem: string };

/** Reads names from a file: one per line, or a JSON array. */
export function namesFile(file: string): NameList {
  if (file === '') return { problem: '--tenants @ names no file: use --tenants @<file>' };
  if (file === '-') return { problem: '--tenants @- is not supported, because standard input is for answers: use a file' };
  let text: string;
  try {
    if (statSync(file).size > MAX_BYTES) return { problem: `--tenants @${file} is larger than 16 MB: it is not a list of names` };
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    return { problem: `--tenants @${file} can't be read: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}` };
  }
  if (text === '') return { problem: `--tenants @${file} is empty` };
  if (!text.startsWith('[')) return { names: text.split(/\s*\n\s*/) };
  const names = parseJson(text);
  if (Array.isArray(names) && names.every((name) => typeof name === 'string')) {
    return names.length > 0 ? { names } : { problem: `--tenants @${file} has an empty list` };
  }
  return { problem: `--tenants @${file} is not a JSON array of names` };
}
