import type { IndexElem, IndexStmt } from 'libpg-query';
import type { Call } from '../../contract/facts';
import type { ActionOf } from '../sql/action';
import { text } from '../sql/names';
import { autocommit, callWith, conventionalName, execute, list, literal, sqlLiteral, tableArguments } from './python';
import { quoted, quotedTable, SqlText } from './sql';

export const INVALID_INDEX = '# an earlier build that failed leaves an INVALID index under this name';

type CreateIndex = ActionOf<'create index'>;

/** The same index, built while writes continue. */
export function createConcurrently(action: CreateIndex, call: Call | undefined): string {
  return autocommit(...buildSteps(action, call).build);
}

/** `build` and `drop` run outside of a transaction. */
export function buildSteps(action: CreateIndex, call: Call | undefined): { name: string; build: string[]; drop: string } {
  const name = action.index ?? conventionalName('ix', action.table, action.columns);
  const drop = dropConcurrently(name, action.table);
  const build = [INVALID_INDEX, drop, createStatement(action, name, call)];
  return { name, build, drop };
}

/** As SQL: `op.drop_index` knows `if_exists` only since Alembic 1.12. */
export function dropConcurrently(index: string, table: string | undefined): string {
  return execute(`DROP INDEX CONCURRENTLY IF EXISTS ${quotedIndex(index, table)}`);
}

/** PostgreSQL can't drop the index of a partitioned table CONCURRENTLY. */
export function dropOfPartitioned(index: string, table: string): string {
  return [
    "# a partitioned table's index can't be dropped CONCURRENTLY: give up quickly, and run the revision again",
    execute("SET LOCAL lock_timeout = '2s'"),
    execute(`DROP INDEX IF EXISTS ${quotedIndex(index, table)}`),
  ].join('\n');
}

/** `index`: with or without its schema, which is that of its table. */
function quotedIndex(index: string, table: string | undefined): string {
  const [schema] = /^.*\./.exec(table ?? '') ?? [''];
  return quotedTable(index.includes('.') ? index : `${schema}${index}`);
}

/** The index of a partitioned table, built partition by partition: the parent can't have an index built CONCURRENTLY. */
export function createOnPartitions(action: CreateIndex, partitions: readonly string[], call: Call | undefined): string {
  const name = action.index ?? conventionalName('ix', action.table, action.columns);
  const on = (table: string, own: string, how: 'ONLY' | 'CONCURRENTLY') => {
    const elements = elementsOf(action, call);
    if (elements === undefined) return `${callWith(call ?? NO_CALL, {})}  # ${how} on ${table}`;
    const unique = action.unique ? 'UNIQUE ' : '';
    const [concurrent, only] = how === 'ONLY' ? ['', 'ONLY '] : ['CONCURRENTLY ', ''];
    return execute(`CREATE ${unique}INDEX ${concurrent}${quoted(own)} ON ${only}${quotedTable(table)} ${elements}`);
  };
  const parts = (partitions.length ? partitions : ['<partition>']).map((partition) => {
    return { partition, index: conventionalName('ix', partition, action.columns) };
  });
  return [
    on(action.table, name, 'ONLY'),
    '# in the next revision, partition by partition:',
    autocommit(...parts.map(({ partition, index }) => on(partition, index, 'CONCURRENTLY'))),
    ...parts.map(({ partition, index }) =>
      execute(`ALTER INDEX ${quotedIndex(name, action.table)} ATTACH PARTITION ${quotedIndex(index, partition)}`),
    ),
  ].join('\n');
}

/** What follows the table in CREATE INDEX; undefined if an operation has options that were not written out as SQL. */
function elementsOf(action: CreateIndex, call: Call | undefined): string | undefined {
  if (action.written) {
    const sql = new SqlText(action.written.sql);
    return sql.slice(afterTable(sql));
  }
  const hasOptions = Object.keys(call?.keywords ?? {}).some((keyword) => keyword.startsWith('postgresql_'));
  return hasOptions ? undefined : `(${keyOf(action, call).columns})`;
}

const NO_CALL: Call = {
  name: 'op.create_index',
  args: [],
  keywords: {},
  line: 0,
  inAutocommitBlock: false,
  inLoop: false,
  inBranch: false,
};

