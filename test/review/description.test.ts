import { vagueDescription } from '../../lib/review';
import { TITLES } from '../../lib/review/fix/form';

test.each([
  '',
  'update',
  'fix',
  'Update tables',
  'new migration',
  'changes',
  'wip',
  'auto',
  '123',
  'fix migration',
  'add column',
  'v2',
  'DB changes',
])('"%s" is too vague', (description) => {
  expect(vagueDescription(description)).toBe(true);
});

test.each([
  'Add index on users.email',
  'Add notifications table',
  'Initial schema',
  'initial',
  'Merge heads',
  'drop is_read',
  'Update prices of orders',
  'users',
  'PROJ-12 add avatar',
])('"%s" is specific enough', (description) => {
  expect(vagueDescription(description)).toBe(false);
});

test.each(Object.values(TITLES))('a title that --fix writes is specific enough: "%s"', (title) => {
  expect(vagueDescription(title)).toBe(false);
});
