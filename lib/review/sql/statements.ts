import type { IndexElem, Node } from 'libpg-query';
import { foundBy } from '../../sql/found-by';
import { apply, as, inPlace, type Of, only, queriesOf, type Rules } from '../../sql/nodes';
import type { Action, DroppedKind } from './action';
import { alterActions, autovacuumAfter } from './alter-table';
import {
  affectedRows,
  hasUnknownValue,
  isBatched,
  isFoundByOthers,
  isJoin,
  mayMatchManyRows,
  nullColumn,
  selectsComputedKey,
} from './conditions';
import { columnOf, constraintOf, sequenceActions } from './definitions';
import { functionActions, literalOf } from './functions';
import { joined, listName, nameOf, rangeName, text } from './names';

/** The actions of each kind of statement. @param sql its text */
const STATEMENTS: Rules<readonly Action[], [sql: string]> = {
  CreateStmt({ relation, tableElts = [], inhRelations, partbound, options }, sql) {
    const columns = tableElts.flatMap((element) => ('ColumnDef' in element ? [columnOf(element.ColumnDef, sql)] : []));
    const constraints = tableElts.flatMap((element) => ('Constraint' in element ? constraintOf(element.Constraint, sql) : []));
    const keys = new Set(constraints.filter(({ kind }) => kind === 'primary key').flatMap(({ columns: names }) => names));
    const [parent] = partbound ? (inhRelations ?? []).map(rangeName) : [];
    return [
      {
        does: 'create table',
        table: nameOf(relation),
        columns: columns.map((column) => (keys.has(column.name) ? { ...column, primaryKey: true } : column)),
        constraints: [...columns.flatMap((column) => column.constraints), ...constraints],
        ...(parent === undefined ? {} : { partitionOf: parent }),
        ...(relation?.relpersistence === 'u' ? { unlogged: true } : {}),
      },
      ...(autovacuumAfter(options) === false ? [{ does: 'set autovacuum' as const, table: nameOf(relation), isOn: false }] : []),
    ];
  },
  CreateTableAsStmt({ objtype, into, query }) {
    if (objtype !== 'OBJECT_TABLE')
      return [{ does: 'create view', view: nameOf(into?.rel), replaces: false, columns: outputColumns(query) }];
    const table = nameOf(into?.rel);
    const isEmpty = into?.skipData || into?.rel?.relpersistence === 't';
    return [
      { does: 'create table', table, columns: [], constraints: [] },
      ...(isEmpty ? [] : copyActions(query, table, 'CREATE TABLE AS')),
    ];
  },
  IndexStmt(node, sql) {
    const { relation, idxname, indexParams = [], concurrent, if_not_exists, unique } = node;
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
        onlyParent: relation?.inh !== true,
        literals: elements.flatMap(constantElement),
        written: { node, sql },
      },
    ];
  },
  AlterTableStmt({ relation, cmds = [], objtype }, sql) {
    if (objtype === 'OBJECT_INDEX') return cmds.flatMap((command) => indexActions(nameOf(relation), command));
    if (objtype !== 'OBJECT_TABLE') return [{ does: 'other' }];
    return cmds.flatMap((command) =>
      'AlterTableCmd' in command ? alterActions(nameOf(relation), command.AlterTableCmd, sql) : [],
    );
  },
  DropStmt({ removeType = '', objects = [], concurrent, behavior }) {
    const names = objects.map(listName);
    if (removeType === 'OBJECT_INDEX') return [{ does: 'drop index', indexes: names, concurrently: !!concurrent }];
    const cascade = behavior === 'DROP_CASCADE';
    return [{ does: 'drop', what: DROP_KINDS[removeType] ?? 'other', names, ...(cascade ? { cascade } : {}) }];
  },
  RenameStmt({ renameType = '', relation, object, subname, newname = '' }) {
    const thing = relation ? nameOf(relation) : object ? listName(object) : '';
    return [{ does: 'rename', what: RENAME_KINDS[renameType] ?? 'other', table: thing, from: subname ?? thing, to: newname }];
  },
  AlterEnumStmt({ oldVal, newVal = '', typeName = [] }) {
    return oldVal
      ? [{ does: 'rename', what: 'enum value', table: joined(typeName), from: oldVal, to: newVal }]
      : [{ does: 'add enum value', type: joined(typeName), value: newVal }];
  },
  AlterDomainStmt({ subtype, typeName = [], def }, sql) {
    const domain = joined(typeName);
    if (subtype === 'O') return [{ does: 'add domain constraint', domain }];
    return def && 'Constraint' in def
      ? constraintOf(def.Constraint, sql).map((constraint) => ({ does: 'add domain constraint', domain, constraint }))
      : [{ does: 'other' }];
  },
  CreateSeqStmt: ({ sequence }) => [{ does: 'create sequence', sequence: nameOf(sequence) }],
  AlterSeqStmt: ({ sequence, options = [] }) => sequenceActions(nameOf(sequence), options),
  CreateEnumStmt: ({ typeName = [], vals = [] }) => [{ does: 'create type', type: joined(typeName), labels: vals.map(text) }],
  CreateDomainStmt: ({ domainname = [] }) => [{ does: 'create type', type: joined(domainname) }],
  CreateSchemaStmt: ({ schemaname = '' }) => [{ does: 'create schema', schema: schemaname }],
  AlterObjectSchemaStmt({ objectType = '', relation, object, newschema = '' }) {
    const what = MOVE_KINDS[objectType];
    const name = relation ? nameOf(relation) : object ? listName(object) : '';
    return [what ? { does: 'set schema', what, name, schema: newschema } : { does: 'other' }];
  },
  CreateFunctionStmt: ({ funcname = [], replace, options = [] }) => [
    {
      does: 'create function',
      name: joined(funcname),
      replaces: !!replace,
      ...(hasCallersPath(options) ? { usesCallersPath: true } : {}),
    },
  ],
  AlterExtensionStmt({ extname = '', options = [] }) {
    const [version] = only(options, 'DefElem');
    const to = as(version?.arg, 'String')?.sval;
    return [{ does: 'update extension', extension: extname, ...(to === undefined ? {} : { to }) }];
  },
  AlterPublicationStmt({ pubname = '', action, pubobjects = [] }) {
    const how = action === 'AP_DropObjects' ? 'drop' : action === 'AP_SetObjects' ? 'set' : undefined;
    const tables = only(pubobjects, 'PublicationObjSpec').map(({ pubtable }) => nameOf(pubtable?.relation));
    return how && tables.length ? [{ does: 'unpublish', publication: pubname, how, tables }] : [{ does: 'other' }];
  },
  CreatePolicyStmt: ({ table, policy_name = '', permissive }) => [
    { does: 'create policy', table: nameOf(table), policy: policy_name, restrictive: !permissive },
  ],
  AlterPolicyStmt: ({ table, policy_name = '' }) => [{ does: 'alter policy', table: nameOf(table), policy: policy_name }],
  RuleStmt: ({ relation, rulename = '', event = '', instead }) => [
    { does: 'create rule', table: nameOf(relation), rule: rulename, of: event.replace('CMD_', ''), instead: !!instead },
  ],
  CreateTrigStmt: ({ relation, trigname = '', replace }) => [
    { does: 'create trigger', table: nameOf(relation), trigger: trigname, replaces: !!replace },
  ],
  GrantStmt({ is_grant, targtype, objtype, objects = [], privileges = [], grantees = [] }) {
    const roles = grantees.map(roleName);
    const names = privilegeNames(privileges);
    if (is_grant && !(roles.includes('PUBLIC') && isOpenedToAll(objtype, names))) return [{ does: 'other' }];
    const of = {
      privileges: names,
      objects: objects.map((object) => rangeName(object) || listName(object)),
      all: targtype === 'ACL_TARGET_ALL_IN_SCHEMA',
    };
    return [is_grant ? { does: 'grant to public', ...of } : { does: 'revoke', ...of, roles }];
  },
  AlterDefaultPrivilegesStmt({ action }) {
    const { is_grant, objtype = '', privileges = [], grantees = [] } = action ?? {};
    const of = DEFAULT_PRIVILEGES_OF[objtype] ?? 'objects';
    const roles = grantees.map(roleName);
    return [{ does: 'change default privileges', isGrant: !!is_grant, privileges: privilegeNames(privileges), of, roles }];
  },
  AlterOwnerStmt({ relation, object, newowner }) {
    const name = relation ? nameOf(relation) : object ? listName(object) : '';
    return [{ does: 'change owner', name, to: roleName({ RoleSpec: newowner ?? {} }) }];
  },
  CreateRoleStmt: ({ role = '', options = [] }) => [
    {
      does: 'create role',
      role,
      hasPassword: options.some((one) => as(as(one, 'DefElem')?.arg, 'String') && hasOption([one], 'password')),
    },
  ],
  GrantRoleStmt: ({ grantee_roles = [] }) => [
    { does: 'change setting', of: `the role ${grantee_roles.map(roleName).join(', ')}` },
  ],
  AlterRoleStmt: ({ role }) => [{ does: 'change setting', of: `the role ${roleName({ RoleSpec: role ?? {} })}` }],
  AlterRoleSetStmt: ({ role }) => [
    { does: 'change setting', of: role ? `the role ${roleName({ RoleSpec: role })}` : 'all roles' },
  ],
  DropRoleStmt: ({ roles = [] }) => [{ does: 'change setting', of: `the role ${roles.map(roleName).join(', ')}` }],
  AlterDatabaseSetStmt: ({ dbname = '' }) => [{ does: 'change setting', of: `the database ${dbname}` }],
  AlterSystemStmt: () => [
    { does: 'change setting', of: 'the server' },
    { does: 'need superuser', how: 'ALTER SYSTEM' },
    { does: 'need autocommit', how: 'ALTER SYSTEM' },
  ],
  CreatedbStmt: () => [{ does: 'need autocommit', how: 'CREATE DATABASE' }],
  DropdbStmt: () => [{ does: 'need autocommit', how: 'DROP DATABASE' }],
  CreateTableSpaceStmt: () => [{ does: 'need autocommit', how: 'CREATE TABLESPACE' }],
  DropTableSpaceStmt: () => [{ does: 'need autocommit', how: 'DROP TABLESPACE' }],
  CopyStmt({ is_program, filename, is_from, query }, sql) {
    const how = is_program ? 'COPY with PROGRAM' : filename ? `COPY ${is_from ? 'FROM' : 'TO'} a file of the server` : undefined;
    return [how ? { does: 'need superuser', how } : { does: 'other' }, ...(query ? actionsOf(query, sql) : [])];
  },
  DiscardStmt: ({ target }) => [target === 'DISCARD_ALL' ? { does: 'reset', name: 'all' } : { does: 'other' }],
  ViewStmt: ({ view, replace, query }) => [
    { does: 'create view', view: nameOf(view), replaces: !!replace, columns: outputColumns(query) },
  ],
  ReindexStmt({ kind, relation, name = '', params = [] }) {
    const what = kind === 'REINDEX_OBJECT_INDEX' ? 'index' : kind === 'REINDEX_OBJECT_TABLE' ? 'table' : 'more';
    return [{ does: 'reindex', what, name: relation ? nameOf(relation) : name, concurrently: hasOption(params, 'concurrently') }];
  },
  TruncateStmt({ relations = [], behavior }) {
    const cascade = behavior === 'DROP_CASCADE';
    return [{ does: 'truncate', tables: relations.map(rangeName), ...(cascade ? { cascade } : {}) }];
  },
  UpdateStmt(node, sql) {
    const { relation, whereClause, targetList = [], fromClause = [], withClause } = node;
    const columns = targetList.flatMap((target) => ('ResTarget' in target ? [target.ResTarget.name ?? ''] : []));
    const isBatch = [whereClause, ...inPlace(fromClause, withClause)].some(isBatched);
    const found = isBatch ? 'batch' : affectedRows(whereClause, fromClause);
    const rows = found === 'some' && isJoin(whereClause, fromClause) ? 'joined' : found;
    const whereNull = nullColumn(whereClause);
    const more = {
      ...(whereNull ? { whereNull } : {}),
      ...(mayMatchManyRows(rows, whereClause) || isFoundByOthers(rows, whereClause) ? { isShared: true as const } : {}),
    };
    return [{ does: 'update', table: nameOf(relation), rows, columns, ...more, written: { node, sql } }];
  },
  DeleteStmt({ relation, whereClause, usingClause = [], withClause }) {
    const isBatch = [whereClause, ...inPlace(usingClause, withClause)].some(isBatched);
    const rows = isBatch ? 'batch' : affectedRows(whereClause, usingClause);
    const by = rows === 'some' ? foundBy(whereClause, usingClause) : undefined;
    const isShared = rows === 'rows' && (mayMatchManyRows(rows, whereClause) || hasUnknownValue(whereClause));
    const more = {
      ...(by ? { by } : {}),
      ...(isShared ? { isShared } : {}),
      ...(!usingClause.length && selectsComputedKey(whereClause) ? { byComputedKey: true as const } : {}),
    };
    return [{ does: 'delete', table: nameOf(relation), rows, columns: [], ...more }];
  },
  InsertStmt({ relation, cols = [], selectStmt }) {
    const fromQuery = !!selectStmt && 'SelectStmt' in selectStmt && !!selectStmt.SelectStmt.fromClause?.length;
    const given = givenColumns(cols, selectStmt);
    return [
      { does: 'insert', table: nameOf(relation), fromQuery, ...(given ? { given } : {}) },
      ...copyActions(selectStmt, nameOf(relation), 'INSERT ... SELECT'),
    ];
  },
  SelectStmt(node, sql) {
    // WITH d AS (DELETE ...) SELECT
    const parts = queriesOf(node.withClause).flatMap(({ query }) => actionsOf(query, sql));
    const into = node.intoClause?.rel;
    const isTemporary = into?.relpersistence === 't';
    return [
      ...parts,
      ...lockedRows(node),
      ...functionActions(node),
      ...(into
        ? [
            { does: 'create table' as const, table: nameOf(into), columns: [], constraints: [] },
            ...(isTemporary ? [] : copyActions({ SelectStmt: node }, nameOf(into), 'SELECT INTO')),
          ]
        : []),
    ];
  },
  VacuumStmt({ options = [], rels = [], is_vacuumcmd }) {
    if (!is_vacuumcmd) return [{ does: 'other' }];
    const named = rels.flatMap((rel) => ('VacuumRelation' in rel ? [nameOf(rel.VacuumRelation.relation)] : []));
    const tables = named.length ? named : [''];
    return [
      ...(hasOption(options, 'full')
        ? tables.map((table) => ({ does: 'rewrite table' as const, table, how: 'VACUUM FULL' }))
        : []),
      { does: 'need autocommit', how: 'VACUUM' },
    ];
  },
  ClusterStmt: ({ relation }) => [{ does: 'rewrite table', table: nameOf(relation), how: 'CLUSTER' }],
  LockStmt: ({ relations = [], mode = 0 }) => [{ does: 'lock', tables: relations.map(rangeName), mode: LOCK_MODES[mode] ?? '' }],
  RefreshMatViewStmt: ({ relation, concurrent, skipData }) => [
    // WITH NO DATA fills nothing.
    skipData ? { does: 'other' } : { does: 'refresh', view: nameOf(relation), concurrently: !!concurrent },
  ],
  TransactionStmt({ kind = '' }) {
    if (kind === 'TRANS_STMT_BEGIN' || kind === 'TRANS_STMT_START') return [{ does: 'begin transaction' }];
    const how = TRANSACTION_ENDS[kind];
    return [how ? { does: 'end transaction', how } : { does: 'other' }];
  },
  VariableSetStmt: ({ name = '', kind, args = [], is_local: isLocal = false }) => {
    const setting = name.toLowerCase();
    if (kind === 'VAR_RESET_ALL') return [{ does: 'reset', name: 'all' }];
    if (kind === 'VAR_RESET' || kind === 'VAR_SET_DEFAULT') return [{ does: 'reset', name: setting }];
    if (kind !== 'VAR_SET_VALUE') return [{ does: 'other' }];
    const [value] = args.flatMap((arg) => literalOf(arg) ?? []);
    return [{ does: 'set', name: setting, isLocal, ...(value === undefined ? {} : { value }) }];
  },
};

