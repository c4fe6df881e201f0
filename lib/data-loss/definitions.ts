import type { AlterTableCmd, ColumnDef, Node } from 'libpg-query';
import { UNKNOWN_VALUE as UNKNOWN } from '../contract/facts';
import { convertsLossily, cutsOff } from './conversions';
import { type Loss, unless } from './losses';
import { joined, type Made, nameOf } from './made';

type Of<Kind extends string> = Extract<Node, Record<Kind, unknown>>[Kind & keyof Extract<Node, Record<Kind, unknown>>];

/** Records the objects that a statement creates: dropping them again loses nothing. Returns whether it was such a statement. */
export function makes(node: Node, made: Made): boolean {
  if ('CreateStmt' in node) {
    const { relation, if_not_exists } = node.CreateStmt;
    made.add('table', nameOf(relation), !!if_not_exists && relation?.relpersistence !== 't');
    createTable(node.CreateStmt, made);
  } else if ('CreateTableAsStmt' in node) {
    const { into, objtype, if_not_exists } = node.CreateTableAsStmt;
    const kind = objtype === 'OBJECT_TABLE' ? 'table' : 'view';
    made.add(kind, nameOf(into?.rel), !!if_not_exists && into?.rel?.relpersistence !== 't');
    if (kind === 'table' && into?.rel?.relpersistence === 't') made.temporary.add(nameOf(into.rel));
  } else if ('ViewStmt' in node) made.add('view', nameOf(node.ViewStmt.view));
  else if ('CreateSchemaStmt' in node)
    made.add('schema', node.CreateSchemaStmt.schemaname ?? '', !!node.CreateSchemaStmt.if_not_exists);
  else if ('CreateEnumStmt' in node) made.add('type', joined(node.CreateEnumStmt.typeName));
  else if ('AlterEnumStmt' in node) made.labels.add(JSON.stringify({ sval: { sval: node.AlterEnumStmt.newVal } }));
  else if ('CreateDomainStmt' in node) made.add('type', joined(node.CreateDomainStmt.domainname));
  else if ('CreateRangeStmt' in node) made.add('type', joined(node.CreateRangeStmt.typeName));
  else if ('CompositeTypeStmt' in node) made.add('type', nameOf(node.CompositeTypeStmt.typevar));
  else if ('CreateSeqStmt' in node) made.add('sequence', nameOf(node.CreateSeqStmt.sequence), !!node.CreateSeqStmt.if_not_exists);
  else if ('RenameStmt' in node) renames(node.RenameStmt, made);
  else if ('AlterObjectSchemaStmt' in node) moves(node.AlterObjectSchemaStmt, made);
  else return false;
  return true;
}

/** Names of the views that a statement creates. */
export function createdViews(node: Node | undefined): readonly string[] {
  if (!node) return [];
  if ('ViewStmt' in node) return [nameOf(node.ViewStmt.view)];
  return 'CreateTableAsStmt' in node && node.CreateTableAsStmt.objtype === 'OBJECT_MATVIEW'
    ? [nameOf(node.CreateTableAsStmt.into?.rel)]
    : [];
}

/** Columns that a statement makes NOT NULL, with their table. */
export function requiredColumns(node: Node | undefined): readonly string[] {
  if (!node || !('AlterTableStmt' in node)) return [];
  const { relation, cmds = [] } = node.AlterTableStmt;
  return cmds.flatMap((command) =>
    'AlterTableCmd' in command && command.AlterTableCmd.subtype === 'AT_SetNotNull'
      ? [`${nameOf(relation)}.${command.AlterTableCmd.name}`]
      : [],
  );
}

