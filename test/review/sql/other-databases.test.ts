import { startingPoint } from '../../../lib/review/revision/starting-point';
import { portedForm } from '../../../lib/review/sql/other-databases';

test.each([
  ['42883', 'function instr(character varying, unknown) does not exist', 'PostgreSQL has no instr: write strpos(text, part)'],
  [
    '42883',
    'operator does not exist: boolean = integer',
    'PostgreSQL converts neither side: cast one, or write a value of the type of the other',
  ],
  [
    '42P01',
    'relation "sqlite_master" does not exist',
    'PostgreSQL has no sqlite_master: read information_schema, or sa.inspect(op.get_bind())',
  ],
  [
    '42804',
    'column "used" is of type boolean but default expression is of type integer',
    'write sa.true() or sa.false() as its server_default',
  ],
])('%s, %s: the advice is the form for PostgreSQL, and no dump as the starting point', (sqlState, message, form) => {
  expect(portedForm({ sqlState, message })).toBe(form);
  expect(startingPoint({ sqlState, message })).toBeUndefined();
});

test.each([
  ['42883', 'function shop_total(integer) does not exist'],
  ['42883', 'operator does not exist: text % unknown'],
  ['42883', 'operator does not exist: vector <=> vector'],
  ['42P01', 'relation "orders" does not exist'],
])('%s, %s: a dump may have what is missing', (sqlState, message) => {
  expect(portedForm({ sqlState, message })).toBeUndefined();
  expect(startingPoint({ sqlState, message })).toMatch(/--baseline/);
});
