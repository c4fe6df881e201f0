import type { AlterTableCmd, ColumnDef, Constraint, IndexElem, Node, RangeVar, TypeName } from 'libpg-query';

export interface ColumnDefinition {
  readonly name: string;
  /** As SQL writes it with its length, such as `varchar(20)`, `int4`, `timestamp`. */
  readonly type: string;
  readonly notNull: boolean;
  readonly default?: DefaultKind;
  readonly primaryKey: boolean;
  /** Of its own, written with the column. */
  readonly constraints: readonly ConstraintDefinition[];
}

/** `value`: known when the column is added, so that no row is written. `computed`: a value for every row. */
export type DefaultKind = 'value' | 'computed';

export interface ConstraintDefinition {
  readonly kind: 'primary key' | 'unique' | 'foreign key' | 'check' | 'exclude' | 'not null';
  readonly name?: string;
  readonly columns: readonly string[];
  readonly notValid: boolean;
  /** Made of an index that exists. */
  readonly usingIndex?: string;
  /** Of a foreign key. */
  readonly references?: { readonly table: string; readonly columns: readonly string[] };
}

/** What (a part of) a statement does, as far as a rule asks. Names are without `public`. */
export type Action =
  | {
      readonly does: 'create table';
      readonly table: string;
      readonly columns: readonly ColumnDefinition[];
      readonly constraints: readonly ConstraintDefinition[];
    }
  | {
      readonly does: 'create index';
      readonly table: string;
      readonly index?: string;
      /** An expression is null. */
      readonly columns: readonly (string | null)[];
      readonly concurrently: boolean;
      readonly ifNotExists: boolean;
      readonly unique: boolean;
      readonly literals: readonly string[];
    }
  | {
      readonly does: 'drop index';
      readonly indexes: readonly string[];
      /** SQL does not tell it; the operation may. */
      readonly of?: string;
      readonly concurrently: boolean;
    }
  | { readonly does: 'reindex'; readonly what: 'index' | 'table' | 'more'; readonly name: string; readonly concurrently: boolean }
  | { readonly does: 'add column'; readonly table: string; readonly column: ColumnDefinition }
  | { readonly does: 'drop column'; readonly table: string; readonly column: string }
  | { readonly does: 'add constraint'; readonly table: string; readonly constraint: ConstraintDefinition }
  | { readonly does: 'drop constraint'; readonly table: string; readonly constraint: string }
  | { readonly does: 'validate'; readonly table: string; readonly constraint: string }
  | { readonly does: 'set not null'; readonly table: string; readonly column: string }
  | { readonly does: 'change type'; readonly table: string; readonly column: string; readonly type: string }
  | { readonly does: 'rewrite table'; readonly table: string; readonly how: string }
  | { readonly does: 'alter table'; readonly table: string; readonly how: string }
  | {
      readonly does: 'rename';
      readonly what: 'table' | 'column' | 'type' | 'enum value' | 'schema' | 'other';
      /** What it belongs to; the thing itself if that is a table. */
      readonly table: string;
      readonly from: string;
      readonly to: string;
    }
  | { readonly does: 'drop'; readonly what: 'table' | 'schema' | 'type' | 'view' | 'other'; readonly names: readonly string[] }
  | { readonly does: 'create view'; readonly view: string }
  | { readonly does: 'add enum value'; readonly type: string; readonly value: string }
  | { readonly does: 'truncate'; readonly tables: readonly string[] }
  | {
      readonly does: 'update' | 'delete';
      readonly table: string;
      /** `all` rows; `some`, found by a condition; single `rows`, named by a value. */
      readonly rows: 'all' | 'some' | 'rows';
      readonly columns: readonly string[];
    }
  | { readonly does: 'insert'; readonly table: string; readonly fromQuery: boolean }
  | { readonly does: 'lock'; readonly tables: readonly string[]; readonly mode: string }
  | { readonly does: 'refresh'; readonly view: string; readonly concurrently: boolean }
  | { readonly does: 'disable trigger' | 'enable trigger'; readonly table: string; readonly trigger: string }
  | { readonly does: 'end transaction'; readonly how: string }
  | { readonly does: 'unparsed'; readonly why: string }
  | { readonly does: 'other' };

