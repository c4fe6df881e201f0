import type { Call } from '../../contract/facts';
import type { Action, ColumnDefinition, ConstraintDefinition } from '../sql/action';
import { isMoment } from '../sql/definitions';

/** A call of an Alembic operation in a file, and what it would do. */
export interface Operation {
  readonly action: Action;
  readonly call: Call;
}

/** The positional parameters of Alembic's operations, in order. */
const PARAMETERS = {
  create_table: ['table_name'],
  drop_table: ['table_name'],
  rename_table: ['old_table_name', 'new_table_name'],
  create_index: ['index_name', 'table_name', 'columns'],
  drop_index: ['index_name', 'table_name'],
  add_column: ['table_name', 'column'],
  drop_column: ['table_name', 'column_name'],
  alter_column: ['table_name', 'column_name'],
  create_foreign_key: ['constraint_name', 'source_table', 'referent_table', 'local_cols', 'remote_cols'],
  create_unique_constraint: ['constraint_name', 'table_name', 'columns'],
  create_primary_key: ['constraint_name', 'table_name', 'columns'],
  create_check_constraint: ['constraint_name', 'table_name', 'condition'],
  create_exclude_constraint: ['constraint_name', 'table_name'],
  drop_constraint: ['constraint_name', 'table_name'],
} as const;
type OperationName = keyof typeof PARAMETERS;

/**
 * What a call of an operation would do, for revisions that can't be run here. Only literal arguments are known; calls of a
 * batch arrive as calls of `op` (lambda/migrate/cdk_alembic_local/source/functions/batches.py).
 */
export function operationsOf(call: Call): readonly Operation[] {
  const name = call.name.split('.').at(-1) ?? '';
  if (!isOperation(name)) return [];
  return actionsOf(name, namedArguments(call, name)).map((action) => ({ action, call }));
}