/** The actions of a statement, in order. @param sql its text, to which the node's locations refer */
export function actionsOf(node: Node, sql: string): readonly Action[] {
  return apply(STATEMENTS, node, sql) ?? [{ does: 'other' }];
}

/** SELECT ... FOR UPDATE without a condition that limits it. FOR SHARE and FOR KEY SHARE do the same to writes. */
function lockedRows({ lockingClause = [], fromClause = [], whereClause, limitCount }: Of<'SelectStmt'>): readonly Action[] {
  if (!lockingClause.length || whereClause || limitCount) return [];
  const tables = fromClause.map(rangeName).filter(Boolean);
  return tables.length ? [{ does: 'lock rows', tables }] : [];
}

/** ALTER INDEX ... ATTACH PARTITION, or SET TABLESPACE. */
function indexActions(index: string, command: Node): readonly Action[] {
  const { subtype, name = '', def } = as(command, 'AlterTableCmd') ?? {};
  if (subtype === 'AT_SetTableSpace') return [{ does: 'move index', index, tablespace: name }];
  return def && 'PartitionCmd' in def ? [{ does: 'attach index', index: nameOf(def.PartitionCmd.name), to: index }] : [];
}

function constantElement({ expr }: IndexElem): readonly string[] {
  if (!expr) return [];
  const json = JSON.stringify(expr);
  // An expression with a column, such as lower(email), is not a constant.
  if (/"ColumnRef"/.test(json)) return [];
  // A text may be meant as a column. A unique index on true is meant: it allows one row.
  return /"A_Const":\{"sval":\{"sval":"([^"]*)"/.exec(json)?.slice(1, 2) ?? [];
}