/** What a statement does, in its order. */
export function actionsOf(node: Node): readonly Action[] {
  if ('CreateStmt' in node) {
    const { relation, tableElts = [] } = node.CreateStmt;
    const columns = tableElts.flatMap((element) => ('ColumnDef' in element ? [columnOf(element.ColumnDef)] : []));
    const constraints = tableElts.flatMap((element) => ('Constraint' in element ? constraintOf(element.Constraint) : []));
    const keys = new Set(constraints.filter(({ kind }) => kind === 'primary key').flatMap(({ columns: names }) => names));
    return [
      {
        does: 'create table',
        table: nameOf(relation),
        columns: columns.map((column) => (keys.has(column.name) ? { ...column, primaryKey: true } : column)),
        constraints: [...columns.flatMap((column) => column.constraints), ...constraints],
      },
    ];
  }
  if ('CreateTableAsStmt' in node && node.CreateTableAsStmt.objtype === 'OBJECT_TABLE') {
    return [{ does: 'create table', table: nameOf(node.CreateTableAsStmt.into?.rel), columns: [], constraints: [] }];
  }
  if ('IndexStmt' in node) {
    const { relation, idxname, indexParams = [], concurrent, if_not_exists, unique } = node.IndexStmt;
    const elements = indexParams.flatMap((element) => ('IndexElem' in element ? [element.IndexElem] : []));
    return [
      {
        does: 'create index',
        table: nameOf(relation),
        index: idxname,
        columns: elements.map(({ name }) => name ?? null),
        concurrently: !!concurrent,
        ifNotExists: !!if_not_exists,
        unique: !!unique,
        literals: elements.flatMap(literalOf),
      },
    ];
  }
  if ('AlterTableStmt' in node) {
    const { relation, cmds = [], objtype } = node.AlterTableStmt;
    if (objtype !== 'OBJECT_TABLE') return [{ does: 'other' }];
    return cmds.flatMap((command) => ('AlterTableCmd' in command ? alterOf(nameOf(relation), command.AlterTableCmd) : []));
  }
  if ('DropStmt' in node) {
    const { removeType, objects = [], concurrent } = node.DropStmt;
    const names = objects.map(listName);
    if (removeType === 'OBJECT_INDEX') return [{ does: 'drop index', indexes: names, concurrently: !!concurrent }];
    return [{ does: 'drop', what: DROPPED[removeType ?? ''] ?? 'other', names }];
  }
  if ('RenameStmt' in node) {
    const { renameType = '', relation, object, subname, newname = '' } = node.RenameStmt;
    const thing = relation ? nameOf(relation) : object ? listName(object) : '';
    return [{ does: 'rename', what: RENAMED[renameType] ?? 'other', table: thing, from: subname ?? thing, to: newname }];
  }
  if ('AlterEnumStmt' in node) {
    const { oldVal, newVal = '', typeName = [] } = node.AlterEnumStmt;
    return oldVal
      ? [{ does: 'rename', what: 'enum value', table: joined(typeName), from: oldVal, to: newVal }]
      : [{ does: 'add enum value', type: joined(typeName), value: newVal }];
  }
  if ('ViewStmt' in node) return [{ does: 'create view', view: nameOf(node.ViewStmt.view) }];
  if ('ReindexStmt' in node) {
    const { kind, relation, name = '', params = [] } = node.ReindexStmt;
    const what = kind === 'REINDEX_OBJECT_INDEX' ? 'index' : kind === 'REINDEX_OBJECT_TABLE' ? 'table' : 'more';
    return [{ does: 'reindex', what, name: relation ? nameOf(relation) : name, concurrently: hasOption(params, 'concurrently') }];
  }
  if ('TruncateStmt' in node) return [{ does: 'truncate', tables: (node.TruncateStmt.relations ?? []).map(rangeName) }];
  if ('UpdateStmt' in node) {
    const { relation, whereClause, targetList = [], fromClause = [] } = node.UpdateStmt;
    const columns = targetList.flatMap((target) => ('ResTarget' in target ? [target.ResTarget.name ?? ''] : []));
    return [{ does: 'update', table: nameOf(relation), rows: rowsOf(whereClause, fromClause), columns }];
  }
  if ('DeleteStmt' in node) {
    const { relation, whereClause, usingClause = [] } = node.DeleteStmt;
    return [{ does: 'delete', table: nameOf(relation), rows: rowsOf(whereClause, usingClause), columns: [] }];
  }
  if ('InsertStmt' in node) {
    const { relation, selectStmt } = node.InsertStmt;
    const fromQuery = !!selectStmt && 'SelectStmt' in selectStmt && !!selectStmt.SelectStmt.fromClause?.length;
    return [{ does: 'insert', table: nameOf(relation), fromQuery }];
  }
  if ('SelectStmt' in node) {
    // WITH d AS (DELETE ...) SELECT
    const parts = node.SelectStmt.withClause?.ctes ?? [];
    return parts.flatMap((part) =>
      'CommonTableExpr' in part && part.CommonTableExpr.ctequery ? actionsOf(part.CommonTableExpr.ctequery) : [],
    );
  }
  if ('VacuumStmt' in node && hasOption(node.VacuumStmt.options ?? [], 'full')) {
    const tables = (node.VacuumStmt.rels ?? []).flatMap((rel) =>
      'VacuumRelation' in rel ? [nameOf(rel.VacuumRelation.relation)] : [],
    );
    return tables.map((table) => ({ does: 'rewrite table', table, how: 'VACUUM FULL' }));
  }
  if ('ClusterStmt' in node) return [{ does: 'rewrite table', table: nameOf(node.ClusterStmt.relation), how: 'CLUSTER' }];
  if ('LockStmt' in node) {
    const { relations = [], mode = 0 } = node.LockStmt;
    return [{ does: 'lock', tables: relations.map(rangeName), mode: LOCK_MODES[mode] ?? '' }];
  }
  if ('RefreshMatViewStmt' in node) {
    return [
      { does: 'refresh', view: nameOf(node.RefreshMatViewStmt.relation), concurrently: !!node.RefreshMatViewStmt.concurrent },
    ];
  }
  if ('TransactionStmt' in node) {
    const how = ENDS[node.TransactionStmt.kind ?? ''];
    return [how ? { does: 'end transaction', how } : { does: 'other' }];
  }
  return [{ does: 'other' }];
}

