import type { Call, FunctionFacts } from '../contract/facts';
import type { Action, ColumnDefinition } from './actions';

/**
 * What an operation of Alembic would do, read from its call: for revisions that can't be run here. Only what is written as a
 * literal is known.
 */
export function sourceActions(
  call: Call,
  source: FunctionFacts,
): readonly { action: Action; line: number; sql: string; transaction: number }[] {
  const operation = call.name.split('.').at(-1) ?? '';
  const batch = !call.name.startsWith('op.') && /batch/.test(call.name) ? batchTable(call, source) : undefined;
  // In a batch the table is that of the batch; index and constraint names come first otherwise, and the table second.
  const [first, second] = batch === undefined || NAME_FIRST.has(operation) ? call.args : [batch, ...call.args];
  const schema = text(call.keywords.schema);
  const named = (value: unknown) => {
    const name = text(value);
    return name === undefined ? undefined : schema && schema !== 'public' ? `${schema}.${name}` : name;
  };
  const table = NAME_FIRST.has(operation)
    ? (batch ?? named(second ?? call.keywords.table_name ?? call.keywords.source_table))
    : named(first ?? call.keywords.table_name);
  const transaction = call.inAutocommitBlock ? -1 : 0;
  const [at, from] = batch === undefined ? [2, 0] : [1, 1];
  return (table === undefined && operation !== 'drop_index' ? [] : actions(call, operation, table ?? '', at, from)).map(
    (action) => ({
      action,
      line: call.line,
      sql: '',
      transaction,
    }),
  );
}

const NAME_FIRST = new Set([
  'create_index',
  'drop_index',
  'create_foreign_key',
  'create_unique_constraint',
  'create_primary_key',
  'create_check_constraint',
  'create_exclude_constraint',
  'drop_constraint',
]);

function actions({ args, keywords }: Call, operation: string, table: string, at: number, batch: number): readonly Action[] {
  const name = text(args[0]);
  const column = text(args[1 - batch] ?? keywords.column_name) ?? '';
  const concurrently = keywords.postgresql_concurrently === true;
  switch (operation) {
    case 'create_table':
      return [{ does: 'create table', table, columns: [], constraints: [] }];
    case 'drop_table':
      return [{ does: 'drop', what: 'table', names: [table] }];
    case 'rename_table':
      return [{ does: 'rename', what: 'table', table, from: table, to: text(args[1]) ?? '' }];
    case 'create_index':
      return [
        {
          does: 'create index',
          table,
          index: name,
          columns: names(args[at] ?? keywords.columns),
          concurrently,
          ifNotExists: keywords.if_not_exists === true,
          unique: keywords.unique === true,
          literals: [],
        },
      ];
    case 'drop_index':
      return [{ does: 'drop index', indexes: name ? [name] : [], concurrently, ...(table ? { of: table } : {}) }];
    case 'add_column':
      return [{ does: 'add column', table, column: columnOf(code(args[1 - batch])) }];
    case 'drop_column':
      return [{ does: 'drop column', table, column }];
    case 'alter_column': {
      const renamed = text(keywords.new_column_name ?? keywords.name);
      return [
        ...(keywords.nullable === false ? [{ does: 'set not null' as const, table, column }] : []),
        ...(keywords.type_ !== undefined
          ? [{ does: 'change type' as const, table, column, type: sqlType(code(keywords.type_)) }]
          : []),
        ...(renamed ? [{ does: 'rename' as const, what: 'column' as const, table, from: column, to: renamed }] : []),
      ];
    }
    case 'create_foreign_key': {
      const [target, columns, remote] = batch ? args.slice(1) : args.slice(2);
      const references = { table: text(target ?? keywords.referent_table) ?? '', columns: names(remote).filter(known) };
      return [constraint(table, 'foreign key', name, names(columns ?? keywords.local_cols), keywords, references)];
    }
    case 'create_unique_constraint':
      return [constraint(table, 'unique', name, names(args[at] ?? keywords.columns), keywords)];
    case 'create_primary_key':
      return [constraint(table, 'primary key', name, names(args[at] ?? keywords.columns), keywords)];
    case 'create_check_constraint':
      return [constraint(table, 'check', name, [], keywords)];
    case 'create_exclude_constraint':
      return [constraint(table, 'exclude', name, [], keywords)];
    default:
      return [];
  }
}

