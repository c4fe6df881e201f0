import type { Finding, Review } from '../../../lib/review/finding';
import { MARKER, markdownReport } from '../../../lib/review/reports/markdown';
import { CLEAN, EXAMPLE, HOSTILE, large } from './example';

/** What GitHub takes for Markdown and HTML: all but what stands in blocks of code. */
const outsideCode = (text: string): string => text.replace(/^(`{3,})\w+\n[\s\S]*?\n\1$/gm, '');

describe('the review as a comment', () => {
  test('begins with a hidden marker, so that the next review can find the comment', () => {
    expect(markdownReport(EXAMPLE).startsWith(`${MARKER}\n`)).toBe(true);
    expect(MARKER).toMatch(/^<!-- [^>]+ -->$/);
  });

  test('starts with the result', () => {
    expect(markdownReport(EXAMPLE)).toContain('### ❌ Migrations: 5 errors, 4 warnings, 2 acknowledged\n');
    expect(markdownReport(CLEAN)).toBe(
      `${MARKER}\n\n### ✅ Migrations: nothing found\n\n1 revision reviewed in 812 ms, replayed on PostgreSQL 18.4.\n`,
    );
  });

  test('says if squawk was not installed', () => {
    expect(markdownReport({ ...CLEAN, squawk: false })).toContain('18.4, without squawk, which is not installed here.\n');
  });

  test('each finding is folded, with the statement, the safe way and the acknowledgement inside', () => {
    const [block] =
      markdownReport({ ...EXAMPLE, findings: EXAMPLE.findings.slice(3, 4) }).match(/<details>[\s\S]*?<\/details>/) ?? [];
    expect(block?.split('\n\n')).toEqual([
      '<details><summary>❌ <b>set-not-null-scan</b> in <code>06c7d8e9f0b1</code>: reads all of accounts under ACCESS EXCLUSIVE to see that email is never NULL: nobody reads or writes accounts meanwhile</summary>',
      '<code>alembic/versions/06c7d8e9f0b1&#95;require&#95;the&#95;email&#95;of&#95;accounts.py:22</code>, upgrade, seen in the replay',
      '```sql\nALTER TABLE accounts ALTER COLUMN email SET NOT NULL\n```',
      'Instead:',
      expect.stringMatching(/^```python\nop\.create_check_constraint[\s\S]*nullable=False\)\n```$/),
      'If this is intended, write into that file: <code># cdk-alembic: allow set-not-null-scan: &lt;reason></code>'.replace(
        '# cdk',
        '&#35; cdk',
      ),
      'More: <code>npx safe-alembic explain set-not-null-scan</code>',
      '</details>',
    ]);
  });

  test('text from migrations cannot inject Markdown, HTML or mentions', () => {
    const text = outsideCode(markdownReport(EXAMPLE));
    expect(text).not.toContain('<script');
    expect(text).not.toContain('</style');
    expect(text).not.toContain('@everyone');
    expect(text).not.toContain('[a](b)');
    expect(text).toContain('“Käse”');
    expect(text.match(/<!--/g)).toHaveLength(1);
    const tags = new Set([...text.matchAll(/<\/?(\w+)/g)].map(([, tag]) => tag));
    expect([...tags].sort()).toEqual(['b', 'code', 'details', 'summary']);
  });

  test('code cannot close its block', () => {
    const instead = 'a\n```\n<details>\n````';
    const [finding] = EXAMPLE.findings as [Finding];
    const text = markdownReport({ ...EXAMPLE, findings: [{ ...finding, instead, statement: HOSTILE }] });
    expect(text).toContain(`\`\`\`\`\`python\n${instead}\n\`\`\`\`\`\n`);
    expect(outsideCode(text).match(/<details>/g)).toHaveLength(2);
  });

  test.each<[string, () => Review]>([
    ['a thousand findings', large],
    [
      'a statement of a megabyte',
      () => ({ ...EXAMPLE, findings: EXAMPLE.findings.map((one) => ({ ...one, statement: 'x`'.repeat(500_000) })) }),
    ],
    [
      'messages of a megabyte',
      () => ({ ...EXAMPLE, findings: EXAMPLE.findings.map((one) => ({ ...one, message: '<'.repeat(1_000_000) })) }),
    ],
    [
      'a thousand acknowledged ones, and as many that were not replayed',
      () => ({
        ...large(),
        findings: large().findings.map((one) => ({ ...one, acknowledged: HOSTILE })),
        revisions: large().revisions.map((one) => ({ ...one, notReplayed: HOSTILE })),
      }),
    ],
  ])('%s fit into a GitHub comment, which says what was left out', (_, review) => {
    const text = markdownReport(review());
    expect(text.length).toBeLessThan(65_536);
    if (review().findings.length > 100) expect(text).toMatch(/^and \d+ more, which do not fit here$/m);
    expect(text.match(/<details>/g)?.length).toBe(text.match(/<\/details>/g)?.length);
  });
});