function alterOf(table: string, { subtype = 'AT_AddColumn', name = '', def }: AlterTableCmd): readonly Action[] {
  switch (subtype) {
    case 'AT_AddColumn': {
      if (!def || !('ColumnDef' in def)) return [];
      const column = columnOf(def.ColumnDef);
      return [
        { does: 'add column', table, column },
        ...column.constraints.map((constraint) => ({ does: 'add constraint' as const, table, constraint })),
      ];
    }
    case 'AT_AddConstraint':
      return def && 'Constraint' in def
        ? constraintOf(def.Constraint).map((constraint) => ({ does: 'add constraint', table, constraint }))
        : [];
    case 'AT_DropColumn':
      return [{ does: 'drop column', table, column: name }];
    case 'AT_DropConstraint':
      return [{ does: 'drop constraint', table, constraint: name }];
    case 'AT_ValidateConstraint':
      return [{ does: 'validate', table, constraint: name }];
    case 'AT_SetNotNull':
      return [{ does: 'set not null', table, column: name }];
    case 'AT_AlterColumnType':
      return [
        { does: 'change type', table, column: name, type: def && 'ColumnDef' in def ? typeOf(def.ColumnDef.typeName) : '' },
      ];
    case 'AT_DisableTrig':
    case 'AT_DisableTrigAll':
    case 'AT_DisableTrigUser':
      return [{ does: 'disable trigger', table, trigger: name || 'all' }];
    case 'AT_EnableTrig':
    case 'AT_EnableTrigAll':
    case 'AT_EnableTrigUser':
      return [{ does: 'enable trigger', table, trigger: name || 'all' }];
    default: {
      const how = REWRITES[subtype];
      return [how ? { does: 'rewrite table', table, how } : { does: 'alter table', table, how: subtype }];
    }
  }
}