/** The columns that an INSERT gives a value to: not `DEFAULT`, and not the next number of a sequence. Undefined: it names no columns. */
function givenColumns(columns: readonly Node[], source: Node | undefined): readonly string[] | undefined {
  // DEFAULT VALUES
  if (!source) return [];
  const { valuesLists = [], targetList = [] } = as(source, 'SelectStmt') ?? {};
  const selected = only(targetList, 'ResTarget').map(({ val }) => val);
  const rows = valuesLists.length ? only(valuesLists, 'List').map(({ items = [] }) => items) : [selected];
  if (!columns.length) return rows.flat().some(isNumbered) ? [] : undefined;
  return only(columns, 'ResTarget').flatMap(({ name = '' }, at) => (rows.every((row) => isNumbered(row[at])) ? [] : [name]));
}

/** Whether a value is no number that a sequence gives later: it comes from one, or is below its first. */
function isNumbered(value: Node | undefined): boolean {
  const number = as(value, 'A_Const')?.ival;
  return (
    !!as(value, 'SetToDefault') ||
    (!!number && (number.ival ?? 0) <= 0) ||
    (!!value && /"sval":"nextval"/.test(JSON.stringify(value)))
  );
}

/** The copy of all rows of a query's tables; none if the query limits or aggregates them. */
function copyActions(query: Node | undefined, into: string, how: string): readonly Action[] {
  const select = query && 'SelectStmt' in query ? query.SelectStmt : undefined;
  if (
    !select ||
    select.limitCount ||
    select.groupClause?.length ||
    /"sval":"(?:count|sum|min|max|avg)"/.test(JSON.stringify(select.targetList)) ||
    select.fromClause?.some(joinsValuesList)
  )
    return [];
  const from = (select.fromClause ?? []).flatMap(tablesOf);
  const isWhole = !select.whereClause || isJoin(select.whereClause, select.fromClause ?? []);
  return isWhole && from.length ? [{ does: 'copy rows', into, from, how }] : [];
}

