import { parseArgs } from 'node:util';

export interface Arguments {
  /** Names of rows; all of them when it is empty. */
  readonly only: readonly string[];
  /** Where the results go. */
  readonly json: string | undefined;
  /** Measure nothing: bring the results that are in bench/results.json into README and docs. */
  readonly write: boolean;
}

export const USAGE = `npm run bench                              measures every row
npm run bench -- --only NAME ...           measures some rows
npm run bench -- --json bench/results.json writes the results down, too
npm run bench -- --write                   measures nothing: brings bench/results.json into README.md and docs/
`;

/** Throws what is wrong with the command line. */
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
