import { merge } from '../../bench/merge';
import type { FailedRow } from '../../bench/results';
import { RESULTS, ROW } from './results';

const NAMES = ['nothing', 'synth', 'review'];
const SYNTH = { ...ROW, name: 'synth' };
const REVIEW = { ...ROW, name: 'review' };
const BEFORE = { ...RESULTS, rows: [ROW, SYNTH] };

test('measuring one row replaces that row and keeps the others', () => {
  const again = { ...ROW, title: 'nothing to do, measured again' };
  expect(merge(BEFORE, { ...RESULTS, rows: [again] }, NAMES)).toEqual({ ...RESULTS, rows: [again, SYNTH] });
});

test('a new row is inserted in the order of the table, whichever row was measured last', () => {
  const { rows } = merge({ ...RESULTS, rows: [REVIEW] }, { ...RESULTS, rows: [SYNTH, ROW] }, NAMES);
  expect(rows.map(({ name }) => name)).toEqual(NAMES);
});

test('a row keeps its own date if it was measured on another day', () => {
  const merged = merge(
    BEFORE,
    { ...RESULTS, date: '2026-12-01', command: 'npm run bench -- --only synth', rows: [SYNTH] },
    NAMES,
  );
  expect(merged).toEqual({ ...RESULTS, rows: [ROW, { ...SYNTH, date: '2026-12-01' }] });
});

test('an older result does not hide a failure', () => {
  const failed: FailedRow = { name: 'synth', title: 'synth', unit: 'ms', goals: [], failure: 'no template' };
  expect(merge(BEFORE, { ...RESULTS, rows: [failed] }, NAMES).rows).toEqual([ROW, failed]);
});

test('a row that no longer exists is removed', () => {
  expect(merge(BEFORE, { ...RESULTS, rows: [ROW] }, ['nothing']).rows).toEqual([ROW]);
});

test('rows from two machines are never mixed', () => {
  const elsewhere = { ...RESULTS, machine: { ...RESULTS.machine, cores: 64 } };
  expect(() => merge(BEFORE, elsewhere, NAMES)).toThrow(
    /the other rows were measured on .*"cores":2.*"cores":64.*measure all rows again/,
  );
});
