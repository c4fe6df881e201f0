import type { TableFacts } from '../../contract/facts';
import { unqualifiedName } from '../revision/tables';
import { columnsNamedIn } from '../sql/names';
import { parseNode } from '../sql/parse';
import { literal, sqlLiteral, sqlText } from './python';
import { quoted, quotedTable } from './sql';

/** Rows of the first batch. */
const FIRST_BATCH = 1000;
/** The smallest and the largest batch. */
const BATCHES = [100, 100_000] as const;
/** How long a batch takes, in seconds. A pause of the same length follows. */
const SECONDS = 0.5;
/** Rows of a batch of a table without a key. */
const WITHOUT_KEY = 10_000;

/** The place of the condition that the batches after the first one have. */
const AFTER_LAST_BATCH = '/* after the last batch */';

/** Runs `first`, then `next_one` until it returns no row. */
const PACED_LOOP = `rows, last = ${FIRST_BATCH}, {}
with op.get_context().autocommit_block():
    while last is not None:
        began = time.monotonic()
        update_batch = next_one if last else first
        found = op.get_bind().execute(update_batch, {"rows": rows, **last})
        batch = found.mappings().first()
        took = time.monotonic() - began
        last = dict(batch) if batch else None
        # At most half or twice as many rows as before, from ${BATCHES[0]} to ${BATCHES[1]}.
        factor = min(max(${SECONDS} / max(took, 0.001), 0.5), 2)
        rows = min(max(int(rows * factor), ${BATCHES[0]}), ${BATCHES[1]})
        if last:
            time.sleep(took)`;

/** An UPDATE of many rows, in its parts. */
export interface BatchedUpdate {
  /** WITH queries. @default - none */
  readonly queries?: string | undefined;
  /** The table, with its alias if it has one. */
  readonly target: string;
  /** The table's name in the other parts. */
  readonly own: string;
  /** The assignments. */
  readonly set: string;
  /** FROM. @default - none */
  readonly source?: string | undefined;
  /** @default - all rows */
  readonly where?: string | undefined;
  /** The rows that do not have their values yet, in parentheses if it is a disjunction. @default - unknown, so the table must have a key */
  readonly left?: string | undefined;
}

type Key = readonly { readonly name: string; readonly type: string }[];

/** The columns of the primary key. */
export function keyOf(facts: TableFacts | undefined): Key {
  const columns = facts?.constraints.find(({ kind }) => kind === 'primary key')?.columns ?? [];
  return columns.flatMap((column) => facts?.columns.filter(({ name }) => name === column) ?? []);
}

/** Fills a column where it is NULL, in batches. @param value an expression over the row */
export function fillColumn(table: string, column: string, value: string, facts: TableFacts | undefined): string {
  const name = quoted(column);
  // A value like random() or nextval('numbers') is not computed to find rows.
  const dependsOnRow = columnsNamedIn(parseNode(`SELECT ${value}`)).length > 0;
  return batchLoop(
    {
      target: quotedTable(table),
      own: quoted(unqualifiedName(table)),
      set: `${name} = ${value}`,
      left: `${name} IS NULL${dependsOnRow ? ` AND ${/^[\w$]+$/.test(value) ? value : `(${value})`} IS NOT NULL` : ''}`,
    },
    facts,
  );
}

/**
 * The body of an upgrade that updates rows in batches, each in a transaction of its own. It needs `op` and `sa`, and `time` if there is
 * a key.
 *
 * @param facts the table, whose primary key gives the order. Without one, each batch searches the whole table.
 */
export function batchLoop(rows: BatchedUpdate, facts: TableFacts | undefined): string {
  const key = keyOf(facts);
  return key.length ? loopByKey(rows, key) : loopWhileRowsAreLeft(rows, !!facts?.partitions);
}

/** A loop with the import that it needs. */
export function withImports(code: string): string {
  return /\btime\./.test(code) ? `import time\n\n${code}` : code;
}

