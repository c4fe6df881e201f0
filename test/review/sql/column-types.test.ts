import { narrows, sameKeyType } from '../../../lib/review/sql/column-types';

test.each([
  ['character varying(100)', 'varchar(20)'],
  ['text', 'varchar(20)'],
  ['character varying', 'varchar(20)'],
  ['bigint', 'int4'],
  ['integer', 'int2'],
  ['numeric(12,2)', 'numeric(10,2)'],
  ['numeric(12,2)', 'numeric(12,0)'],
  ['numeric', 'int8'],
  ['double precision', 'float4'],
  ['float', 'real'],
  ['dec(12,2)', 'dec(10,2)'],
  ['text', 'uuid'],
  ['character varying(20)', 'mood'],
  ['timestamp with time zone', 'date'],
  ['text[]', 'int4'],
  ['text[]', 'varchar(9)[]'],
  ['date', 'varchar(9)'],
  ['timestamp with time zone', 'varchar(26)'],
])('%s holds more than %s', (from, to) => {
  expect(narrows(from, to)).toBe(true);
});

test.each([
  ['character varying(20)', 'varchar(100)'],
  ['character varying(20)', 'text'],
  ['text', 'varchar'],
  ['character varying(20)[]', 'text[]'],
  ['character varying', 'text'],
  ['integer', 'int8'],
  ['integer', 'numeric'],
  ['numeric(10,2)', 'numeric(12,2)'],
  ['numeric(10,2)', 'numeric'],
  ['uuid', 'text'],
  ['mood', 'text'],
  ['json', 'jsonb'],
  ['timestamp without time zone', 'timestamptz'],
  ['mood_old', 'mood'],
  ['date', 'varchar(10)'],
  ['timestamp without time zone', 'varchar(26)'],
])('%s fits into %s', (from, to) => {
  expect(narrows(from, to)).toBe(false);
});

test('types of a foreign key may differ in length', () => {
  expect(sameKeyType('character varying(20)', 'text')).toBe(true);
  expect(sameKeyType('integer', 'bigint')).toBe(false);
  expect(sameKeyType('uuid', 'text')).toBe(false);
});
