import { showLeft } from '../../../lib/cli/safe-alembic/fix/show-fixes';
import type { Finding } from '../../../lib/review';
import { textOf } from './shown';

const left = (rules: readonly string[]) =>
  rules.map((rule, at) => ({ finding: { rule, file: 'versions/a1.py', line: at + 1 } as Finding, reason: 'write it by hand' }));

test('a few findings that were not fixed are listed with their places, below the reason that they share', () => {
  expect(textOf((terminal) => showLeft(terminal, { notFixed: left(['rename', 'rename']) }))).toBe(
    '• not fixed: write it by hand\n    rename  versions/a1.py:1\n    rename  versions/a1.py:2\n',
  );
});

test('of many that share a reason, one line counts them by rule: the review below has their places', () => {
  const many = [...Array<string>(40).fill('missing-index'), ...Array<string>(18).fill('rename')];
  expect(textOf((terminal) => showLeft(terminal, { notFixed: left(many) }))).toBe(
    '• not fixed: write it by hand\n    58 findings, each shown below: missing-index 40, rename 18\n',
  );
});
