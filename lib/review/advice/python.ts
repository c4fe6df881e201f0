/** Writes the safe way as the code of a revision. */

/** A literal, as Ruff formats it. */
export function literal(value: string): string {
  return JSON.stringify(value);
}

export function list(values: readonly (string | null)[]): string {
  return `[${values.map((value) => (value === null ? 'sa.text("...")' : literal(value))).join(', ')}]`;
}

/** The table's name as an argument, and the keyword for its schema, which comes last. */
export function tableArguments(name: string): { table: string; schema: string } {
  const [schema, table] = name.includes('.') ? name.split('.', 2) : [undefined, name];
  return { table: literal(table ?? name), schema: schema ? `, schema=${literal(schema)}` : '' };
}

export function execute(sql: string): string {
  return `op.execute(${literal(sql)})`;
}

/** Statements that run outside Alembic's transaction. */
export function autocommit(...lines: readonly string[]): string {
  return ['with op.get_context().autocommit_block():', ...lines.map((line) => `    ${line}`)].join('\n');
}

/** A column backfilled in batches, each in a transaction of its own. */
export function batches(table: string, assignment: string, condition: string): string {
  return [
    'with op.get_context().autocommit_block():',
    '    while op.get_bind().execute(sa.text(',
    `        "UPDATE ${table} SET ${assignment} WHERE id IN"`,
    `        " (SELECT id FROM ${table} WHERE ${condition} LIMIT 10000)"`,
    '    )).rowcount:',
    '        pass',
  ].join('\n');
}

/** A name for what has none, after the naming convention of SQLAlchemy's documentation. */
export function conventionalName(
  kind: 'ix' | 'uq' | 'ck' | 'fk' | 'pk',
  table: string,
  columns: readonly (string | null)[],
  target?: string,
): string {
  const bare = (name: string) => name.split('.').at(-1) ?? name;
  return [kind, bare(table), ...columns.map((column) => column ?? 'expr'), ...(target ? [bare(target)] : [])]
    .join('_')
    .slice(0, 63);
}
