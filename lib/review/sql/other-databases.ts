import type { StatementFailure } from '../../contract/facts';

/** Functions of SQLite, MySQL, Oracle and SQL Server that PostgreSQL does not have, with what to write there. */
const FUNCTIONS: Readonly<Record<string, string>> = {
  charindex: 'strpos(text, part)',
  curdate: 'CURRENT_DATE',
  date_format: 'to_char(...)',
  datediff: 'a subtraction',
  datetime: 'now(), or CAST(... AS timestamptz)',
  from_unixtime: 'to_timestamp(...)',
  getdate: 'now()',
  getutcdate: 'now()',
  group_concat: 'string_agg(value, separator)',
  hex: "encode(..., 'hex')",
  if: 'CASE WHEN ... THEN ... ELSE ... END',
  ifnull: 'coalesce(...)',
  iif: 'CASE WHEN ... THEN ... ELSE ... END',
  instr: 'strpos(text, part)',
  isnull: 'coalesce(...), or IS NULL',
  json_extract: "column ->> 'key'",
  julianday: 'extract(epoch FROM ...)',
  last_insert_id: 'RETURNING',
  last_insert_rowid: 'RETURNING',
  lcase: 'lower(...)',
  len: 'length(...)',
  locate: 'strpos(text, part)',
  newid: 'gen_random_uuid()',
  nvl: 'coalesce(...)',
  printf: 'format(...)',
  rand: 'random()',
  randomblob: 'gen_random_uuid()',
  str_to_date: 'to_timestamp(...)',
  strftime: 'to_char(...), or extract(... FROM ...)',
  substring_index: 'split_part(text, separator, number)',
  sysdate: 'now()',
  to_base64: "encode(..., 'base64')",
  typeof: 'pg_typeof(...)',
  ucase: 'upper(...)',
  unix_timestamp: 'extract(epoch FROM ...)',
  utc_timestamp: 'now()',
  uuid: 'gen_random_uuid()',
};

/** Tables of SQLite and Oracle. */
const TABLES: Readonly<Record<string, string>> = {
  dual: 'leave FROM dual out',
  sqlite_master: 'read information_schema, or sa.inspect(op.get_bind())',
  sqlite_schema: 'read information_schema, or sa.inspect(op.get_bind())',
  sqlite_sequence: 'read the sequence, or set it with setval(...)',
};

/** What to write in a statement that fails because it was written for another kind of database; undefined if it was not. */
export function portedForm({ sqlState, message }: Pick<StatementFailure, 'sqlState' | 'message'>): string | undefined {
  if (sqlState === '42P01') {
    const [, table = ''] = /relation "([^"]+)" does not exist/.exec(message) ?? [];
    return TABLES[table] && `PostgreSQL has no ${table}: ${TABLES[table]}`;
  }
  if (/type boolean but default expression is of type integer/.test(message)) {
    return 'write sa.true() or sa.false() as its server_default';
  }
  if (sqlState !== '42883') return undefined;
  if (comparesTypes(message)) return 'PostgreSQL converts neither side: cast one, or write a value of the type of the other';
  const [, name = ''] = /^function (?:\w+\.)?(\w+)\(/.exec(message) ?? [];
  return FUNCTIONS[name] && `PostgreSQL has no ${name}: write ${FUNCTIONS[name]}`;
}

/** Whether an operator of SQL's own lacks a form for two types, as in `boolean = integer`. Other operators may come with an extension. */
export function comparesTypes(message: string): boolean {
  return /^operator does not exist: [\w ]+ (?:=|<>|<|>|<=|>=|\|\||\+|-|\*|\/) [\w ]+$/.test(message);
}
