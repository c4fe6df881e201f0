import type { AlterTableCmd, ColumnDef, Constraint } from 'libpg-query';
import type { Call, TableFacts } from '../../contract/facts';
import { renamedTo } from '../revision/created-objects';
import { argumentCode, impliedCalls } from '../revision/operations';
import { unqualifiedName } from '../revision/tables';
import type { ActionOf, ColumnDefinition, Written } from '../sql/action';
import { isVolatile } from '../sql/definitions';
import { fillColumn, withImports } from './batch-loop';
import { notNullInSteps } from './constraints';
import { callWith, execute } from './python';
import { literal, quoted, quotedTable, SqlText, serialSequence } from './sql';

/** The column as the statement writes it. */
interface ColumnText {
  /** With COLLATE. */
  readonly type: string;
  readonly default?: string;
  /** `GENERATED ALWAYS AS IDENTITY (...)` */
  readonly identity?: string;
}

function columnText({ node, sql }: Written<ColumnDef>): ColumnText {
  const source = new SqlText(sql);
  const constraints = (node.constraints ?? []).flatMap((item) => ('Constraint' in item ? [item.Constraint] : []));
  const starts = constraints.map(({ location = 0 }) => location).sort((one, other) => one - other);
  const end = source.clauseEnd(node.location ?? 0);
  const type = source.slice(node.typeName?.location ?? 0, starts[0] ?? end);
  const given = (kind: Constraint['contype']) => {
    const at = constraints.find(({ contype }) => contype === kind)?.location;
    return at === undefined ? undefined : source.slice(at, starts.find((start) => start > at) ?? end);
  };
  return { type, default: given('CONSTR_DEFAULT')?.replace(/^DEFAULT\s+/i, ''), identity: given('CONSTR_IDENTITY') };
}

/** A column whose value is computed for each row, added empty and filled in batches. */
export function addInSteps(table: string, column: ColumnDefinition, facts: TableFacts | undefined): string | undefined {
  const { written, name } = column;
  if (column.generated) {
    return '# a stored generated column always rewrites the table: use a plain column that the application or a trigger fills';
  }
  if (!written) return undefined;
  if (column.numbered) return numberedInSteps(table, column, facts);
  const steps = addSteps(table, column, facts);
  if (!steps) return undefined;
  return [
    ...steps.add,
    '# in the next revision, fill existing rows in batches:',
    withImports(steps.fill),
    ...(column.notNull ? ['# then NOT NULL:', notNullInSteps(table, name)] : []),
  ].join('\n');
}

/** The steps that add a column with a value for each row. */
export interface ColumnSteps {
  readonly add: readonly string[];
  /** Fills existing rows in batches. */
  readonly fill: string;
  /** What follows NOT NULL. @default - nothing */
  readonly finish?: readonly string[];
  /** The opposite of `finish`. */
  readonly undo?: readonly string[];
}

/** A column with a default for each row: added empty, and filled in batches. Undefined without a plain default. */
export function addSteps(
  table: string,
  { written, name, generated, numbered }: ColumnDefinition,
  facts: TableFacts | undefined,
): ColumnSteps | undefined {
  if (!written || generated || numbered) return undefined;
  const { type, default: value } = columnText(written);
  if (value === undefined) return undefined;
  const [alter, own] = [`ALTER TABLE ${quotedTable(table)}`, quoted(name)];
  return {
    add: [execute(`${alter} ADD COLUMN ${own} ${type}`), execute(`${alter} ALTER COLUMN ${own} SET DEFAULT ${value}`)],
    fill: fillColumn(table, name, value, facts),
  };
}

function numberedInSteps(table: string, column: ColumnDefinition, facts: TableFacts | undefined): string | undefined {
  const steps = numberedColumnSteps(table, column, facts);
  return (
    steps &&
    [
      ...steps.add,
      '# in the next revision, fill existing rows in batches:',
      withImports(steps.fill),
      '# then NOT NULL:',
      notNullInSteps(table, column.name),
      ...(steps.finish ?? []),
    ].join('\n')
  );
}