function renames({ renameType, relation, object, subname = '', newname = '' }: Of<'RenameStmt'>, made: Made): void {
  if (renameType === 'OBJECT_TABLE' || renameType === 'OBJECT_VIEW' || renameType === 'OBJECT_MATVIEW') {
    const from = nameOf(relation);
    made.rename(renameType === 'OBJECT_TABLE' ? 'table' : 'view', from, beside(from, newname));
  } else if (renameType === 'OBJECT_COLUMN') {
    made.rename('column', `${nameOf(relation)}.${subname}`, `${nameOf(relation)}.${newname}`);
  } else if (renameType === 'OBJECT_TYPE' || renameType === 'OBJECT_DOMAIN') {
    const from = joined(object && 'List' in object ? (object.List.items ?? []) : []);
    made.rename('type', from, beside(from, newname));
  } else if (renameType === 'OBJECT_SEQUENCE') {
    made.rename('sequence', nameOf(relation), beside(nameOf(relation), newname));
  } else if (renameType === 'OBJECT_SCHEMA') made.rename('schema', subname, newname);
}

function beside(from: string, name: string): string {
  return from.includes('.') ? `${from.slice(0, from.lastIndexOf('.'))}.${name}` : name;
}

/** ALTER TABLE users SET SCHEMA trash: the schema now holds a table that the revision did not create. */
function moves({ objectType, relation, newschema = '' }: Of<'AlterObjectSchemaStmt'>, made: Made): void {
  if (objectType !== 'OBJECT_TABLE') return;
  const from = nameOf(relation);
  const to =
    newschema === 'public' ? from.slice(from.lastIndexOf('.') + 1) : `${newschema}.${from.slice(from.lastIndexOf('.') + 1)}`;
  if (made.has('table', from)) made.rename('table', from, to);
  else made.forget('schema', newschema);
}

/** `before`: the column's current type. */
export function alterLosses(
  { relation, cmds = [], objtype }: Of<'AlterTableStmt'>,
  made: Made,
  before?: string,
): readonly Loss[] {
  const table = nameOf(relation);
  return cmds.flatMap((command) =>
    'AlterTableCmd' in command ? partLosses(table, objtype === 'OBJECT_TYPE', command.AlterTableCmd, made, before) : [],
  );
}

function partLosses(
  table: string,
  isType: boolean,
  { subtype = 'AT_AddColumn', name = '', def, missing_ok }: AlterTableCmd,
  made: Made,
  before: string | undefined,
): readonly Loss[] {
  switch (subtype) {
    case 'AT_AddColumn':
      if (def && 'ColumnDef' in def) addColumn(def.ColumnDef, table, !!missing_ok, made);
      return [];
    case 'AT_DropColumn': {
      const column = `${table}.${name}`;
      const own = isType ? made.has('type', table) : made.mayDropColumn(table, name);
      const isKept = !isType && (made.kept.keepsColumn(column) || made.isEmpty(table, name));
      made.forget('column', column);
      made.kept.dropColumn(table, name);
      made.kept.change(table, name);
      made.freesTypes = true;
      const what = isType ? `ALTER TYPE ${table} DROP ATTRIBUTE ${name}` : `ALTER TABLE ${table} DROP COLUMN ${name}`;
      return own ? [] : unless(isKept, { rule: 'drop-column', what }, made);
    }
    case 'AT_AlterColumnType': {
      made.freesTypes = true;
      made.enums.delete(`${table}.${name}`);
      const column = def && 'ColumnDef' in def ? def.ColumnDef : undefined;
      if (!column || made.hasColumn(table, name) || !convertsLossily(column, before)) return [];
      return [{ rule: 'convert-column', what: `ALTER TABLE ${table} ALTER COLUMN ${name} TYPE` }];
    }
    case 'AT_DetachPartition': {
      const partition = def && 'PartitionCmd' in def ? nameOf(def.PartitionCmd.name) : '';
      if (made.has('table', table) || made.has('table', partition)) return [];
      const what = `DETACH PARTITION ${partition} of ${table}`;
      return unless(made.rehomed.has(partition), { rule: 'detach-partition', what }, made);
    }
    case 'AT_DropInherit':
      return made.has('table', table) ? [] : [{ rule: 'detach-partition', what: `ALTER TABLE ${table} NO INHERIT` }];
    default:
      return [];
  }
}

