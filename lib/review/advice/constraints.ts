import type { Constraint, Node } from 'libpg-query';
import type { Call } from '../../contract/facts';
import type { ConstraintDefinition, Written } from '../sql/action';
import { nameOf, text } from '../sql/names';
import { autocommit, callWith, conventionalName, execute, finalName, list, literal, sqlLiteral, tableArguments } from './python';
import { quoted, quotedList, quotedTable, SqlText } from './sql';

const NEXT_REVISION = '# in the next revision, while reads and writes continue:';

export function validate(table: string, constraint: string): string {
  return execute(`ALTER TABLE ${quotedTable(table)} VALIDATE CONSTRAINT ${quoted(constraint)}`);
}

/** A constraint that is added without reading the rows, and validated in a later transaction. */
export interface DeferredValidation {
  readonly name: string;
  readonly add: string;
  readonly validate: string;
}

/** The same foreign key, added without reading the rows, and validated later. */
export function foreignKeyInSteps(table: string, constraint: ConstraintDefinition, call: Call | undefined): string {
  return inSteps(foreignKeySteps(table, constraint, call));
}

export function foreignKeySteps(table: string, constraint: ConstraintDefinition, call: Call | undefined): DeferredValidation {
  const { columns, references, written } = constraint;
  const name = constraint.name ?? conventionalName('fk', table, columns, references?.table);
  const add = written ? foreignKey(table, constraint, name, written.node) : notValid(call, 'op.create_foreign_key', name);
  return { name, add, validate: validate(table, name) };
}

function inSteps(steps: DeferredValidation): string {
  return [steps.add, NEXT_REVISION, steps.validate].join('\n');
}

function foreignKey(table: string, { columns, references }: ConstraintDefinition, name: string, node: Constraint): string {
  const written = tableArguments(table);
  const target = tableArguments(references?.table ?? '');
  const actions = [
    ...foreignKeyAction('onupdate', node.fk_upd_action, []),
    ...foreignKeyAction('ondelete', node.fk_del_action, node.fk_del_set_cols ?? []),
    ...(node.fk_matchtype === 'f' ? ['match="FULL"'] : []),
    ...(node.deferrable ? ['deferrable=True'] : []),
    ...(node.initdeferred ? ['initially="DEFERRED"'] : []),
  ];
  if (!references?.columns.length) return execute(`${addConstraintSql(table, name)} ${foreignKeySql(node)} NOT VALID`);
  const schemas = [written.schema.replace('schema', 'source_schema'), target.schema.replace('schema', 'referent_schema')];
  const keywords = [...actions, 'postgresql_not_valid=True'].map((keyword) => `, ${keyword}`);
  return (
    `op.create_foreign_key(${literal(name)}, ${written.table}, ${target.table}, ${list(columns)}, ` +
    `${list(references.columns)}${schemas.join('')}${keywords.join('')})`
  );
}

/** FOREIGN KEY ... as SQL. */
function foreignKeySql({ fk_attrs = [], pktable, pk_attrs = [], ...node }: Constraint): string {
  return [
    `FOREIGN KEY (${quotedList(fk_attrs.map(text))}) REFERENCES ${quotedTable(nameOf(pktable))}`,
    ...(pk_attrs.length ? [`(${quotedList(pk_attrs.map(text))})`] : []),
    ...(node.fk_matchtype === 'f' ? ['MATCH FULL'] : []),
    ...foreignKeyActionSql('ON UPDATE', node.fk_upd_action, []),
    ...foreignKeyActionSql('ON DELETE', node.fk_del_action, node.fk_del_set_cols ?? []),
    ...deferrableClauses(node),
  ].join(' ');
}