/** The calls that an added column implies: Alembic also creates its foreign key, CHECK, unique constraint and index. */
export function impliedCalls(call: Call): readonly Call[] {
  if (!call.name.endsWith('add_column')) return [];
  const { table_name, column, schema } = namedArguments(call, 'add_column');
  const source = argumentCode(column);
  const own = columnOf(source).name;
  const implied = (name: string, args: readonly unknown[], keywords: Call['keywords'] = {}): Call => {
    return { ...call, name: `op.${name}`, args, keywords };
  };
  const of = schema === undefined ? {} : { schema };
  const [, , target] = /\bForeignKey\(\s*(["'])([\w.]+)\1/.exec(source) ?? [];
  const key = target?.split('.') ?? [];
  const checks = [...source.matchAll(/\bCheckConstraint\((?:(?!\bCheckConstraint\().)*?\bname=(["'])(\w+)\1/gs)];
  return [
    ...checks.map(([, , name]) => implied('create_check_constraint', [name, table_name], of)),
    ...(key.length > 1
      ? [implied('create_foreign_key', [null, table_name, key.at(-2), [own], [key.at(-1)]], foreignKeyOptions(source, call))]
      : []),
    ...(/\bunique=True/.test(source) && !/\bindex=True/.test(source)
      ? [implied('create_unique_constraint', [null, table_name, [own]], of)]
      : []),
    ...(/\bindex=True/.test(source)
      ? [implied('create_index', [null, table_name, [own]], { ...of, ...(/\bunique=True/.test(source) ? { unique: true } : {}) })]
      : []),
  ];
}

function foreignKeyOptions(source: string, { keywords: { schema } }: Call): Call['keywords'] {
  const options = [...source.matchAll(/\b(ondelete|onupdate)=(["'])(.*?)\2/g)].map(([, name = '', , value]) => [name, value]);
  return { ...Object.fromEntries(options), ...(schema === undefined ? {} : { source_schema: schema }) };
}

/** The arguments of a call by name, whether they are positional or keywords. */
function namedArguments({ args, keywords }: Pick<Call, 'args' | 'keywords'>, name: OperationName): Call['keywords'] {
  const parameters = PARAMETERS[name];
  const elements = args.slice(parameters.length);
  return { ...Object.fromEntries(parameters.map((parameter, at) => [parameter, args[at]])), ...keywords, elements };
}

function isOperation(name: string): name is OperationName {
  return Object.hasOwn(PARAMETERS, name);
}

function actionsOf(operation: OperationName, given: Call['keywords']): readonly Action[] {
  const schema = text(given.schema ?? given.source_schema);
  const tableName = text(given.table_name ?? given.source_table ?? given.old_table_name);
  if (tableName === undefined && operation !== 'drop_index') return [];
  const table = qualified(tableName ?? '', schema);
  const name = text(given.constraint_name ?? given.index_name);
  const column = text(given.column_name) ?? '';
  const concurrently = given.postgresql_concurrently === true;
  const constraint = (kind: ConstraintDefinition['kind'], more: Partial<ConstraintDefinition> = {}): readonly Action[] => {
    const columns = names(given.columns).filter(isKnown);
    const notValid = given.postgresql_not_valid === true;
    return [{ does: 'add constraint', table, constraint: { kind, name, columns, notValid, ...more } }];
  };
  switch (operation) {
    case 'create_table':
      return [
        {
          does: 'create table',
          table,
          columns: columnsIn(given.elements),
          constraints: [],
          ...(/\bUNLOGGED\b/i.test(String(given.prefixes)) ? { unlogged: true } : {}),
        },
      ];
    case 'drop_table':
      return [{ does: 'drop', what: 'table', names: [table] }];
    case 'rename_table':
      return [{ does: 'rename', what: 'table', table, from: table, to: text(given.new_table_name) ?? '' }];
    case 'create_index':
      return [
        {
          does: 'create index',
          table,
          index: name,
          columns: names(given.columns),
          concurrently,
          ifNotExists: given.if_not_exists === true,
          unique: given.unique === true,
          onlyParent: false,
          literals: [],
        },
      ];
    case 'drop_index':
      return [{ does: 'drop index', indexes: name ? [name] : [], concurrently, ...(table ? { of: table } : {}) }];
    case 'add_column':
      return [{ does: 'add column', table, column: columnOf(argumentCode(given.column)) }];
    case 'drop_column':
      return [{ does: 'drop column', table, column }];
    case 'alter_column':
      return alterations(table, column, given);
    case 'create_foreign_key': {
      const to = qualified(text(given.referent_table) ?? '', text(given.referent_schema));
      const references = { table: to, columns: names(given.remote_cols).filter(isKnown) };
      return constraint('foreign key', { columns: names(given.local_cols).filter(isKnown), references });
    }
    case 'create_unique_constraint':
      return constraint('unique');
    case 'create_primary_key':
      return constraint('primary key');
    case 'create_check_constraint':
      return constraint('check');
    case 'create_exclude_constraint':
      return constraint('exclude');
    case 'drop_constraint':
      return name ? [{ does: 'drop constraint', table, constraint: name }] : [];
  }
}

function qualified(table: string, schema: string | undefined): string {
  return table && schema && schema !== 'public' ? `${schema}.${table}` : table;
}

function alterations(table: string, column: string, given: Call['keywords']): readonly Action[] {
  const renamed = text(given.new_column_name ?? given.name);
  return [
    ...(given.server_default === undefined || given.server_default === false
      ? []
      : [{ does: 'set default' as const, table, column, has: given.server_default !== null, ...momentOf(given.server_default) }]),
    ...(given.nullable === true ? [{ does: 'drop not null' as const, table, column }] : []),
    ...(given.nullable === false ? [{ does: 'set not null' as const, table, column }] : []),
    ...(given.type_ === undefined
      ? []
      : [{ does: 'change type' as const, table, column, type: sqlType(argumentCode(given.type_)) }]),
    ...(renamed ? [{ does: 'rename' as const, what: 'column' as const, table, from: column, to: renamed }] : []),
  ];
}

/** The column type that `existing_type` gives, with its labels if it is an enum. */
export function existingType(call: Call | undefined): { readonly type: string; readonly labels: readonly string[] } | undefined {
  const source = argumentCode(call?.keywords.existing_type);
  const labels = /\bE(?:num|NUM)\(((?:\s*(["'])[^"']*\2\s*,?)+)/.exec(source)?.[1];
  if (labels && !/native_enum=False/.test(source))
    return { type: 'enum', labels: [...labels.matchAll(/(["'])(.*?)\1/g)].map(([, , label = '']) => label) };
  const type = sqlType(source);
  return type ? { type, labels: [] } : undefined;
}

/** The columns among the elements of a new table. */
function columnsIn(elements: unknown): readonly ColumnDefinition[] {
  const codes = Array.isArray(elements) ? elements.map(argumentCode) : [];
  return codes.filter((source) => /^(?:\w+\.)?Column\(/.test(source)).map(columnOf);
}

function columnOf(source: string): ColumnDefinition {
  const identity = /\bIdentity\(/.test(source);
  const generated = /\bComputed\(/.test(source);
  const computed =
    identity ||
    generated ||
    isSerial(source) ||
    /server_default=.*(?:gen_random_uuid|uuid_generate|random\(|clock_timestamp)/s.test(source);
  const given = /server_default=(?!None\b)/.test(source);
  return {
    name: /Column\(\s*["']([^"']+)/.exec(source)?.[1] ?? '',
    type: sqlType(source),
    notNull: /nullable=False|primary_key=True/.test(source),
    ...(computed ? { default: 'computed' } : given ? { default: 'value' } : {}),
    ...(identity || isSerial(source) ? { numbered: true } : {}),
    ...(generated ? { generated: true } : {}),
    ...momentOf(/server_default=(["'])(.*?)\1/.exec(source)?.[2]),
    primaryKey: /primary_key=True/.test(source),
    constraints: [],
  };
}

function momentOf(value: unknown): { readonly isMoment?: true } {
  return isMoment(value) ? { isMoment: true } : {};
}

/** SQLAlchemy writes SERIAL for an integer primary key without a default. */
function isSerial(source: string): boolean {
  return (
    /primary_key=True/.test(source) &&
    /int/.test(sqlType(source)) &&
    !/autoincrement=False|server_default=|ForeignKey\(/.test(source)
  );
}

const TYPES: readonly (readonly [RegExp, string])[] = [
  [/\bBig_?Integer\b|\bBIGINT\b/i, 'bigint'],
  [/\bSmall_?Integer\b|\bSMALLINT\b/i, 'smallint'],
  [/\bInteger\b/i, 'integer'],
  [/\bJSONB\b/, 'jsonb'],
  [/\bJSON\b/, 'json'],
  [/\b(?:DateTime|TIMESTAMP)\b.*timezone=True/is, 'timestamptz'],
  [/\b(?:DateTime|TIMESTAMP)\b/i, 'timestamp'],
  [/\b(?:Float|Double|DOUBLE_PRECISION)\b/i, 'double precision'],
  [/\b(?:LargeBinary|BYTEA)\b/i, 'bytea'],
  [/\bUUID\b/i, 'uuid'],
  [/\bBoolean\b/i, 'boolean'],
  [/\bDate\b/i, 'date'],
  [/\b(?:Unicode)?Text\b/i, 'text'],
];

function sqlType(source: string): string {
  const items = /^(?:\w+\.)?ARRAY\((.*)\)$/s.exec(source)?.[1];
  if (items !== undefined) return sqlType(items) && `${sqlType(items)}[]`;
  const varchar = /\b(?:String|VARCHAR|Unicode)\((?:(?:[^()]*\b)?length=)?(\d+)?/i.exec(source);
  if (varchar) return varchar[1] ? `varchar(${varchar[1]})` : 'varchar';
  const numeric = /\b(?:Numeric|DECIMAL)\((?:precision=)?(\d+)(?:,\s*(?:scale=)?(\d+))?/i.exec(source);
  if (numeric) return `numeric(${numeric[1]},${numeric[2] ?? 0})`;
  return TYPES.find(([pattern]) => pattern.test(source))?.[1] ?? '';
}

/** A text, or the text within `op.f(...)`. */
function text(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return /^(?:op|batch_op)\.f\(\s*["'](.+)["']\s*\)$/.exec(argumentCode(value))?.[1];
}

function names(value: unknown): readonly (string | null)[] {
  return Array.isArray(value) ? value.map((entry) => text(entry) ?? null) : [];
}

function isKnown(value: string | null): value is string {
  return value !== null;
}

/** Whether the schema of an operation's table is known only when it runs, such as from a setting. */
export function hasUnknownSchema({ keywords: { schema, source_schema = schema } }: Call): boolean {
  return argumentCode(source_schema) !== '';
}

/** The code of an argument that is not a literal. */
export function argumentCode(value: unknown): string {
  return value && typeof value === 'object' && 'code' in value ? String(value.code) : '';
}