/** Notes the columns of tables that older revisions have created. */
export function describe(node: Node, made: Made): void {
  if ('CreateStmt' in node) createTable(node.CreateStmt, made);
  else if ('RenameStmt' in node) renames(node.RenameStmt, made);
  else if ('AlterTableStmt' in node) {
    const table = nameOf(node.AlterTableStmt.relation);
    const known = made.kept.columnsOf(table);
    const added = addedColumns(node).map((column) => column.slice(table.length + 1));
    if (known) made.kept.describe(table, [...known, ...added]);
    for (const command of node.AlterTableStmt.cmds ?? [])
      if ('AlterTableCmd' in command && command.AlterTableCmd.subtype === 'AT_DropColumn')
        made.kept.dropColumn(table, command.AlterTableCmd.name ?? '');
  }
}

/** Notes the columns of a new table, unless one is unknown. */
function createTable({ relation, tableElts = [], inhRelations }: Of<'CreateStmt'>, made: Made): void {
  const table = nameOf(relation);
  if (relation?.relpersistence === 't') made.temporary.add(table);
  const columns = tableElts.flatMap((one) => ('ColumnDef' in one ? [one.ColumnDef] : []));
  for (const { colname, typeName } of columns) if (cutsOff(typeName)) made.narrow.add(`${table}.${colname}`);
  const isKnown = columns.length && !inhRelations && tableElts.every((one) => !('TableLikeClause' in one));
  const names = columns.map(({ colname = '' }) => colname);
  made.kept.describe(table, isKnown && !names.some((name) => name.includes(UNKNOWN)) ? names : undefined);
}

function addColumn({ colname, typeName, constraints = [] }: ColumnDef, table: string, perhaps: boolean, made: Made): void {
  made.add('column', `${table}.${colname}`, perhaps);
  made.kept.addColumn(table, colname ?? '');
  if (cutsOff(typeName)) made.narrow.add(`${table}.${colname}`);
  const isFilled = constraints.some((one) => 'Constraint' in one && FILLS.has(one.Constraint.contype ?? 'CONSTR_NULL'));
  if (!perhaps && !isFilled) made.unfilled.add(`${table}.${colname}`);
}

const FILLS = new Set(['CONSTR_DEFAULT', 'CONSTR_GENERATED', 'CONSTR_IDENTITY']);

/** Columns that a statement adds, with their table. */
export function addedColumns(node: Node | undefined): readonly string[] {
  if (!node || !('AlterTableStmt' in node)) return [];
  const { relation, cmds = [] } = node.AlterTableStmt;
  return cmds.flatMap((command) => {
    const { subtype = 'AT_AddColumn', def = undefined } = 'AlterTableCmd' in command ? command.AlterTableCmd : {};
    return subtype === 'AT_AddColumn' && def && 'ColumnDef' in def ? [`${nameOf(relation)}.${def.ColumnDef.colname}`] : [];
  });
}

/** The columns that a statement gives another type, with their table, and the type's name. */
export function retypedColumns(node: Node | undefined): readonly (readonly [column: string, type: string])[] {
  if (!node || !('AlterTableStmt' in node)) return [];
  const { relation, cmds = [] } = node.AlterTableStmt;
  return cmds.flatMap((command) => {
    const { subtype = 'AT_AddColumn', name = '', def = undefined } = 'AlterTableCmd' in command ? command.AlterTableCmd : {};
    if (subtype !== 'AT_AlterColumnType' || !def || !('ColumnDef' in def)) return [];
    return [[`${nameOf(relation)}.${name}`, joined(def.ColumnDef.typeName?.names)]];
  });
}