/** Before PostgreSQL 18 a partitioned table can't have a NOT VALID foreign key; its partitions can, and the parent then adopts their keys. */
export function foreignKeyOnPartitions(table: string, constraint: ConstraintDefinition, partitions: readonly string[]): string {
  const { columns, references, written } = constraint;
  if (!written) return '# add it to each partition with NOT VALID, validate it there, then add it to the parent';
  const key = foreignKeySql(written.node);
  const own = partitions.map((partition) => {
    return { partition, name: conventionalName('fk', partition, columns, references?.table) };
  });
  return [
    '# each partition first:',
    ...own.map(({ partition, name }) => execute(`${addConstraintSql(partition, name)} ${key} NOT VALID`)),
    '# in the next revision, while reads and writes continue:',
    ...own.map(({ partition, name }) => validate(partition, name)),
    '# in the revision after that, add it to the parent, which adopts those keys and reads nothing:',
    execute(`${addConstraintSql(table, constraint.name ?? conventionalName('fk', table, columns, references?.table))} ${key}`),
  ].join('\n');
}

const ACTIONS: Readonly<Record<string, string>> = { r: 'RESTRICT', c: 'CASCADE', n: 'SET NULL', d: 'SET DEFAULT' };

function foreignKeyActionSql(event: string, code: string | undefined, columns: readonly Node[]): readonly string[] {
  const what = ACTIONS[code ?? ''];
  return what ? [`${event} ${what}${columns.length ? ` (${quotedList(columns.map(text))})` : ''}`] : [];
}

function foreignKeyAction(keyword: string, code: string | undefined, columns: readonly Node[]): readonly string[] {
  return foreignKeyActionSql('', code, columns).map((what) => `${keyword}=${literal(what.trim())}`);
}

function deferrableClauses({ deferrable, initdeferred }: Constraint): readonly string[] {
  return [...(deferrable ? ['DEFERRABLE'] : []), ...(initdeferred ? ['INITIALLY DEFERRED'] : [])];
}

/** The same CHECK, added without reading the rows, and validated later. */
export function checkInSteps(table: string, constraint: ConstraintDefinition, call: Call | undefined): string {
  return inSteps(checkSteps(table, constraint, call));
}

export function checkSteps(table: string, constraint: ConstraintDefinition, call: Call | undefined): DeferredValidation {
  const { written, columns } = constraint;
  const name = constraint.name ?? conventionalName('ck', table, columns);
  const add = written ? check(table, name, written) : notValid(call, 'op.create_check_constraint', name);
  return { name, add, validate: validate(table, name) };
}

/** The same constraint of a domain, added without reading the tables that use it. NOT NULL has no such form. */
export function domainCheckInSteps(domain: string, constraint: ConstraintDefinition | undefined): string {
  const written = constraint?.written;
  const name = constraint?.name ?? conventionalName('ck', domain, []);
  const condition = written ? conditionOf(written) : 'VALUE IS NOT NULL';
  const alterDomain = `ALTER DOMAIN ${quotedTable(domain)}`;
  return inSteps({
    name,
    add: execute(`${alterDomain} ADD CONSTRAINT ${quoted(name)} CHECK (${condition}) NOT VALID`),
    validate: execute(`${alterDomain} VALIDATE CONSTRAINT ${quoted(name)}`),
  });
}

function conditionOf({ node, sql }: Written<Constraint>): string {
  const whole = new SqlText(sql);
  return whole.within(whole.find(['CHECK'], node.location ?? 0)?.start ?? 0);
}

function check(table: string, name: string, { node, sql }: Written<Constraint>): string {
  const condition = conditionOf({ node, sql });
  if (node.is_no_inherit) return execute(`${addConstraintSql(table, name)} CHECK (${condition}) NO INHERIT NOT VALID`);
  const written = tableArguments(table);
  return `op.create_check_constraint(${finalName(name)}, ${written.table}, ${sqlLiteral(condition)}${written.schema}, postgresql_not_valid=True)`;
}