/** An identity or serial column: a separate sequence numbers the rows until the identity's sequence continues. */
export function numberedColumnSteps(
  table: string,
  { written, name, numbered }: ColumnDefinition,
  facts: TableFacts | undefined,
): ColumnSteps | undefined {
  if (!written || !numbered) return undefined;
  const { type, identity } = columnText(written);
  const [alter, own] = [`ALTER TABLE ${quotedTable(table)}`, quoted(name)];
  const plain = SERIAL[type.toLowerCase()] ?? type;
  const sequence = quotedTable(
    identity === undefined ? `${table}_${name}_seq` : renamedTo(table, `${unqualifiedName(table)}_${name}_numbers`.slice(0, 63)),
  );
  const [next, ofIdentity] = [`nextval(${literal(sequence)})`, serialSequence(table, name)];
  const options = /\((.*)\)\s*$/s.exec(identity ?? '')?.[1];
  const create = `CREATE SEQUENCE ${sequence} AS ${plain}${options ? ` ${options}` : ''}`;
  const setDefault = execute(`${alter} ALTER COLUMN ${own} SET DEFAULT ${next}`);
  const owned = (by: string) => execute(`ALTER SEQUENCE ${sequence} OWNED BY ${by}`);
  const column = `${quotedTable(table)}.${own}`;
  return {
    add: [execute(`${alter} ADD COLUMN ${own} ${plain}`), execute(`${create} OWNED BY ${column}`), setDefault],
    fill: fillColumn(table, name, next, facts),
    ...(identity === undefined
      ? {}
      : {
          finish: [
            // With two owned sequences, pg_get_serial_sequence may return either.
            owned('NONE'),
            execute(`${alter} ALTER COLUMN ${own} DROP DEFAULT`),
            execute(`${alter} ALTER COLUMN ${own} ADD ${identity}`),
            execute(`SELECT setval(${ofIdentity}, ${next}, false)`),
            execute(`DROP SEQUENCE ${sequence}`),
          ],
          undo: [
            execute(create),
            execute(`SELECT setval(${literal(sequence)}, nextval(${ofIdentity}), false)`),
            execute(`${alter} ALTER COLUMN ${own} DROP IDENTITY`),
            setDefault,
            owned(column),
          ],
        }),
  };
}

const SERIAL: Readonly<Record<string, string>> = {
  serial: 'integer',
  serial4: 'integer',
  bigserial: 'bigint',
  serial8: 'bigint',
  smallserial: 'smallint',
  serial2: 'smallint',
};

/** Adds the column without NOT NULL first: existing rows and running code have no value for it. @param call the operation that adds it */
export function addNullable(table: string, column: ColumnDefinition, call: Call | undefined): string | undefined {
  const inSql = ({ type }: ColumnText) => execute(`ALTER TABLE ${quotedTable(table)} ADD COLUMN ${quoted(column.name)} ${type}`);
  const add = nullableCall(column.name, call) ?? (column.written && inSql(columnText(column.written)));
  if (add === undefined) return undefined;
  return [
    add,
    '# release code that writes it; when every row has a value:',
    notNullInSteps(table, column.name),
    '# or set a server_default in this revision',
  ].join('\n');
}

/** The project's own call without NOT NULL; undefined if it does more, or its arguments are known only where it runs. */
export function nullableCall(name: string, call: Call | undefined): string | undefined {
  if (call?.name !== 'op.add_column' || call.inLoop || impliedCalls(call).length) return undefined;
  const [table, column, ...others] = call.args;
  const code = argumentCode(column);
  if (typeof table !== 'string' || !code.includes(`Column('${name}',`) || !/\bnullable=False\b/.test(code)) return undefined;
  const nullable = code.replace(/\bnullable=False\b/, 'nullable=True');
  // Python writes 'x', Ruff "x".
  const formatted = nullable.includes('"') ? nullable : nullable.replace(/'([^'\\]*)'/g, '"$1"');
  return callWith({ ...call, args: [table, { code: formatted }, ...others] }, {});
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
    withImports(fillColumn(action.table, `new_${action.column}`, value, facts)),
    `# next release: read new_${action.column}; the one after: drop ${action.column}`,
  ].join('\n');
}

/** The type and the USING of a statement. A volatile USING is left out. */
export function typeText({ node, sql }: Written<AlterTableCmd>): { type: string; using?: string } {
  const text = new SqlText(sql);
  const def = node.def && 'ColumnDef' in node.def ? node.def.ColumnDef : {};
  const start = def.typeName?.location ?? 0;
  const end = text.clauseEnd(start);
  const using = def.raw_default && text.find(['USING'], start, end);
  if (!using || (def.raw_default && isVolatile(def.raw_default))) return { type: text.slice(start, using?.start ?? end) };
  return { type: text.slice(start, using.start), using: text.slice(using.end, end) };
}