function createStatement(action: CreateIndex, name: string, call: Call | undefined): string {
  const { written } = action;
  if (!written) return callWith(call ?? NO_CALL, { postgresql_concurrently: 'True' });
  const { node } = written;
  const sql = new SqlText(written.sql);
  const isSimple = elements(node).every(isPlain) && !node.options && !node.tableSpace;
  if (isSimple) return asOperation(action, name, node, sql);
  // Alembic's operation can't express the rest.
  const unique = node.unique ? 'UNIQUE ' : '';
  const rest = sql.slice(sql.find(['ON'])?.start ?? 0);
  return execute(`CREATE ${unique}INDEX CONCURRENTLY ${quoted(name)} ${rest}`);
}

function asOperation(action: CreateIndex, name: string, node: IndexStmt, sql: SqlText): string {
  const { table, schema } = tableArguments(action.table);
  const including = (node.indexIncludingParams ?? []).flatMap((param) => ('IndexElem' in param ? [param.IndexElem] : []));
  const where = node.whereClause && sql.find(['WHERE']);
  const keywords = [
    ...(node.unique ? ['unique=True'] : []),
    ...(node.accessMethod && node.accessMethod !== 'btree' ? [`postgresql_using=${literal(node.accessMethod)}`] : []),
    ...(including.length ? [`postgresql_include=${list(including.map((element) => element.name ?? ''))}`] : []),
    ...(node.nulls_not_distinct ? ['postgresql_nulls_not_distinct=True'] : []),
    ...(where ? [`postgresql_where=sa.text(${sqlLiteral(sql.slice(where.end))})`] : []),
    'postgresql_concurrently=True',
  ];
  return `op.create_index(${literal(name)}, ${table}, ${list(action.columns)}${schema}, ${keywords.join(', ')})`;
}

function elements({ indexParams = [] }: IndexStmt): readonly IndexElem[] {
  return indexParams.flatMap((param) => ('IndexElem' in param ? [param.IndexElem] : []));
}

/** Only a column's name: no expression, order, collation or operator class. */
function isPlain({ name, collation, opclass, ordering, nulls_ordering }: IndexElem): boolean {
  return (
    !!name &&
    !collation?.map(text).length &&
    !opclass?.length &&
    ordering === 'SORTBY_DEFAULT' &&
    nulls_ordering === 'SORTBY_NULLS_DEFAULT'
  );
}

/** The columns and expressions of an index, and ` WHERE ...` of a partial one; `...` for what is unknown. */
export function keyOf({ columns, written }: CreateIndex, call: Call | undefined): { columns: string; where: string } {
  if (!written) {
    const given = call?.args[2] ?? call?.keywords.columns;
    const known = columns.map((column, at) => (column === null ? expressionIn(given, at) : quoted(column)));
    return { columns: known.join(', '), where: '' };
  }
  const sql = new SqlText(written.sql);
  let start = sql.find(['('], sql.find(['ON'])?.end)?.end ?? 0;
  const keys = elements(written.node).map(({ name }) => {
    const end = sql.clauseEnd(start);
    const element = sql.slice(start, end);
    start = end + 1;
    return name ? quoted(name) : expressionOf(element);
  });
  const where = written.node.whereClause && sql.find(['WHERE']);
  return { columns: keys.join(', '), where: where ? ` ${sql.slice(where.start)}` : '' };
}

/** `lower(name)` of an operation's `sa.text("lower(name)")`. */
function expressionIn(columns: unknown, at: number): string {
  const [, sql = '"..."'] = /\btext\((".*")\)$/.exec(Array.isArray(columns) ? (columns[at]?.code ?? '') : '') ?? [];
  return expressionOf(JSON.parse(sql));
}

/** An element without its order and operator class. An expression is a call, or in parentheses. */
function expressionOf(element: string): string {
  const sql = new SqlText(element);
  const open = element.indexOf('(');
  return open < 0 ? element : `${element.slice(0, open)}(${sql.within(0)})`;
}

/** Where USING or the list of columns begins. */
function afterTable(sql: SqlText): number {
  const on = sql.find(['ON']);
  return sql.find(['USING', '('], on?.end)?.start ?? 0;
}
