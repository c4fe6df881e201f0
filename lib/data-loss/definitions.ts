import type { AlterTableCmd, AlterTableType, ColumnDef, Node, ObjectType } from 'libpg-query';
import { UNKNOWN_VALUE as UNKNOWN } from '../contract/facts';
import { apply, as, joined, nameOf, type Of, only, type Rules } from '../sql/nodes';
import { convertsLossily, cutsOff } from './conversions';
import type { Created } from './created';
import { type Loss, unless } from './losses';

/** Records the objects that a statement creates: dropping them again loses nothing. Returns whether it was such a statement. */
export function makes(node: Node, made: Created): boolean {
  apply(MAKES, node, made);
  return Object.keys(node).some((kind) => kind in MAKES);
}

const MAKES: Rules<void, [made: Created]> = {
  CreateStmt: (statement, made) => {
    const { relation, if_not_exists } = statement;
    made.add('table', nameOf(relation), !!if_not_exists && relation?.relpersistence !== 't');
    createTable(statement, made);
  },
  CreateTableAsStmt: ({ into, objtype, if_not_exists }, made) => {
    const name = nameOf(into?.rel);
    const isTable = objtype === 'OBJECT_TABLE';
    const isTemporary = into?.rel?.relpersistence === 't';
    made.add(isTable ? 'table' : 'view', name, !!if_not_exists && !isTemporary);
    if (isTable && isTemporary) made.temporary.add(name);
  },
  ViewStmt: ({ view }, made) => made.add('view', nameOf(view)),
  CreateSchemaStmt: ({ schemaname = '', if_not_exists }, made) => made.add('schema', schemaname, !!if_not_exists),
  CreateEnumStmt: ({ typeName }, made) => made.add('type', joined(typeName)),
  AlterEnumStmt: ({ newVal }, made) => void made.labels.add(JSON.stringify({ sval: { sval: newVal } })),
  CreateDomainStmt: ({ domainname }, made) => made.add('type', joined(domainname)),
  CreateRangeStmt: ({ typeName }, made) => made.add('type', joined(typeName)),
  CompositeTypeStmt: ({ typevar }, made) => made.add('type', nameOf(typevar)),
  CreateSeqStmt: ({ sequence, if_not_exists }, made) => made.add('sequence', nameOf(sequence), !!if_not_exists),
  RenameStmt: renames,
  AlterObjectSchemaStmt: moves,
};

/** Names of the views that a statement creates. */
export function createdViews(node: Node | undefined): readonly string[] {
  const created = as(node, 'CreateTableAsStmt');
  const relation = created?.objtype === 'OBJECT_MATVIEW' ? created.into?.rel : as(node, 'ViewStmt')?.view;
  return relation ? [nameOf(relation)] : [];
}

/** A part of an ALTER TABLE. */
interface Alteration extends AlterTableCmd {
  readonly table: string;
}

function alterations(node: Node | undefined): readonly Alteration[] {
  const { relation, cmds } = as(node, 'AlterTableStmt') ?? {};
  // The parser omits the first value of an enumeration.
  return only(cmds, 'AlterTableCmd').map((command) => ({ subtype: 'AT_AddColumn', ...command, table: nameOf(relation) }));
}

/** Columns that a statement makes NOT NULL, with their table. */
export function requiredColumns(node: Node | undefined): readonly string[] {
  const required = alterations(node).filter(({ subtype }) => subtype === 'AT_SetNotNull');
  return required.map(({ table, name }) => `${table}.${name}`);
}