/** Whether a join keeps only the rows that a list names: `FROM (VALUES ('EUR'), ('USD')) AS wanted (code) JOIN currencies USING (code)`. */
function joinsValuesList(from: Node): boolean {
  if ('JoinExpr' in from) {
    const { jointype, larg, rarg } = from.JoinExpr;
    const sides = jointype === 'JOIN_INNER' ? [larg, rarg] : jointype === 'JOIN_LEFT' ? [larg] : [];
    return sides.some((side) => !!side && joinsValuesList(side));
  }
  const query = 'RangeSubselect' in from ? from.RangeSubselect.subquery : undefined;
  return !!query && 'SelectStmt' in query && !!query.SelectStmt.valuesLists?.length;
}

function tablesOf(from: Node): readonly string[] {
  if ('JoinExpr' in from) return [from.JoinExpr.larg, from.JoinExpr.rarg].flatMap((side) => (side ? tablesOf(side) : []));
  return 'RangeVar' in from ? [rangeName(from)] : [];
}

function roleName(node: Node): string {
  const { rolename, roletype } = 'RoleSpec' in node ? node.RoleSpec : {};
  return rolename ?? (roletype === 'ROLESPEC_PUBLIC' ? 'PUBLIC' : 'CURRENT_USER');
}

function privilegeNames(privileges: readonly Node[]): readonly string[] {
  const named = privileges.flatMap((one) => ('AccessPriv' in one ? [(one.AccessPriv.priv_name ?? 'all').toUpperCase()] : []));
  return named.length ? named : ['ALL'];
}

