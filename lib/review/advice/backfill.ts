import { parseNode } from '../sql/parse';

/** The argument of `create --backfill`: `users.full_name = name`. */
export interface Backfill {
  /** With its schema unless that is `public`. */
  readonly table: string;
  readonly column: string;
  /** An SQL expression over the row. */
  readonly expression: string;
}

/** Reads `users.full_name = name`; undefined if it is not an assignment to a table's column. Call `loadParser` before. */
export function readBackfill(text: string): Backfill | undefined {
  const [, place = '', expression = ''] = /^\s*((?:"(?:[^"]|"")+"|[\w$.])+)\s*=\s*([^=\s][\s\S]*)$/.exec(text) ?? [];
  const names = [...place.matchAll(/"((?:[^"]|"")+)"|([^."]+)/g)].map(
    ([, own, plain]) => own?.replaceAll('""', '"') ?? plain ?? '',
  );
  const [column, table, schema, ...more] = names.reverse();
  if (!column || !table || more.length) return undefined;
  const node = parseNode(`UPDATE t SET c = (${expression})`);
  if (!node || !('UpdateStmt' in node)) return undefined;
  const { targetList = [], fromClause, whereClause, returningClause } = node.UpdateStmt;
  if (targetList.length !== 1 || fromClause?.length || whereClause || returningClause) return undefined;
  return { table: schema && schema !== 'public' ? `${schema}.${table}` : table, column, expression: expression.trim() };
}

/** The command that writes a revision which fills a column. Only the user knows the value. */
export function fillCommand(table: string, column: string): string {
  return `safe-alembic create "Fill ${column} of ${table}" --backfill "${table}.${column} = ..."`;
}