function renames({ renameType, relation, object, subname = '', newname = '' }: Of<'RenameStmt'>, made: Created): void {
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
function moves({ objectType, relation, newschema = '' }: Of<'AlterObjectSchemaStmt'>, made: Created): void {
  if (objectType !== 'OBJECT_TABLE') return;
  const from = nameOf(relation);
  const to =
    newschema === 'public' ? from.slice(from.lastIndexOf('.') + 1) : `${newschema}.${from.slice(from.lastIndexOf('.') + 1)}`;
  if (made.has('table', from)) made.rename('table', from, to);
  else made.forget('schema', newschema);
}

/** `before`: the column's current type. */
export function alterLosses({ relation, cmds, objtype }: Of<'AlterTableStmt'>, made: Created, before?: string): readonly Loss[] {
  const altered = { table: nameOf(relation), isType: objtype === 'OBJECT_TYPE', before };
  return only(cmds, 'AlterTableCmd').flatMap(
    (command) => ALTERS[command.subtype ?? 'AT_AddColumn']?.(command, altered, made) ?? [],
  );
}

interface Altered {
  readonly table: string;
  readonly isType: boolean;
  readonly before: string | undefined;
}

const ALTERS: {
  readonly [Kind in AlterTableType]?: (command: AlterTableCmd, altered: Altered, made: Created) => readonly Loss[];
} = {
  AT_AddColumn: ({ def, missing_ok }, { table }, made) => {
    const column = as(def, 'ColumnDef');
    if (column) addColumn(column, table, !!missing_ok, made);
    return [];
  },
  AT_DropColumn: ({ name = '' }, { table, isType }, made) => {
    const column = `${table}.${name}`;
    const own = isType ? made.has('type', table) : made.mayDropColumn(table, name);
    const isKept = !isType && (made.kept.keepsColumn(column) || made.isEmpty(table, name));
    made.forget('column', column);
    made.kept.dropColumn(table, name);
    made.kept.change(table, name);
    made.freesTypes = true;
    const what = isType ? `ALTER TYPE ${table} DROP ATTRIBUTE ${name}` : `ALTER TABLE ${table} DROP COLUMN ${name}`;
    return own ? [] : unless(isKept, { rule: 'drop-column', what }, made);
  },
  AT_AlterColumnType: ({ name = '', def }, { table, before }, made) => {
    made.freesTypes = true;
    made.enums.delete(`${table}.${name}`);
    const column = as(def, 'ColumnDef');
    if (!column || made.hasColumn(table, name) || !convertsLossily(column, before)) return [];
    return [{ rule: 'convert-column', what: `ALTER TABLE ${table} ALTER COLUMN ${name} TYPE` }];
  },
  AT_DetachPartition: ({ def }, { table }, made) => {
    const partition = nameOf(as(def, 'PartitionCmd')?.name);
    if (made.has('table', table) || made.has('table', partition)) return [];
    const what = `DETACH PARTITION ${partition} of ${table}`;
    return unless(made.moved.has(partition), { rule: 'detach-partition', what }, made);
  },
  AT_DropInherit: (_, { table }, made) =>
    made.has('table', table) ? [] : [{ rule: 'detach-partition', what: `ALTER TABLE ${table} NO INHERIT` }],
};

/** Notes the columns of tables that older revisions have created. */
export function describe(node: Node, made: Created): void {
  apply(DESCRIBES, node, made);
}

const DESCRIBES: Rules<void, [made: Created]> = {
  CreateStmt: createTable,
  RenameStmt: renames,
  AlterTableStmt: (statement, made) => {
    const table = nameOf(statement.relation);
    const parts = alterations({ AlterTableStmt: statement });
    const known = made.kept.columnsOf(table);
    if (known) made.kept.describe(table, [...known, ...parts.flatMap((one) => addedBy(one)?.colname ?? [])]);
    for (const { subtype, name = '' } of parts) if (subtype === 'AT_DropColumn') made.kept.dropColumn(table, name);
  },
};

/** Notes the columns of a new table, unless one is unknown. */
function createTable({ relation, tableElts = [], inhRelations }: Of<'CreateStmt'>, made: Created): void {
  const table = nameOf(relation);
  if (relation?.relpersistence === 't') made.temporary.add(table);
  const columns = tableElts.flatMap((one) => ('ColumnDef' in one ? [one.ColumnDef] : []));
  for (const { colname, typeName } of columns) if (cutsOff(typeName)) made.narrow.add(`${table}.${colname}`);
  const isKnown = columns.length && !inhRelations && tableElts.every((one) => !('TableLikeClause' in one));
  const names = columns.map(({ colname = '' }) => colname);
  made.kept.describe(table, isKnown && !names.some((name) => name.includes(UNKNOWN)) ? names : undefined);
}

function addColumn({ colname, typeName, constraints = [] }: ColumnDef, table: string, perhaps: boolean, made: Created): void {
  made.add('column', `${table}.${colname}`, perhaps);
  made.kept.addColumn(table, colname ?? '');
  if (cutsOff(typeName)) made.narrow.add(`${table}.${colname}`);
  const isFilled = constraints.some((one) => 'Constraint' in one && FILLS.has(one.Constraint.contype ?? 'CONSTR_NULL'));
  if (!perhaps && !isFilled) made.unfilled.add(`${table}.${colname}`);
}

const FILLS = new Set(['CONSTR_DEFAULT', 'CONSTR_GENERATED', 'CONSTR_IDENTITY']);

function addedBy({ subtype, def }: Alteration): ColumnDef | undefined {
  return subtype === 'AT_AddColumn' ? as(def, 'ColumnDef') : undefined;
}

/** Columns that a statement adds, with their table. */
export function addedColumns(node: Node | undefined): readonly string[] {
  return alterations(node).flatMap((one) => {
    const column = addedBy(one);
    return column ? [`${one.table}.${column.colname}`] : [];
  });
}

/** The columns that a statement gives another type, with their table, and the type's name. */
export function retypedColumns(node: Node | undefined): readonly (readonly [column: string, type: string])[] {
  return alterations(node).flatMap(({ subtype, table, name = '', def }) => {
    const column = subtype === 'AT_AlterColumnType' ? as(def, 'ColumnDef') : undefined;
    return column ? [[`${table}.${name}`, joined(column.typeName?.names)]] : [];
  });
}

/** The tables that a statement moves to another schema or attaches as a partition: detached before, they keep their rows. */
export function movedTables(node: Node | undefined): readonly string[] {
  const moved = as(node, 'AlterObjectSchemaStmt');
  if (moved) return [nameOf(moved.relation)];
  return alterations(node).flatMap(({ subtype, def }) => {
    const partition = subtype === 'AT_AttachPartition' ? as(def, 'PartitionCmd') : undefined;
    return partition ? [nameOf(partition.name)] : [];
  });
}

/** Whether a statement says where a sequence or an identity goes on: `setval`, `START WITH`, `RESTART WITH`. */
export function continuesNumbers(node: Node | undefined): boolean {
  const tree = JSON.stringify(node ?? {});
  return /"defname":"(?:re)?start","arg"/.test(tree) || /"funcname":\[[^\]]*"sval":"setval"/.test(tree);
}

/** `created`: all views that the revision creates, even after this statement. */
export function dropLosses(
  { removeType = 'OBJECT_ACCESS_METHOD', objects = [], behavior }: Of<'DropStmt'>,
  made: Created,
  created: ReadonlySet<string>,
): readonly Loss[] {
  const cascade = behavior === 'DROP_CASCADE' ? ' CASCADE' : '';
  return objects.flatMap((object) => {
    const name = joined(as(object, 'List')?.items ?? as(object, 'TypeName')?.names ?? [object]);
    const isNewView = made.has('view', name) || created.has(name);
    return (DROPS[removeType] ?? dropCascades)({ removeType, name, cascade, isNewView }, made);
  });
}

interface Dropped {
  readonly removeType: ObjectType;
  readonly name: string;
  readonly cascade: '' | ' CASCADE';
  readonly isNewView: boolean;
}

const DROPS: { readonly [Kind in ObjectType]?: (dropped: Dropped, made: Created) => readonly Loss[] } = {
  OBJECT_TABLE: dropTable,
  OBJECT_FOREIGN_TABLE: dropTable,
  OBJECT_SCHEMA: ({ name }, made) => (made.mayDrop('schema', name) ? [] : [{ rule: 'drop-schema', what: `DROP SCHEMA ${name}` }]),
  OBJECT_TYPE: dropType,
  OBJECT_DOMAIN: dropType,
  OBJECT_SEQUENCE: ({ name, cascade }, made) =>
    made.mayDrop('sequence', name) || made.continuesNumbers
      ? []
      : [{ rule: 'drop-sequence', what: `DROP SEQUENCE ${name}${cascade}` }],
  OBJECT_MATVIEW: ({ name, cascade, isNewView }) =>
    isNewView ? [] : [{ rule: 'drop-materialized-view', what: `DROP MATERIALIZED VIEW ${name}${cascade}` }],
};

function dropTable({ name }: Dropped, made: Created): readonly Loss[] {
  const own = made.mayDrop('table', name);
  const isKept = made.kept.keepsTable(name) || made.isEmpty(name);
  made.forget('table', name);
  made.kept.change(name);
  made.freesTypes = true;
  return own ? [] : unless(isKept, { rule: 'drop-table', what: `DROP TABLE ${name}` }, made);
}

/** CASCADE drops the columns that still have the type. After an enum swap there are none. */
function dropType({ name, cascade }: Dropped, made: Created): readonly Loss[] {
  const isRetired = made.retired.has(name);
  const isFree = cascade ? made.freesTypes && isRetired : made.freesTypes || isRetired;
  return made.has('type', name) || isFree ? [] : [{ rule: 'drop-type', what: `DROP TYPE ${name}${cascade}` }];
}

/** CASCADE may drop a materialized view, a column or a foreign table with these. */
function dropCascades({ removeType, name, cascade, isNewView }: Dropped): readonly Loss[] {
  const kind = cascade && !isNewView ? CASCADES[removeType] : undefined;
  return kind === undefined ? [] : [{ rule: 'drop-cascade', what: `DROP ${kind} ${name} CASCADE` }];
}

const CASCADES: { readonly [Kind in ObjectType]?: string } = {
  OBJECT_VIEW: 'VIEW',
  OBJECT_EXTENSION: 'EXTENSION',
  OBJECT_COLLATION: 'COLLATION',
  OBJECT_FOREIGN_SERVER: 'SERVER',
  OBJECT_FDW: 'FOREIGN DATA WRAPPER',
};