/** The tables that a statement moves to another schema or attaches as a partition: detached before, they keep their rows. */
export function rehomedTables(node: Node | undefined): readonly string[] {
  if (!node) return [];
  if ('AlterObjectSchemaStmt' in node) return [nameOf(node.AlterObjectSchemaStmt.relation)];
  return ('AlterTableStmt' in node ? (node.AlterTableStmt.cmds ?? []) : []).flatMap((command) => {
    const { subtype = 'AT_AddColumn', def = undefined } = 'AlterTableCmd' in command ? command.AlterTableCmd : {};
    return subtype === 'AT_AttachPartition' && def && 'PartitionCmd' in def ? [nameOf(def.PartitionCmd.name)] : [];
  });
}

/** Whether a statement says where a sequence or an identity goes on: `setval`, `START WITH`, `RESTART WITH`. */
export function continuesNumbers(node: Node | undefined): boolean {
  const tree = JSON.stringify(node ?? {});
  return /"defname":"(?:re)?start","arg"/.test(tree) || /"funcname":\[[^\]]*"sval":"setval"/.test(tree);
}

/** `created`: all views that the revision creates, even after this statement. */
export function dropLosses(
  { removeType, objects = [], behavior }: Of<'DropStmt'>,
  made: Made,
  created: ReadonlySet<string>,
): readonly Loss[] {
  const cascade = behavior === 'DROP_CASCADE';
  return objects.flatMap((object): readonly Loss[] => {
    const name =
      'List' in object ? joined(object.List.items) : 'TypeName' in object ? joined(object.TypeName.names) : joined([object]);
    const loss = objectLoss(removeType, name, cascade, made, created);
    return loss ? [loss] : [];
  });
}

function objectLoss(
  removeType: string | undefined,
  name: string,
  cascade: boolean,
  made: Made,
  created: ReadonlySet<string>,
): Loss | undefined {
  switch (removeType) {
    case 'OBJECT_TABLE':
    case 'OBJECT_FOREIGN_TABLE': {
      const own = made.mayDrop('table', name);
      const isKept = made.kept.keepsTable(name) || made.isEmpty(name);
      made.forget('table', name);
      made.kept.change(name);
      made.freesTypes = true;
      return own ? undefined : unless(isKept, { rule: 'drop-table', what: `DROP TABLE ${name}` }, made)[0];
    }
    case 'OBJECT_SCHEMA':
      return made.mayDrop('schema', name) ? undefined : { rule: 'drop-schema', what: `DROP SCHEMA ${name}` };
    case 'OBJECT_TYPE':
    case 'OBJECT_DOMAIN': {
      // CASCADE drops the columns that still have the type. After an enum swap there are none.
      const free = cascade ? made.freesTypes && made.retired.has(name) : made.freesTypes || made.retired.has(name);
      return made.has('type', name) || free
        ? undefined
        : { rule: 'drop-type', what: `DROP TYPE ${name}${cascade ? ' CASCADE' : ''}` };
    }
    case 'OBJECT_SEQUENCE':
      return made.mayDrop('sequence', name) || made.continuesNumbers
        ? undefined
        : { rule: 'drop-sequence', what: `DROP SEQUENCE ${name}${cascade ? ' CASCADE' : ''}` };
    case 'OBJECT_MATVIEW':
      if (made.has('view', name) || created.has(name)) return undefined;
      return { rule: 'drop-materialized-view', what: `DROP MATERIALIZED VIEW ${name}${cascade ? ' CASCADE' : ''}` };
    default: {
      // CASCADE may drop a materialized view, a column or a foreign table with these.
      const kind = cascade && !made.has('view', name) && !created.has(name) ? CASCADES[removeType ?? ''] : undefined;
      return kind === undefined ? undefined : { rule: 'drop-cascade', what: `DROP ${kind} ${name} CASCADE` };
    }
  }
}

const CASCADES: Readonly<Record<string, string>> = {
  OBJECT_VIEW: 'VIEW',
  OBJECT_EXTENSION: 'EXTENSION',
  OBJECT_COLLATION: 'COLLATION',
  OBJECT_FOREIGN_SERVER: 'SERVER',
  OBJECT_FDW: 'FOREIGN DATA WRAPPER',
};