/** Whether a GRANT to PUBLIC gives what a new object does not give by itself. Who may create in a schema can replace functions that others call. */
function isOpenedToAll(kind: string | undefined, privileges: readonly string[]): boolean {
  if (kind === 'OBJECT_SCHEMA') return privileges.some((privilege) => privilege === 'CREATE' || privilege === 'ALL');
  return kind === 'OBJECT_TABLE' || kind === 'OBJECT_SEQUENCE';
}

const DEFAULT_PRIVILEGES_OF: Readonly<Record<string, string>> = {
  OBJECT_TABLE: 'tables',
  OBJECT_SEQUENCE: 'sequences',
  OBJECT_FUNCTION: 'functions',
  OBJECT_TYPE: 'types',
  OBJECT_SCHEMA: 'schemas',
};

/** SECURITY DEFINER without SET search_path. */
function hasCallersPath(options: readonly Node[]): boolean {
  const given = only(options, 'DefElem');
  const isDefiner = given.some(({ defname, arg }) => defname === 'security' && as(arg, 'Boolean')?.boolval === true);
  return isDefiner && !given.some(({ arg }) => as(arg, 'VariableSetStmt')?.name === 'search_path');
}

function hasOption(options: readonly Node[], wanted: string): boolean {
  return options.some((option) => 'DefElem' in option && option.DefElem.defname === wanted);
}

