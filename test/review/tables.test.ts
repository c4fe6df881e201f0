import { findType } from '../../lib/review/revision/tables';

test('a type of a schema in the search_path is found by the name that a statement uses, unless two schemas have it', () => {
  const changes = { 'type shop.mood': 'ENUM', 'table shop.size': 'TABLE', 'type shop.size': 'a', 'type back.size': 'b' };
  expect(findType(changes, 'mood')).toBe('ENUM');
  expect(findType(changes, 'shop.mood')).toBe('ENUM');
  expect(findType(changes, 'back.mood')).toBeUndefined();
  expect(findType(changes, 'size')).toBeUndefined();
  expect(findType({ ...changes, 'type size': 'c' }, 'size')).toBe('c');
  expect(findType(undefined, 'mood')).toBeUndefined();
});
