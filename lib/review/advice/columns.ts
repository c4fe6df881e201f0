import type { AlterTableCmd, ColumnDef } from 'libpg-query';
import type { TableFacts } from '../../contract/facts';
import type { ActionOf, ColumnDefinition, Written } from '../sql/action';
import { isVolatile } from '../sql/definitions';
import { batches } from './batches';
import { notNullInSteps } from './constraints';
import { execute } from './python';
import { quoted, quotedTable, Text } from './sql';

/** The column as the statement writes it. */
interface ColumnText {
  /** With COLLATE. */
  readonly type: string;
  readonly default?: string;
}

function columnText({ node, sql }: Written<ColumnDef>): ColumnText {
  const text = new Text(sql);
  const constraints = (node.constraints ?? []).flatMap((item) => ('Constraint' in item ? [item.Constraint] : []));
  const starts = constraints.map(({ location = 0 }) => location).sort((one, other) => one - other);
  const end = text.clauseEnd(node.location ?? 0);
  const type = text.slice(node.typeName?.location ?? 0, starts[0] ?? end);
  const given = constraints.find(({ contype }) => contype === 'CONSTR_DEFAULT');
  if (!given?.location) return { type };
  const next = starts.find((start) => start > (given.location ?? 0)) ?? end;
  return { type, default: text.slice(given.location, next).replace(/^DEFAULT\s+/i, '') };
}

/** A column whose value is computed for each row, added empty and filled in batches. */
export function addInSteps(table: string, column: ColumnDefinition, facts: TableFacts | undefined): string | undefined {
  const { written, name } = column;
  if (column.generated) {
    return '# a stored generated column always rewrites the table: use a plain column that the application or a trigger fills';
  }
  if (!written) return undefined;
  if (column.numbered) return numberedInSteps(table, column, columnText(written).type, facts);
  const steps = addSteps(table, column, facts);
  if (!steps) return undefined;
  return [
    ...steps.add,
    '# in the next revision, fill existing rows in batches:',
    steps.fill,
    ...(column.notNull ? ['# then NOT NULL:', notNullInSteps(table, name)] : []),
  ].join('\n');
}

/** A column with a default for each row: added empty, and filled in batches. Undefined if its value is no plain default. */
export function addSteps(table: string, { written, name, generated, numbered }: ColumnDefinition, facts: TableFacts | undefined) {
  if (!written || generated || numbered) return undefined;
  const { type, default: value } = columnText(written);
  if (value === undefined) return undefined;
  const [alter, own] = [`ALTER TABLE ${quotedTable(table)}`, quoted(name)];
  return {
    add: [execute(`${alter} ADD COLUMN ${own} ${type}`), execute(`${alter} ALTER COLUMN ${own} SET DEFAULT ${value}`)],
    fill: batches(table, `${own} = ${value}`, `${own} IS NULL`, facts),
  };
}

/** An identity or serial column: a separate sequence until every row has a number. */
function numberedInSteps(table: string, column: ColumnDefinition, type: string, facts: TableFacts | undefined): string {
  const [alter, own] = [`ALTER TABLE ${quotedTable(table)}`, quoted(column.name)];
  const plain = SERIAL[type.toLowerCase()] ?? type;
  const sequence = quotedTable(`${table}_${column.name}_seq`);
  return [
    execute(`${alter} ADD COLUMN ${own} ${plain}`),
    execute(`CREATE SEQUENCE ${sequence} AS ${plain} OWNED BY ${quotedTable(table)}.${own}`),
    execute(`${alter} ALTER COLUMN ${own} SET DEFAULT nextval('${sequence}')`),
    '# in the next revision, fill existing rows in batches:',
    batches(table, `${own} = nextval('${sequence}')`, `${own} IS NULL`, facts),
    '# then NOT NULL:',
    notNullInSteps(table, column.name),
  ].join('\n');
}

const SERIAL: Readonly<Record<string, string>> = {
  serial: 'integer',
  serial4: 'integer',
  bigserial: 'bigint',
  serial8: 'bigint',
  smallserial: 'smallint',
  serial2: 'smallint',
};

/** Adds the column without NOT NULL first: existing rows and running code have no value for it. */
export function addNullable(table: string, column: ColumnDefinition): string | undefined {
  if (!column.written) return undefined;
  const { type } = columnText(column.written);
  return [
    execute(`ALTER TABLE ${quotedTable(table)} ADD COLUMN ${quoted(column.name)} ${type}`),
    '# release code that writes it; when every row has a value:',
    notNullInSteps(table, column.name),
    '# or set a server_default in this revision',
  ].join('\n');
}

/** A new column of the new type, kept beside the old one until all code reads the new one. */
export function changeTypeInSteps(action: ActionOf<'change type'>, facts: TableFacts | undefined) {
  if (!action.written) return undefined;
  const { type, using } = typeText(action.written);
  const [from, to] = [quoted(action.column), quoted(`new_${action.column}`)];
  const value = using ?? `${from}::${type.replace(/\s+COLLATE\s.*$/i, '')}`;
  return [
    execute(`ALTER TABLE ${quotedTable(action.table)} ADD COLUMN ${to} ${type}`),
    '# release code that writes both columns; in the next revision, copy in batches:',
    batches(action.table, `${to} = ${value}`, `${to} IS NULL AND ${from} IS NOT NULL`, facts),
    `# next release: read new_${action.column}; the one after: drop ${action.column}`,
  ].join('\n');
}

/** The type and the USING of a statement. A volatile USING is left out. */
export function typeText({ node, sql }: Written<AlterTableCmd>): { type: string; using?: string } {
  const text = new Text(sql);
  const def = node.def && 'ColumnDef' in node.def ? node.def.ColumnDef : {};
  const start = def.typeName?.location ?? 0;
  const end = text.clauseEnd(start);
  const using = def.raw_default && text.find(['USING'], start, end);
  if (!using || (def.raw_default && isVolatile(def.raw_default))) return { type: text.slice(start, using?.start ?? end) };
  return { type: text.slice(start, using.start), using: text.slice(using.end, end) };
}
