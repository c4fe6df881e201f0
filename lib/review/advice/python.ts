import type { Call } from '../../contract/facts';

/** Functions that write the safe form as Python code of a revision. */

/** A Python string literal, formatted as Ruff does. */
export function literal(value: string): string {
  const text = JSON.stringify(value);
  if (!value.includes('"') || value.includes("'")) return text;
  return `'${text.slice(1, -1).replaceAll('\\"', '"')}'`;
}

export function list(values: readonly (string | null)[]): string {
  return `[${values.map((value) => (value === null ? 'sa.text("...")' : literal(value))).join(', ')}]`;
}

/** The table's name as an argument, and the keyword for its schema, which comes last. */
export function tableArguments(name: string): { table: string; schema: string } {
  const [schema, table] = name.includes('.') ? name.split('.', 2) : [undefined, name];
  return { table: literal(table ?? name), schema: schema ? `, schema=${literal(schema)}` : '' };
}

/** Strings, quoted names and comments in SQL, and line breaks with their indentation. */
const SQL_PARTS =
  /e'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$[\s\S]*?\$\1\$|\/\*[\s\S]*?\*\/|(?:\s*--[^\n]*)+\s*|\s*\n\s*/gi;

/** SQL on one line, for `sa.text`, where `:name` is a parameter. */
export function sqlText(sql: string): string {
  const oneLine = sql.replace(SQL_PARTS, (part) => (/^\s/.test(part) || part.startsWith('--') ? ' ' : part)).trim();
  return oneLine.replace(/(?<![:\w\\]):(?=\w)/g, '\\:');
}

/** SQL as the argument of `op.execute` or `sa.text`. */
export function sqlLiteral(sql: string): string {
  return literal(sqlText(sql));
}

export function execute(sql: string): string {
  return `op.execute(${sqlLiteral(sql)})`;
}

/** Statements that run outside Alembic's transaction. */
export function autocommit(...lines: readonly string[]): string {
  return ['with op.get_context().autocommit_block():', ...lines.map((line) => `    ${line}`)].join('\n');
}

/** The project's own call, with other keywords. */
export function callWith({ name, args, keywords }: Call, more: Readonly<Record<string, string>>): string {
  const kept = Object.entries(keywords).filter(([key]) => !(key in more));
  const written = kept.map(([key, value]) => (key === '**' ? `**${pythonValue(value)}` : `${key}=${pythonValue(value)}`));
  const added = Object.entries(more).map(([key, value]) => `${key}=${value}`);
  return `${name}(${[...args.map(pythonValue), ...written, ...added].join(', ')})`;
}

/** An argument as the observer reports it: a literal, or `{"code": ...}`. */
function pythonValue(value: unknown): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return literal(value);
  if (Array.isArray(value)) return `[${value.map(pythonValue).join(', ')}]`;
  if (typeof value === 'object' && 'code' in value) return String(value.code);
  return String(value);
}

/** A name that naming conventions leave alone: the usual one for a CHECK would add the prefix `ck_<table>_` again. */
export function finalName(name: string): string {
  return `op.f(${literal(name)})`;
}

/** A name for an object without one, by the naming convention of SQLAlchemy's documentation. */
export function conventionalName(
  kind: 'ix' | 'uq' | 'ck' | 'fk' | 'pk',
  table: string,
  columns: readonly (string | null)[],
  target?: string,
): string {
  const withoutSchema = (name: string) => name.split('.').at(-1) ?? name;
  return [kind, withoutSchema(table), ...columns.map((column) => column ?? 'expr'), ...(target ? [withoutSchema(target)] : [])]
    .join('_')
    .slice(0, 63);
}
