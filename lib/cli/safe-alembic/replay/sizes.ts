import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type DatabaseStatistics, isStatistics } from '../../../contract';
import { MigrateError } from '../../../contract/failure';
import type { Settings } from '../../../local/settings';
import { type Sizes, SMALL_TABLE } from '../../../review/sizes/size';

/**
 * The sizes of production; undefined without a file. Throws a {@link MigrateError}.
 *
 * @param given the option's file, from the working directory; without it, the one of the settings counts
 */
export function readSizes(settings: Pick<Settings, 'statistics' | 'smallTable'>, given?: string): Sizes | undefined {
  const file = given === undefined ? settings.statistics : path.resolve(given);
  if (file === undefined) return undefined;
  return { statistics: read(file), smallTable: { ...SMALL_TABLE, ...settings.smallTable } };
}

const NEXT = 'write the file with `npx migrate-invoke --stage <stage> --command statistics --json`';

function read(file: string): DatabaseStatistics {
  let document: { readonly statistics?: unknown } | null;
  try {
    document = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new MigrateError('invalid_usage', `the statistics could not be read: ${(error as Error).message}`, NEXT);
  }
  // The command's whole answer, or its part.
  const statistics = document?.statistics ?? document;
  if (isStatistics(statistics)) return statistics;
  throw new MigrateError('invalid_usage', `${file} has no statistics of a database`, NEXT);
}