function loopByKey(update: BatchedUpdate, key: Key): string {
  const names = key.map((_, at) => `key_${at + 1}`);
  const columns = key.map(({ name }) => `${update.own}.${quoted(name)}`);
  const after = `AND ${sqlText(row(columns))} > ${row(key.map(({ type }, at) => `CAST(:${names[at]} AS text)::${type}`))}`;
  const sql = batchByKey(update, columns, names).replaceAll('\\', '\\\\').replaceAll('"""', '\\"""');
  return `# In the order of the key. A batch is a transaction of about ${SECONDS} s; a pause follows.
# After an interruption, the next run ${update.left === undefined ? 'begins again' : 'continues with the rows that are left'}.
update = """${sql}"""
after_last = ${literal(after)}
first = sa.text(update)
next_one = sa.text(update.replace("${AFTER_LAST_BATCH}", after_last))
${PACED_LOOP}`;
}

/** The statement of one batch, which returns the key of its last row. */
function batchByKey(update: BatchedUpdate, columns: readonly string[], names: readonly string[]): string {
  const { queries, target, own, set, source, where } = update;
  const keys = names.join(', ');
  const isInBatch = columns.map((column, at) => `${column} = batch.${names[at]}`).join(' AND ');
  // Without this upper bound, PostgreSQL may read the whole table for each batch.
  const isInRange = `${row(columns)} <= (SELECT ${keys} FROM last_row)`;
  return `
WITH ${queries === undefined ? '' : `${sqlText(queries)}, `}batch AS (
    SELECT ${sqlText(columns.map((column, at) => `${column} AS ${names[at]}`).join(', '))} FROM ${sqlText(listed(target, source))}
    WHERE ${sqlText(conditionsOf(update))}
        ${AFTER_LAST_BATCH}
    ORDER BY ${sqlText(columns.join(', '))} LIMIT :rows FOR NO KEY UPDATE OF ${sqlText(own)}
), last_row AS (
    SELECT ${keys} FROM batch ORDER BY ${names.map((name) => `${name} DESC`).join(', ')} LIMIT 1
), updated AS (
    UPDATE ${sqlText(target)} SET ${sqlText(set)} FROM ${sqlText(listed(source, 'batch'))}
    WHERE ${sqlText(`${where === undefined ? '' : `(${where}) AND `}${isInBatch}`)}
        AND ${sqlText(isInRange)} ${AFTER_LAST_BATCH}
)
SELECT ${names.map((name) => `CAST(${name} AS text) AS ${name}`).join(', ')} FROM last_row
`;
}

/** Runs an UPDATE until it finds no more rows. */
function loopWhileRowsAreLeft(update: BatchedUpdate, isPartitioned: boolean): string {
  const { target, own, set, source, where } = update;
  const place = (isPartitioned ? ['tableoid', 'ctid'] : ['ctid']).map((name) => `${own}.${name}`);
  const ofBatch = `SELECT ${place.join(', ')} FROM ${listed(target, source)} WHERE ${conditionsOf(update)} LIMIT ${WITHOUT_KEY}`;
  const from = source ? ` FROM ${source}` : '';
  const sql = `UPDATE ${target} SET ${set}${from} WHERE ${source && where ? `(${where}) AND ` : ''}${row(place)} IN (${ofBatch})`;
  return [
    'with op.get_context().autocommit_block():',
    `    while op.get_bind().execute(sa.text(${sqlLiteral(sql)})).rowcount:`,
    '        op.execute("SELECT pg_sleep(0.1)")',
  ].join('\n');
}

function listed(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join(', ');
}

function conditionsOf({ where, left }: BatchedUpdate): string {
  return [where && `(${where})`, left].filter((condition) => condition !== undefined).join(' AND ') || 'true';
}

function row(parts: readonly string[]): string {
  return parts.length > 1 ? `(${parts.join(', ')})` : parts.join();
}
