/** PostgreSQL's types, and which of them hold less than another. Names are those of format_type or SQL. */

interface ColumnType {
  readonly name: string;
  readonly lengths: readonly number[];
  readonly array: boolean;
}

const SYNONYMS: Readonly<Record<string, string>> = {
  'character varying': 'varchar',
  character: 'char',
  bpchar: 'char',
  int: 'integer',
  int4: 'integer',
  serial: 'integer',
  serial4: 'integer',
  int8: 'bigint',
  bigserial: 'bigint',
  serial8: 'bigint',
  int2: 'smallint',
  smallserial: 'smallint',
  serial2: 'smallint',
  float: 'double precision',
  float8: 'double precision',
  float4: 'real',
  dec: 'numeric',
  decimal: 'numeric',
  bool: 'boolean',
  timestamp: 'timestamp without time zone',
  timestamptz: 'timestamp with time zone',
  time: 'time without time zone',
  timetz: 'time with time zone',
};

/** Smaller ones first. */
const NUMBERS = ['smallint', 'integer', 'bigint', 'numeric'];
const FLOATS = ['real', 'double precision'];
const TIMESTAMPS = ['timestamp without time zone', 'timestamp with time zone'];
const TEXTS = ['char', 'varchar', 'text', 'citext'];

export function columnType(written: string): ColumnType {
  const array = written.includes('[]');
  const lengths = (/\(([\d, ]+)\)/.exec(written)?.[1] ?? '').split(',').filter(Boolean).map(Number);
  const baseName = written
    .replace(/\([^)]*\)|\[\]/g, '')
    .replace(/\s+/g, ' ')
    .trim()
    .toLowerCase();
  return { name: SYNONYMS[baseName] ?? baseName, lengths, array };
}

export function isText(type: string): boolean {
  return TEXTS.includes(columnType(type).name);
}

/** The maximum length of a value as text, with four-digit years: https://www.postgresql.org/docs/current/datatype.html */
const MAX_TEXT_LENGTH: Readonly<Record<string, number>> = {
  boolean: 5,
  smallint: 6,
  integer: 11,
  bigint: 20,
  uuid: 36,
  date: 10,
  'time without time zone': 15,
  'timestamp without time zone': 26,
};

/**
 * Whether a value of one type may not fit into, or may not convert to, the other.
 *
 * @param labels all labels if `from` is an enum
 */
export function narrows(from: string, to: string, labels: readonly string[] = []): boolean {
  const [before, after] = [columnType(from), columnType(to)];
  if (before.array !== after.array) return !TEXTS.includes(after.name);
  if (TEXTS.includes(after.name)) return narrowsText(before, after, labels);
  if (TEXTS.includes(before.name)) return true;
  if (before.name === 'numeric' && after.name === 'numeric') return narrowsNumeric(before, after);
  const ranks = [NUMBERS, FLOATS].find((family) => family.includes(before.name) && family.includes(after.name));
  if (ranks) return ranks.indexOf(after.name) < ranks.indexOf(before.name);
  return LOSSY_CONVERSIONS.some(([from, to]) => from.test(before.name) && to.test(after.name));
}

/** Conversions between different families of types that lose a part of the value. */
const LOSSY_CONVERSIONS = [
  [/^timestamp/, /^(?:date|time without time zone)$/],
  [/^(?:real|double precision|numeric)$/, /^(?:smallint|integer|bigint)$/],
  [/^jsonb?$/, /^(?!jsonb?$)/],
] as const;

function narrowsText(before: ColumnType, after: ColumnType, labels: readonly string[]): boolean {
  const longest = TEXTS.includes(before.name) ? before.lengths[0] : (MAX_TEXT_LENGTH[before.name] ?? longestLabel(labels));
  return !!after.lengths[0] && !(longest && longest <= after.lengths[0]);
}

function narrowsNumeric(before: ColumnType, after: ColumnType): boolean {
  const [precision = Infinity, scale = precision === Infinity ? Infinity : 0] = before.lengths;
  const [newPrecision = Infinity, newScale = newPrecision === Infinity ? Infinity : 0] = after.lengths;
  return newScale < scale || (newPrecision !== Infinity && newPrecision - newScale < precision - scale);
}

/** Types to which PostgreSQL converts values of every other type: no cast to them is binary-coercible (pg_cast). */
const CONVERTED_TYPES = ['smallint', 'bigint', 'real', 'double precision', 'boolean', 'date', 'uuid', 'json', 'jsonb'];

/** Whether a change to this type always rewrites the column, whatever other type it had: PostgreSQL converts each element of an array. */
export function alwaysRewrites(to: string): boolean {
  const { name, array } = columnType(to);
  return array || CONVERTED_TYPES.includes(name);
}

/** Whether PostgreSQL converts each value from one type to the other. Two kinds of texts, or of timestamps, may be stored alike. */
export function isConverted(from: string, to: string): boolean {
  const [before, after] = [columnType(from).name, columnType(to).name];
  const alike = [TEXTS, TIMESTAMPS].some((family) => family.includes(before) && family.includes(after));
  return before !== '' && after !== '' && before !== after && !alike;
}

/** Whether values of one type are stored as the other, so that the change rewrites nothing: they are texts, and none gets shorter. */
export function isStoredAs(from: string, to: string): boolean {
  const [before, after] = [columnType(from), columnType(to)];
  const isStoredText = ({ name, array }: ColumnType) => !array && (name === 'varchar' || name === 'text');
  return isStoredText(before) && isStoredText(after) && !narrowsText(before, after, []);
}

/** Whether a foreign key between columns of these types needs no conversion. */
export function sameKeyType(one: string, other: string): boolean {
  const family = (name: string) => (TEXTS.includes(name) ? 'text' : name);
  return family(columnType(one).name) === family(columnType(other).name);
}

function longestLabel(labels: readonly string[]): number | undefined {
  return labels.length ? Math.max(...labels.map((label) => [...label].length)) : undefined;
}
