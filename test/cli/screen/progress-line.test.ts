import fc from 'fast-check';
import { cut, displayWidth } from '../../../lib/cli/screen/display-width';
import { elapsed, progressLine } from '../../../lib/cli/screen/progress-line';

const text = fc.string({ unit: 'grapheme', maxLength: 60 });

describe('the width of a text', () => {
  test.each([
    ['Add users', 9],
    ['取引先', 6],
    ['e\u0301te\u0301', 3],
    ['👩‍👩‍👧‍👦!', 3],
    ['✔️', 2],
    ['한글', 4],
    ['', 0],
    ['\u200b', 0],
  ])('%j takes %i columns', (given, width) => {
    expect(displayWidth(given)).toBe(width);
  });

  test('a text that is too wide is cut and gets a mark', () => {
    expect(cut('Add users', 9)).toBe('Add users');
    expect(cut('Add users', 8)).toBe('Add use…');
    expect(cut('取引先', 4)).toBe('取…');
    expect(cut('Add users', 0)).toBe('');
  });

  test('no text is wider after the cut than allowed', () => {
    fc.assert(
      fc.property(text, fc.nat({ max: 80 }), (given, width) => {
        expect(displayWidth(cut(given, width))).toBeLessThanOrEqual(width);
      }),
    );
  });
});

describe('the progress bar', () => {
  const running = { revision: 'd5a0303d2026', message: 'Add project id to items' };
  const state = { done: 3, total: 15, running, orLater: false, elapsedMs: 12_345 };

  test.each([
    [39, '  █░░░░░░ 3/15 d5a0303d2026  Add… 12 s'],
    [79, '  ███░░░░░░░░░░░░ 3/15 d5a0303d2026  Add project id to items 12 s'],
  ])('shows the count, the name and the time in %i columns', (width, line) => {
    expect(progressLine(state, width)).toBe(line);
  });

  test('of a downgrade, whose length is unknown, only counts', () => {
    expect(progressLine({ done: 2, orLater: false, elapsedMs: 0 }, 39)).toBe('  2 done   0 s');
  });

  test('never wraps, even with a long revision on a narrow terminal', () => {
    const count = fc.nat({ max: 5_000 });
    fc.assert(
      fc.property(
        text,
        text,
        count,
        count,
        fc.nat(),
        fc.integer({ min: 1, max: 200 }),
        (revision, message, done, left, ms, width) => {
          const line = progressLine(
            { done, total: done + left + 1, running: { revision, message }, orLater: true, elapsedMs: ms },
            width,
          );
          expect(displayWidth(line)).toBeLessThanOrEqual(width);
          expect(line).not.toMatch(/[\r\n]/);
        },
      ),
    );
  });

  test('shows minutes after the first minute', () => {
    expect([elapsed(59_999), elapsed(60_000), elapsed(725_000)]).toEqual(['59 s', '1 min 00 s', '12 min 05 s']);
  });
});
