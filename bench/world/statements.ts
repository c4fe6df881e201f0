import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Database } from './database';
import type { World } from './world';

/** How many statements clients send to a database meanwhile, by PostgreSQL's own log. */
export async function countStatements(
  { folder, postgres }: World,
  { name }: Database,
  run: () => Promise<unknown>,
): Promise<number> {
  const logged = () =>
    readFileSync(path.join(folder, 'postgres', 'postgres.log'), 'utf8').match(/ LOG: {2}(statement|execute [^:]*): /g)?.length ??
    0;
  await postgres.query('postgres', `ALTER DATABASE "${name}" SET log_statement = 'all'`);
  try {
    const before = logged();
    await run();
    return logged() - before;
  } finally {
    await postgres.query('postgres', `ALTER DATABASE "${name}" RESET log_statement`);
  }
}
