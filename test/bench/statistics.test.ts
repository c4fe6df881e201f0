import { judge } from '../../bench/goals';
import { median, statistics } from '../../bench/statistics';

test('the median is the middle of an odd number of runs and the mean of the two middle ones of an even number', () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([9, 1, 5, 6])).toBe(5.5);
});

test('one slow run changes the spread but not the median', () => {
  expect(statistics([10, 11, 12])).toEqual({ median: 11, least: 10, most: 12 });
  expect(statistics([10, 11, 900])).toEqual({ median: 11, least: 10, most: 900 });
});

test('runs keep their order', () => {
  const runs = [3, 1, 2];
  statistics(runs);
  expect(runs).toEqual([3, 1, 2]);
});

test('without runs there is no median', () => {
  expect(() => statistics([])).toThrow('nothing was measured');
  expect(() => median([])).toThrow('nothing was measured');
});

test.each([
  [{ timesFaster: 4, than: 'alembic' }, 100, 400, 4, true],
  [{ timesFaster: 4, than: 'alembic' }, 100, 399, 3.99, false],
  [{ atMostTimes: 1.2, of: 'floor' }, 120, 100, 1.2, true],
  [{ atMostTimes: 1.2, of: 'floor' }, 121, 100, 1.21, false],
  [{ atMost: 150, over: 'node' }, 190, 40, 150, true],
  [{ atMost: 150, over: 'node' }, 191, 40, 151, false],
  [{ atMost: 200 }, 200, undefined, 200, true],
  [{ atMost: 200 }, 201, undefined, 201, false],
])('the goal %j with %d against %d gives %d: %s', (goal, ours, rival, value, met) => {
  expect(judge(goal, ours, rival)).toEqual({ goal, value, met });
});

test('without a measured rival there is no ratio', () => {
  expect(() => judge({ timesFaster: 4, than: 'alembic' }, 100, undefined)).toThrow('alembic was not measured');
});
