import { execute } from '../../advice/python';
import { quoted, quotedTable } from '../../advice/sql';
import type { RevisionFunction, Step } from '../../revision/analyzed-revision';
import { existingType } from '../../revision/operations';
import { columnType } from '../../sql/column-types';
import { nameList } from '../name-list';
import type { Rule } from '../rule';

/** https://www.postgresql.org/docs/current/datatype-datetime.html#DATATYPE-DATETIME-SPECIAL-VALUES */
export const frozenDefault: Rule = {
  id: 'frozen-default',
  group: 'conventions',
  severity: 'warning',
  title: "a default is 'now()' as a text: every row gets the time of the migration",
  *check({ upgrade }) {
    for (const step of upgrade.steps) {
      const [column, ...more] = frozenColumns(step, upgrade);
      if (column === undefined || !('table' in step.action)) continue;
      const { table } = step.action;
      yield {
        ...step.place,
        message:
          `the default of ${nameList([column, ...more].map((name) => `${table}.${name}`))} is a text, which PostgreSQL reads once: every row ` +
          'gets the time at which this revision runs',
        instead: `# server_default=sa.func.now(), here and in the model; or:\n${execute(`ALTER TABLE ${quotedTable(table)} ALTER COLUMN ${quoted(column)} SET DEFAULT now()`)}`,
      };
    }
  },
};

function frozenColumns({ action, call }: Step, { findTable, tablesAfter }: RevisionFunction): readonly string[] {
  switch (action.does) {
    case 'create table':
      return action.columns.filter(({ isMoment, type }) => isMoment && isTime(type)).map(({ name }) => name);
    case 'add column':
      return action.column.isMoment && isTime(action.column.type) ? [action.column.name] : [];
    case 'set default': {
      const { columns = [] } = tablesAfter[action.table] ?? findTable(action.table) ?? {};
      const type = columns.find(({ name }) => name === action.column)?.type ?? existingType(call)?.type;
      return action.isMoment && type !== undefined && isTime(type) ? [action.column] : [];
    }
    default:
      return [];
  }
}

function isTime(type: string): boolean {
  return /^(?:timestamp|date|time)\b/.test(columnType(type).name);
}