/** The same UNIQUE or PRIMARY KEY, from an index that is built while writes continue. */
export function keyInSteps(table: string, constraint: ConstraintDefinition): string {
  const { build, attach } = keySteps(table, constraint);
  return [
    autocommit(build),
    constraint.kind === 'primary key'
      ? '# in the next revision, once a validated CHECK proves that no column of the key has a NULL:'
      : '# in the next revision:',
    attach,
  ].join('\n');
}

/**
 * `build` outside of a transaction, then `attach`.
 *
 * @param own the name of the index until then
 */
export function keySteps(
  table: string,
  constraint: ConstraintDefinition,
  own?: string,
): { name: string; build: string; attach: string } {
  const { kind, columns, written } = constraint;
  const name = constraint.name ?? conventionalName(kind === 'unique' ? 'uq' : 'pk', table, columns);
  const node = written?.node ?? {};
  const including = node.including ?? [];
  const index = [
    `CREATE UNIQUE INDEX CONCURRENTLY ${quoted(own ?? name)} ON ${quotedTable(table)} (${quotedList(columns)})`,
    ...(including.length ? [`INCLUDE (${quotedList(including.map(text))})`] : []),
    ...(node.nulls_not_distinct ? ['NULLS NOT DISTINCT'] : []),
    ...storageParameters(written),
    ...(node.indexspace ? [`TABLESPACE ${quoted(node.indexspace)}`] : []),
  ].join(' ');
  const using = [`${kind.toUpperCase()} USING INDEX ${quoted(own ?? name)}`, ...deferrableClauses(node)].join(' ');
  return { name, build: execute(index), attach: execute(`${addConstraintSql(table, name)} ${using}`) };
}

/** WITH (fillfactor=70) */
function storageParameters(written: Written<Constraint> | undefined): readonly string[] {
  if (!written?.node.options?.length) return [];
  const whole = new SqlText(written.sql);
  const keyword = whole.find(['WITH'], written.node.location ?? 0);
  return keyword ? [`WITH (${whole.within(keyword.end)})`] : [];
}

function addConstraintSql(table: string, name: string): string {
  return `ALTER TABLE ${quotedTable(table)} ADD CONSTRAINT ${quoted(name)}`;
}

function notValid(call: Call | undefined, operation: string, name: string): string {
  const own = call ?? {
    name: operation,
    args: [name],
    keywords: {},
    line: 0,
    inAutocommitBlock: false,
    inLoop: false,
    inBranch: false,
  };
  // VALIDATE needs a name, even if the revision leaves the name to the database.
  const [given, ...rest] = own.args;
  const named = given === null ? { ...own, args: [name, ...rest] } : own;
  const keywords: Record<string, string> = own.keywords.constraint_name === null ? { constraint_name: literal(name) } : {};
  return callWith(named, { ...keywords, postgresql_not_valid: 'True' });
}

/** Proves NOT NULL by a CHECK first: then SET NOT NULL reads no rows. */
export function notNullInSteps(table: string, column: string): string {
  const { add, validate: proof, require, drop } = notNullSteps(table, column);
  return [add, '# in the next revision:', proof, '# in the revision after that:', require, drop].join('\n');
}

/** `require` reads no rows because of the validated CHECK, which `drop` removes. `again` adds the CHECK and validates it at once. */
export function notNullSteps(table: string, column: string) {
  const name = conventionalName('ck', table, [column, 'not_null']);
  const written = tableArguments(table);
  const condition = sqlLiteral(`${quoted(column)} IS NOT NULL`);
  const again = `op.create_check_constraint(${finalName(name)}, ${written.table}, ${condition}${written.schema})`;
  return {
    name,
    add: again.replace(/\)$/, ', postgresql_not_valid=True)'),
    validate: validate(table, name),
    require: `op.alter_column(${written.table}, ${literal(column)}, nullable=False${written.schema})`,
    allow: `op.alter_column(${written.table}, ${literal(column)}, nullable=True${written.schema})`,
    drop: `op.drop_constraint(${finalName(name)}, ${written.table}, type_="check"${written.schema})`,
    again,
  };
}