function columnOf({ colname = '', typeName, constraints = [] }: ColumnDef): ColumnDefinition {
  const own = constraints.flatMap((constraint) => ('Constraint' in constraint ? [constraint.Constraint] : []));
  const type = typeOf(typeName);
  const is = (kind: string) => own.some(({ contype }) => contype === kind);
  const value = own.find(({ contype }) => contype === 'CONSTR_DEFAULT')?.raw_expr;
  const stored = own.some(({ contype, generated_kind }) => contype === 'CONSTR_GENERATED' && generated_kind !== 'v');
  const computed = stored || is('CONSTR_IDENTITY') || /^(?:big|small)?serial/.test(type) || (value && isVolatile(value));
  return {
    name: colname,
    type,
    notNull: is('CONSTR_NOTNULL') || is('CONSTR_PRIMARY') || is('CONSTR_IDENTITY'),
    ...(computed ? { default: 'computed' } : value && !isNull(value) ? { default: 'value' } : {}),
    primaryKey: is('CONSTR_PRIMARY'),
    constraints: own
      .flatMap(constraintOf)
      .map((constraint) => ({ ...constraint, columns: constraint.columns.length ? constraint.columns : [colname] }))
      .filter(({ kind }) => kind !== 'not null'),
  };
}

function constraintOf(constraint: Constraint): readonly ConstraintDefinition[] {
  const kind = CONSTRAINTS[constraint.contype ?? ''];
  if (!kind) return [];
  const { conname, keys = [], fk_attrs = [], pk_attrs = [], pktable, skip_validation, indexname } = constraint;
  return [
    {
      kind,
      name: conname,
      columns: [...keys, ...fk_attrs].map(text),
      notValid: !!skip_validation,
      usingIndex: indexname,
      ...(pktable ? { references: { table: nameOf(pktable), columns: pk_attrs.map(text) } } : {}),
    },
  ];
}

/** A type as SQL writes it. */
function typeOf(type: TypeName | undefined): string {
  const names = (type?.names ?? []).map(text).filter((name) => name !== 'pg_catalog' && name !== 'public');
  const lengths = (type?.typmods ?? []).flatMap((node) => ('A_Const' in node ? [node.A_Const.ival?.ival ?? 0] : []));
  return `${names.join('.')}${lengths.length ? `(${lengths.join(',')})` : ''}${type?.arrayBounds?.length ? '[]' : ''}`;
}

/** Whether every row gets a value of its own: functions that PostgreSQL marks volatile. `now()` is stable. */
function isVolatile(value: Node): boolean {
  return /"sval":"(?:gen_random_uuid|uuid_generate_v\w+|uuidv[47]|random|clock_timestamp|timeofday|nextval|gen_random_bytes)"/.test(
    JSON.stringify(value),
  );
}

function isNull(value: Node): boolean {
  return 'A_Const' in value && !!value.A_Const.isnull;
}

function rowsOf(where: Node | undefined, joined: readonly Node[]): 'all' | 'some' | 'rows' {
  if (!where || isTrue(where)) return joined.length ? 'some' : 'all';
  return !joined.length && namesRows(where) ? 'rows' : 'some';
}

function isTrue(node: Node): boolean {
  if ('A_Const' in node) return !!node.A_Const.boolval?.boolval;
  if (!('A_Expr' in node)) return false;
  const { name = [], lexpr, rexpr } = node.A_Expr;
  const constant = (side: Node | undefined) => side && 'A_Const' in side && JSON.stringify({ ...side.A_Const, location: 0 });
  return name.map(text).join() === '=' && !!constant(lexpr) && constant(lexpr) === constant(rexpr);
}

