import type { StatementFailure } from '../../contract/facts';
import { portedForm } from '../sql/other-databases';

/** The starting point lacks an object: in many projects no migration created the base tables. */
const MISSING = ['42P01', '42703', '42704', '42883', '3F000'];
/** The scratch server lacks an extension. */
const NOT_OFFERED = ['58P01', '0A000'];

/** How to start the replay if a statement failed because no migration creates an object; undefined if that would not help. */
export function startingPoint(failure: Pick<StatementFailure, 'sqlState' | 'message'>): string | undefined {
  const { sqlState = '', message } = failure;
  if (portedForm(failure) !== undefined) return undefined;
  const onServer = /\brole "/.test(message) ? 'role' : /extension/.test(message) ? 'extension' : undefined;
  if (onServer && [...MISSING, ...NOT_OFFERED].includes(sqlState)) {
    return `pass an empty database on a server that has the ${onServer} with --database-url`;
  }
  return MISSING.includes(sqlState) ? 'pass a schema dump as the starting point (--baseline)' : undefined;
}
