import type { StatementFailure } from '../../contract/facts';
import { portedForm } from '../sql/other-databases';

/** The starting point lacks an object: in many projects no migration created the base tables. */
const MISSING = ['42P01', '42703', '42704', '42883', '3F000'];
/** It has a table or a column already: an earlier revision may have created it from the models as they are now (create_all). */
export const TOO_EARLY = ['42P07', '42701'];
/** The scratch server lacks an extension. */
const NOT_OFFERED = ['58P01', '0A000'];

/** How to start the replay if a statement failed because of its starting point; undefined if that would not help. */
export function startingPoint(failure: Pick<StatementFailure, 'sqlState' | 'message'>): string | undefined {
  const { sqlState = '', message } = failure;
  if (portedForm(failure) !== undefined) return undefined;
  const onServer = /\brole "/.test(message) ? 'role' : /extension/.test(message) ? 'extension' : undefined;
  if (onServer && [...MISSING, ...NOT_OFFERED].includes(sqlState)) {
    return `pass an empty database on a server that has the ${onServer} with --database-url`;
  }
  return [...MISSING, ...TOO_EARLY].includes(sqlState) ? 'pass a schema dump as the starting point (--baseline)' : undefined;
}
