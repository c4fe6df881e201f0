import type { TableFacts } from '../../contract/facts';
import { parseNode } from '../sql/parse';
import { quoted, quotedTable } from './sql';

/** The argument of `create --backfill`: `users.full_name = name`. */
export interface Backfill {
  /** With its schema unless that is `public`. */
  readonly table: string;
  readonly column: string;
  /** An SQL expression over the row. */
  readonly expression: string;
}

/** Rows of the first batch. */
const FIRST_BATCH = 1000;
/** The smallest and the largest batch. */
const BATCHES = [100, 100_000] as const;
/** How long a batch takes, in seconds. A pause of the same length follows. */
const SECONDS = 0.5;

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

/** The body of an upgrade that fills a column where it is NULL. It needs `op`, `sa` and `time`. */
export function backfillCode({ table, column, expression }: Backfill, facts: TableFacts): string {
  const key = keyOf(facts);
  const [own, value] = [quotedTable(table), quoted(column)];
  const names = key.map(({ name }) => quoted(name));
  const keys = key.map((_, at) => `key_${at + 1}`);
  const row = (parts: readonly string[]) => (parts.length > 1 ? `(${parts.join(', ')})` : (parts[0] ?? ''));
  const after = `AND ${row(names)} > ${row(key.map(({ type }, at) => `CAST(:${keys[at]} AS ${type})`))}`;
  const filled = text(expression);
  return `# Fills ${value} of ${own} where it is NULL, in the order of the key. Each batch is a transaction of about ${SECONDS} s,
# followed by a pause of the same length. After an interruption, the next run continues with the rows that are still NULL.
fill = """
WITH batch AS (
    SELECT ${names.map((name, at) => `${name} AS ${keys[at]}`).join(', ')} FROM ${own}
    WHERE ${value} IS NULL AND (${filled}) IS NOT NULL /* after the last batch */
    ORDER BY ${names.join(', ')} LIMIT :rows FOR NO KEY UPDATE
), filled AS (
    UPDATE ${own} SET ${value} = ${filled} FROM batch WHERE ${names.map((name, at) => `${own}.${name} = batch.${keys[at]}`).join(' AND ')}
)
SELECT ${keys.map((one) => `CAST(${one} AS text) AS ${one}`).join(', ')} FROM batch
ORDER BY ${keys.map((one) => `batch.${one} DESC`).join(', ')} LIMIT 1
"""
first, next_one = sa.text(fill), sa.text(fill.replace("/* after the last batch */", ${JSON.stringify(after)}))
rows, last = ${FIRST_BATCH}, {}
with op.get_context().autocommit_block():
    while last is not None:
        began = time.monotonic()
        batch = op.get_bind().execute(next_one if last else first, {"rows": rows, **last}).mappings().first()
        took = time.monotonic() - began
        last = dict(batch) if batch else None
        # At most half or twice as many rows as before, from ${BATCHES[0]} to ${BATCHES[1]}.
        rows = min(max(int(rows * min(max(${SECONDS} / max(took, 0.001), 0.5), 2)), ${BATCHES[0]}), ${BATCHES[1]})
        if last:
            time.sleep(took)`;
}

/** The columns of the primary key. */
export function keyOf(facts: TableFacts): readonly { name: string; type: string }[] {
  const columns = facts.constraints.find(({ kind }) => kind === 'primary key')?.columns ?? [];
  return columns.flatMap((column) => facts.columns.filter(({ name }) => name === column));
}

/** An expression within a Python text for `sa.text`, where `:name` is a parameter. */
function text(sql: string): string {
  return sql
    .replaceAll('\\', '\\\\')
    .replaceAll('"""', '\\"""')
    .replace(/(?<![:\w\\]):(?=\w)/g, '\\\\:');
}