/** Whether a condition compares a column with values: `id = 3 AND lang IN ('de', 'fr')`. */
function namesRows(where: Node): boolean {
  if ('BoolExpr' in where) {
    const parts = where.BoolExpr.args ?? [];
    return where.BoolExpr.boolop === 'AND_EXPR'
      ? parts.some(namesRows)
      : where.BoolExpr.boolop === 'OR_EXPR' && parts.every(namesRows);
  }
  if (!('A_Expr' in where)) return false;
  const { kind, name = [], rexpr } = where.A_Expr;
  if (name.map(text).join() !== '=' || !rexpr || (kind !== 'AEXPR_OP' && kind !== 'AEXPR_IN')) return false;
  return !/"(?:ColumnRef|SubLink|FuncCall)"/.test(JSON.stringify(rexpr)) && !/"boolval"/.test(JSON.stringify(rexpr));
}

function literalOf({ expr }: IndexElem): readonly string[] {
  const inner = expr && 'TypeCast' in expr ? expr.TypeCast.arg : expr;
  return inner && 'A_Const' in inner ? [inner.A_Const.sval?.sval ?? 'a constant'] : [];
}

function hasOption(options: readonly Node[], wanted: string): boolean {
  return options.some((option) => 'DefElem' in option && option.DefElem.defname === wanted);
}

function nameOf(relation: RangeVar | undefined): string {
  const { schemaname, relname = '' } = relation ?? {};
  return schemaname && schemaname !== 'public' ? `${schemaname}.${relname}` : relname;
}

function rangeName(node: Node): string {
  return 'RangeVar' in node ? nameOf(node.RangeVar) : '';
}

function listName(node: Node): string {
  if ('List' in node) return joined(node.List.items ?? []);
  if ('TypeName' in node) return joined(node.TypeName.names ?? []);
  return text(node);
}

function joined(names: readonly Node[]): string {
  return names
    .map(text)
    .filter((name, index) => !(index === 0 && names.length > 1 && name === 'public'))
    .join('.');
}

function text(node: Node): string {
  return 'String' in node ? (node.String.sval ?? '') : '';
}

const CONSTRAINTS: Readonly<Record<string, ConstraintDefinition['kind']>> = {
  CONSTR_PRIMARY: 'primary key',
  CONSTR_UNIQUE: 'unique',
  CONSTR_FOREIGN: 'foreign key',
  CONSTR_CHECK: 'check',
  CONSTR_EXCLUSION: 'exclude',
  CONSTR_NOTNULL: 'not null',
};

const DROPPED: Readonly<Record<string, 'table' | 'schema' | 'type' | 'view'>> = {
  OBJECT_TABLE: 'table',
  OBJECT_FOREIGN_TABLE: 'table',
  OBJECT_SCHEMA: 'schema',
  OBJECT_TYPE: 'type',
  OBJECT_DOMAIN: 'type',
  OBJECT_VIEW: 'view',
  OBJECT_MATVIEW: 'view',
};

const RENAMED: Readonly<Record<string, 'table' | 'column' | 'type' | 'schema'>> = {
  OBJECT_TABLE: 'table',
  OBJECT_VIEW: 'table',
  OBJECT_COLUMN: 'column',
  OBJECT_TYPE: 'type',
  OBJECT_SCHEMA: 'schema',
};

const REWRITES: Readonly<Record<string, string>> = {
  AT_SetLogged: 'SET LOGGED',
  AT_SetUnLogged: 'SET UNLOGGED',
  AT_SetTableSpace: 'SET TABLESPACE',
  AT_SetAccessMethod: 'SET ACCESS METHOD',
  AT_SetExpression: 'SET EXPRESSION',
};

const ENDS: Readonly<Record<string, string>> = { TRANS_STMT_COMMIT: 'COMMIT', TRANS_STMT_ROLLBACK: 'ROLLBACK' };

/** By PostgreSQL's number of the mode. */
const LOCK_MODES: Readonly<Record<number, string>> = {
  4: 'ShareUpdateExclusiveLock',
  5: 'ShareLock',
  6: 'ShareRowExclusiveLock',
  7: 'ExclusiveLock',
  8: 'AccessExclusiveLock',
};
