import type { Finding, Review } from '../../lib/review';
import { oncePerLine } from '../../lib/review/once-per-line';

const dropped = (column: string, more: Partial<Finding> = {}): Finding => ({
  rule: 'drop-column',
  severity: 'error',
  revision: 'a1',
  file: 'a1.py',
  line: 9,
  direction: 'upgrade',
  message: `${column} is dropped: its values are lost`,
  seen: 'replay',
  ...more,
});

const shown = (findings: readonly Finding[]) => {
  const summary = { errors: findings.length, warnings: 0 } as Review['summary'];
  return oncePerLine({ findings, summary });
};

test('what a loop does to many objects is one finding, which names the others', () => {
  const columns = ['users.name', 'users.email', 'users.age', 'users.plan', 'users.bio'];
  const { findings, summary } = shown(columns.map((column) => dropped(column)));
  expect(findings.map(({ message }) => message)).toEqual([
    'users.name is dropped: its values are lost (also for users.email, users.age, users.plan and 1 more)',
  ]);
  expect(summary).toMatchObject({ errors: 1, warnings: 0 });
});

test('two findings of a line stay two, and so do those of several lines, rules or directions', () => {
  const findings = [
    dropped('users.name'),
    dropped('users.email'),
    dropped('users.age', { line: 10 }),
    dropped('users.plan', { direction: 'downgrade' }),
    dropped('users.bio', { rule: 'rename' }),
    dropped('users.note', { acknowledged: 'unused' }),
  ];
  expect(shown(findings).findings).toEqual(findings);
});