const DROP_KINDS: Readonly<Record<string, DroppedKind>> = {
  OBJECT_TABLE: 'table',
  OBJECT_FOREIGN_TABLE: 'table',
  OBJECT_SCHEMA: 'schema',
  OBJECT_TYPE: 'type',
  OBJECT_DOMAIN: 'type',
  OBJECT_VIEW: 'view',
  OBJECT_MATVIEW: 'materialized view',
  OBJECT_FUNCTION: 'function',
  OBJECT_PROCEDURE: 'function',
  OBJECT_ROUTINE: 'function',
  OBJECT_AGGREGATE: 'function',
  OBJECT_SEQUENCE: 'sequence',
  OBJECT_EXTENSION: 'extension',
  OBJECT_TRIGGER: 'trigger',
  OBJECT_POLICY: 'policy',
  OBJECT_RULE: 'rule',
  OBJECT_PUBLICATION: 'publication',
};

const RENAME_KINDS: Readonly<Record<string, 'table' | 'column' | 'type' | 'attribute' | 'schema' | 'function'>> = {
  OBJECT_TABLE: 'table',
  OBJECT_VIEW: 'table',
  OBJECT_MATVIEW: 'table',
  OBJECT_FOREIGN_TABLE: 'table',
  OBJECT_COLUMN: 'column',
  OBJECT_ATTRIBUTE: 'attribute',
  OBJECT_TYPE: 'type',
  OBJECT_DOMAIN: 'type',
  OBJECT_SCHEMA: 'schema',
  OBJECT_FUNCTION: 'function',
  OBJECT_PROCEDURE: 'function',
  OBJECT_ROUTINE: 'function',
  OBJECT_AGGREGATE: 'function',
};

/** The objects that ALTER ... SET SCHEMA moves, by kind. */
const MOVE_KINDS: Readonly<Record<string, 'table' | 'type' | 'function'>> = {
  OBJECT_TABLE: 'table',
  OBJECT_VIEW: 'table',
  OBJECT_MATVIEW: 'table',
  OBJECT_FOREIGN_TABLE: 'table',
  OBJECT_TYPE: 'type',
  OBJECT_DOMAIN: 'type',
  OBJECT_FUNCTION: 'function',
  OBJECT_PROCEDURE: 'function',
  OBJECT_ROUTINE: 'function',
  OBJECT_AGGREGATE: 'function',
};

const TRANSACTION_ENDS: Readonly<Record<string, string>> = { TRANS_STMT_COMMIT: 'COMMIT', TRANS_STMT_ROLLBACK: 'ROLLBACK' };

/** Lock modes by PostgreSQL's number. */
const LOCK_MODES: Readonly<Record<number, string>> = {
  4: 'ShareUpdateExclusiveLock',
  5: 'ShareLock',
  6: 'ShareRowExclusiveLock',
  7: 'ExclusiveLock',
  8: 'AccessExclusiveLock',
};

/** The names of a query's columns. */
function outputColumns(query: Node | undefined): readonly string[] {
  const targets = query && 'SelectStmt' in query ? (query.SelectStmt.targetList ?? []) : [];
  return targets.flatMap((target) => {
    if (!('ResTarget' in target)) return [];
    const { name, val } = target.ResTarget;
    const [last] = val && 'ColumnRef' in val ? (val.ColumnRef.fields ?? []).slice(-1) : [];
    return name ?? (last && 'String' in last ? (last.String.sval ?? []) : []);
  });
}
