import { parseArgs } from 'node:util';

export interface Arguments {
  /** Names of rows; all of them when it is empty. */
  readonly only: readonly string[];
  /** Where the results are written. Rows of the file that were not measured are kept. */
  readonly json: string | undefined;
  /** Measure nothing: write bench/results.json into README and docs. */
  readonly write: boolean;
}

export const USAGE = `npm run bench                              measures every row
npm run bench -- --only NAME ...           measures some rows
npm run bench -- --json bench/results.json also writes the results as JSON
npm run bench -- --only NAME --json bench/results.json
                                           writes some rows, and keeps the others
npm run bench -- --write                   measures nothing: writes bench/results.json into README.md and docs/
`;

/** Throws an error for an invalid command line. */
export function parseArguments(argv: readonly string[], names: readonly string[]): Arguments {
  const options = { only: { type: 'string', multiple: true }, json: { type: 'string' }, write: { type: 'boolean' } } as const;
  const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
  const { only = [], json, write = false } = values;
  // `--only A B`: what follows the first name.
  if (positionals.length && !only.length) throw new Error(`unexpected: ${positionals.join(' ')}`);
  const all = [...only, ...positionals];
  const unknown = all.filter((name) => !names.includes(name));
  if (unknown.length) throw new Error(`no row is named ${unknown.join(', ')}: use ${names.join(', ')}`);
  if (write && (all.length || json)) throw new Error('--write measures nothing: use it alone');
  return { only: all, json, write };
}
