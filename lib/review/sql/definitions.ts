import type { ColumnDef, Constraint, Node, TypeName } from 'libpg-query';
import { as, only } from '../../sql/nodes';
import type { Action, ColumnDefinition, ConstraintDefinition } from './action';
import { literalOf } from './functions';
import { nameOf, text } from './names';

/** @param sql the whole statement */
export function columnOf(node: ColumnDef, sql: string): ColumnDefinition {
  const { colname = '', typeName, constraints = [] } = node;
  const own = constraints.flatMap((constraint) => ('Constraint' in constraint ? [constraint.Constraint] : []));
  const type = typeOf(typeName);
  const is = (kind: string) => own.some(({ contype }) => contype === kind);
  const value = own.find(({ contype }) => contype === 'CONSTR_DEFAULT')?.raw_expr;
  const generated = own.find(({ contype }) => contype === 'CONSTR_GENERATED');
  const stored = !!generated && generated.generated_kind !== 'v';
  const serial = /^(?:big|small)?serial/.test(type);
  const computed = stored || is('CONSTR_IDENTITY') || serial || (value && isVolatile(value));
  return {
    name: colname,
    type,
    notNull: is('CONSTR_NOTNULL') || is('CONSTR_PRIMARY') || is('CONSTR_IDENTITY'),
    ...(computed ? { default: 'computed' } : value && !isNull(value) ? { default: 'value' } : {}),
    ...(generated ? { generated: true } : {}),
    ...(isMoment(literalOf(value)) ? { isMoment: true } : {}),
    ...(serial || is('CONSTR_IDENTITY') ? { numbered: true } : {}),
    primaryKey: is('CONSTR_PRIMARY'),
    constraints: own
      .flatMap((constraint) => constraintOf(constraint, sql))
      .map((constraint) => ({ ...constraint, columns: constraint.columns.length ? constraint.columns : [colname] }))
      .filter(({ kind }) => kind !== 'not null'),
    written: { node, sql },
  };
}

/** @param sql the whole statement */
export function constraintOf(constraint: Constraint, sql: string): readonly ConstraintDefinition[] {
  const kind = KINDS[constraint.contype ?? ''];
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
      written: { node: constraint, sql },
    },
  ];
}

/** A type in SQL, with its length: `varchar(20)`, `int4[]`. */
export function typeOf(type: TypeName | undefined): string {
  const names = (type?.names ?? []).map(text).filter((name) => name !== 'pg_catalog' && name !== 'public');
  const lengths = (type?.typmods ?? []).flatMap((node) => ('A_Const' in node ? [node.A_Const.ival?.ival ?? 0] : []));
  return `${names.join('.')}${lengths.length ? `(${lengths.join(',')})` : ''}${type?.arrayBounds?.length ? '[]' : ''}`;
}

/** Whether each row gets a different value, by the functions that PostgreSQL marks volatile. `now()` is stable. */
export function isVolatile(value: Node): boolean {
  return /"sval":"(?:gen_random_uuid|uuid_generate_v\w+|uuidv[47]|random|clock_timestamp|timeofday|nextval|gen_random_bytes)"/.test(
    JSON.stringify(value),
  );
}

/** Whether PostgreSQL reads a text as the current time. */
export function isMoment(value: unknown): boolean {
  return typeof value === 'string' && /^\s*(?:now|today|tomorrow|yesterday)\s*(?:\(\s*\))?\s*$/i.test(value);
}

function isNull(value: Node): boolean {
  return 'A_Const' in value && !!value.A_Const.isnull;
}

const KINDS: Readonly<Record<string, ConstraintDefinition['kind']>> = {
  CONSTR_PRIMARY: 'primary key',
  CONSTR_UNIQUE: 'unique',
  CONSTR_FOREIGN: 'foreign key',
  CONSTR_CHECK: 'check',
  CONSTR_EXCLUSION: 'exclude',
  CONSTR_NOTNULL: 'not null',
};

/** The type, RESTART [WITH n], CYCLE and MAXVALUE of a sequence, or of the identity of a column of the table `of`. */
export function sequenceActions(sequence: string, options: readonly Node[] = [], of?: string): readonly Action[] {
  const given = new Map(only(options, 'DefElem').map(({ defname, arg }) => [defname, arg]));
  const target = { sequence, ...(of === undefined ? {} : { of }) };
  const [to, max] = [given.get('restart'), given.get('maxvalue')].map(numberOf);
  const cycles = as(given.get('cycle'), 'Boolean')?.boolval === true;
  const type = as(given.get('as'), 'TypeName');
  const known: readonly Action[] = [
    ...(type ? [{ does: 'change sequence type' as const, sequence, type: typeOf(type) }] : []),
    ...(given.has('restart') ? [{ does: 'restart sequence' as const, ...target, ...(to === undefined ? {} : { to }) }] : []),
    ...(cycles || max !== undefined
      ? [{ does: 'limit sequence' as const, ...target, cycles, ...(max === undefined ? {} : { max }) }]
      : []),
  ];
  return known.length ? known : [{ does: 'other' }];
}

/** A number that is too large for an integer is written as a float. */
function numberOf(node: Node | undefined): number | undefined {
  const float = as(node, 'Float')?.fval;
  const integer = as(node, 'Integer');
  return integer ? (integer.ival ?? 0) : float === undefined ? undefined : Number(float);
}
