import { displayWidth } from '../../../lib/cli/screen/display-width';
import type { Review } from '../../../lib/review/finding';
import { acceptance } from '../../../lib/review/reports/phrases';
import { CLEAN, EXAMPLE, HOSTILE } from '../../review/reports/example';
import { shown } from './shown';

const only = (rule: string): Review => ({
  ...EXAMPLE,
  findings: EXAMPLE.findings.filter((finding) => finding.rule === rule),
  revisions: [],
});

describe('a review on a terminal', () => {
  test('a finding says what would happen and where, what to write instead, how to accept it and where to read more', () => {
    expect(shown(only('set-not-null-scan')).split('\n').slice(0, 15)).toEqual([
      'error    set-not-null-scan',
      '  06c7d8e9f0b1  Require the email of accounts',
      '  reads all of accounts under ACCESS EXCLUSIVE to see that email is never NULL: nobody reads or writes',
      '  accounts meanwhile',
      '  where      alembic/versions/06c7d8e9f0b1_require_the_email_of_accounts.py:22, upgrade',
      '  statement',
      '    ALTER TABLE accounts ALTER COLUMN email SET NOT NULL',
      '  instead',
      '    op.create_check_constraint("ck_accounts_email_not_null", "accounts", "email IS NOT NULL", postgresql_not_valid=True)',
      '    # next revision: op.execute("ALTER TABLE accounts VALIDATE CONSTRAINT ck_accounts_email_not_null")',
      '    # the one after: op.alter_column("accounts", "email", nullable=False)',
      '  to accept  write into that file:',
      '    # cdk-alembic: allow set-not-null-scan: <reason>',
      '  more       npx safe-alembic explain set-not-null-scan',
      '',
    ]);
  });

  test('a finding outside of revisions can be accepted in the settings', () => {
    expect(shown(only('env-outer-transaction'))).toContain('"rules": { "env-outer-transaction": "off" }');
  });

  test('acknowledged findings take one line each, with their reason', () => {
    const lines = shown(EXAMPLE).split('\n');
    const at = lines.indexOf('acknowledged');
    expect(lines[at + 1]).toContain('• index-not-concurrent  7a8b9c0d1e2f  accounts has 200 rows; größer wird sie nicht');
    expect(lines[at + 2]).toContain('• unique-on-existing-rows  7a8b9c0d1e2f  checked in prod on 2026-05-04');
  });

  test('revisions that were not replayed are listed with their reason', () => {
    expect(shown(EXAMPLE)).toMatch(
      /not replayed, judged from source and SQL alone\n {2}• e3a4b5c6d7f8 .*\n {6}its upgrade failed: could not translate host name/,
    );
  });

  test('a reason shared by consecutive revisions is shown once', () => {
    const revisions = EXAMPLE.revisions.map((revision) => ({ ...revision, notReplayed: 'env.py failed' }));
    const text = shown({ ...EXAMPLE, revisions });
    expect(text.match(/env\.py failed/g)).toHaveLength(1);
    expect(text.match(/^ {2}• [0-9a-f]{12} /gm)?.length).toBeGreaterThanOrEqual(revisions.length);
  });

  test('the last line has the result', () => {
    expect(shown(EXAMPLE).trimEnd().split('\n').at(-1)).toBe(
      '✗ 5 errors, 4 warnings, 2 acknowledged: 11 revisions reviewed in 3.4 s, 10 of them replayed on PostgreSQL 18.4',
    );
    expect(shown(CLEAN)).toBe('✓ nothing found: 1 revision reviewed in 812 ms, replayed on PostgreSQL 18.4\n');
  });

  test('a message cannot control the terminal', () => {
    const [finding] = EXAMPLE.findings;
    const message = 'a\u001b[2Jb\r\nc\u0007';
    const text = shown({
      ...EXAMPLE,
      findings: [{ ...(finding as never as object), message, instead: message, statement: message }] as never,
    });
    for (const control of ['\u001b', '\r', '\u0007']) expect(text).not.toContain(control);
    expect(text).toContain('  a [2Jb c\n');
  });

  test('control characters cannot disguise a finding', () => {
    expect(shown(EXAMPLE)).toContain(`# ${HOSTILE}`);
  });

  test.each([40, 60, 80, 200])('only code to copy is wider than %i columns', (columns) => {
    const copied = EXAMPLE.findings.flatMap((finding) => [...(finding.instead ?? '').split('\n'), acceptance(finding)[1]]);
    for (const line of shown(EXAMPLE, columns).split('\n')) {
      const text = line.trim();
      if (copied.includes(text) || !text.includes(' ')) continue;
      expect([line, displayWidth(line) <= columns]).toEqual([line, true]);
    }
  });
});
