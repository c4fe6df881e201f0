import { githubReport } from '../../../lib/review/reports/github';
import { gitlabReport } from '../../../lib/review/reports/gitlab';
import { CLEAN, EXAMPLE, large } from './example';

describe('the review as GitHub annotations', () => {
  const lines = githubReport(EXAMPLE, 'back').trimEnd().split('\n');

  test('each unacknowledged finding is one line with file, line, rule and revision', () => {
    expect(lines).toHaveLength(9);
    expect(lines[3]).toMatch(
      /^::error file=back\/alembic\/versions\/06c7d8e9f0b1_\w+\.py,line=22,title=set-not-null-scan%3A 06c7d8e9f0b1::reads all of accounts /,
    );
    expect(lines[3]).toContain('%0A%0Ainstead:%0Aop.create_check_constraint(');
    expect(lines[3]).toContain('# cdk-alembic: allow set-not-null-scan: <reason>');
    expect(lines[8]).toMatch(/^::warning file=back\/alembic\/env\.py,line=61,title=env-outer-transaction::/);
  });

  test('a message cannot inject a command, and keeps its percent signs', () => {
    for (const line of lines) expect(line).toMatch(/^::(error|warning) /);
    expect(lines[2]).toContain('::error title=x::y %250A');
    const file = 'a,b:c%0A.py';
    const report = githubReport(
      { ...EXAMPLE, findings: [{ ...(EXAMPLE.findings[0] as never as object), file, message: 'a\n::error::b' }] as never },
      '',
    );
    expect(report).toContain('file=a%2Cb%3Ac%250A.py,line=22');
    expect(report.trimEnd().split('\n')).toHaveLength(1);
  });

  test('there are at most as many annotations as GitHub shows, and the last line says how many more there are', () => {
    const shown = githubReport(large(), 'back').trimEnd().split('\n');
    const levels = shown.map((line) => line.split(' ')[0]);
    expect(levels).toEqual([...Array(10).fill('::error'), ...Array(10).fill('::warning'), '::notice']);
    expect(shown.at(-1)).toContain('980 more findings');
  });

  test('without findings there are no annotations', () => {
    expect(githubReport(CLEAN, 'back')).toBe('');
  });
});

describe("the review as GitLab's Code Quality", () => {
  test('each unacknowledged finding has a location and its own id', () => {
    const issues = JSON.parse(gitlabReport(EXAMPLE, 'back'));
    expect(issues).toHaveLength(9);
    expect(issues[3]).toEqual({
      description: expect.stringContaining('reads all of accounts under ACCESS EXCLUSIVE'),
      check_name: 'set-not-null-scan',
      fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
      severity: 'critical',
      location: { path: expect.stringMatching(/^back\/alembic\/versions\/06c7d8e9f0b1/), lines: { begin: 22 } },
    });
    expect(new Set(issues.map(({ fingerprint }: { fingerprint: string }) => fingerprint)).size).toBe(9);
  });

  test('without findings the list is empty', () => {
    expect(JSON.parse(gitlabReport(CLEAN, 'back'))).toEqual([]);
  });
});
