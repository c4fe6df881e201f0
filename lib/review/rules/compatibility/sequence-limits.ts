import { execute } from '../../advice/python';
import { quotedTable } from '../../advice/sql';
import type { Rule } from '../rule';

/** The last number of an `integer`: a lower limit is no consequence of the column's type. */
const LAST_INTEGER = 2_147_483_647;

/** https://www.postgresql.org/docs/current/sql-altersequence.html: CYCLE, MAXVALUE */
export const sequenceLimited: Rule = {
  id: 'sequence-limited',
  group: 'compatibility',
  severity: 'warning',
  title: 'a sequence ends early, or begins again',
  *check({ upgrade }) {
    for (const { action, isNewObject, isNewTable, place } of upgrade.steps) {
      if (action.does !== 'limit sequence' || isNewObject(action.sequence) || isNewTable(action.of ?? '')) continue;
      const { sequence, cycles, max } = action;
      if (cycles) {
        yield {
          ...place,
          message: `${sequence} begins again after its last number: INSERTs then fail with a duplicate key, or repeat the numbers of existing rows`,
          instead: `# for a key, give the column and the sequence a larger type, and keep:\n${execute(`ALTER SEQUENCE ${quotedTable(sequence)} NO CYCLE`)}`,
        };
      } else if (max !== undefined && max < LAST_INTEGER) {
        yield {
          ...place,
          message: `${sequence} ends at ${max}: every INSERT that needs a number after that fails`,
          instead: execute(`ALTER SEQUENCE ${quotedTable(sequence)} NO MAXVALUE`),
        };
      }
    }
  },
};