function constraint(
  table: string,
  kind: 'foreign key' | 'unique' | 'primary key' | 'check' | 'exclude',
  name: string | undefined,
  columns: readonly (string | null)[],
  keywords: Call['keywords'],
  references?: { table: string; columns: readonly string[] },
): Action {
  const notValid = keywords.postgresql_not_valid === true;
  return { does: 'add constraint', table, constraint: { kind, name, columns: columns.filter(known), notValid, references } };
}

function columnOf(source: string): ColumnDefinition {
  const computed = /\b(?:Identity|Computed)\(|server_default=.*(?:gen_random_uuid|uuid_generate|random\(|clock_timestamp)/s.test(
    source,
  );
  const given = /server_default=(?!None\b)/.test(source);
  return {
    name: /Column\(\s*["']([^"']+)/.exec(source)?.[1] ?? '',
    type: sqlType(source),
    notNull: /nullable=False|primary_key=True/.test(source),
    ...(computed ? { default: 'computed' } : given ? { default: 'value' } : {}),
    primaryKey: /primary_key=True/.test(source),
    constraints: [],
  };
}

const TYPES: readonly (readonly [RegExp, string])[] = [
  [/\bBig_?Integer\b|\bBIGINT\b/i, 'bigint'],
  [/\bSmall_?Integer\b|\bSMALLINT\b/i, 'smallint'],
  [/\bInteger\b/i, 'integer'],
  [/\bJSONB\b/, 'jsonb'],
  [/\bJSON\b/, 'json'],
  [/\b(?:DateTime|TIMESTAMP)\b.*timezone=True/is, 'timestamptz'],
  [/\b(?:DateTime|TIMESTAMP)\b/i, 'timestamp'],
  [/\bUUID\b/i, 'uuid'],
  [/\bBoolean\b/i, 'boolean'],
  [/\bDate\b/i, 'date'],
  [/\b(?:Unicode)?Text\b/i, 'text'],
];

function sqlType(source: string): string {
  const varchar = /\b(?:String|VARCHAR|Unicode)\((?:length=)?(\d+)?/i.exec(source);
  if (varchar) return varchar[1] ? `varchar(${varchar[1]})` : 'varchar';
  const numeric = /\b(?:Numeric|DECIMAL)\((?:precision=)?(\d+)(?:,\s*(?:scale=)?(\d+))?/i.exec(source);
  if (numeric) return `numeric(${numeric[1]},${numeric[2] ?? 0})`;
  return TYPES.find(([pattern]) => pattern.test(source))?.[1] ?? '';
}

function batchTable(call: Call, source: FunctionFacts): string | undefined {
  const batches = source.calls.filter(({ name, line }) => name.endsWith('batch_alter_table') && line <= call.line);
  const schema = text(batches.at(-1)?.keywords.schema);
  const name = text(batches.at(-1)?.args[0]);
  return name && schema ? `${schema}.${name}` : name;
}

/** A name, also within `op.f(...)`. */
function text(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return /^(?:op|batch_op)\.f\(\s*["'](.+)["']\s*\)$/.exec(code(value))?.[1];
}

function names(value: unknown): readonly (string | null)[] {
  return Array.isArray(value) ? value.map((entry) => text(entry) ?? null) : [];
}

function known(value: string | null): value is string {
  return value !== null;
}

function code(value: unknown): string {
  return value && typeof value === 'object' && 'code' in value ? String(value.code) : '';
}
