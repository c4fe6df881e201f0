import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onGitHub } from '../../../lib/cli/safe-alembic/review/on-github';
import { Terminal } from '../../../lib/cli/screen/terminal';
import { githubReport } from '../../../lib/review/reports/github';
import { markdownReport } from '../../../lib/review/reports/markdown';
import { EXAMPLE } from '../../review/reports/example';

/** What goes to the log. */
function logged(environment: Record<string, string>): string {
  let text = '';
  const write = (piece: string): boolean => {
    text += piece;
    return true;
  };
  onGitHub(new Terminal({ write } as unknown as NodeJS.WriteStream), EXAMPLE, 'back', environment);
  return text;
}

describe('a review in a GitHub job', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'summary-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('annotates its findings, and writes the whole review to the job summary', () => {
    const file = join(folder, 'summary.md');
    expect(logged({ GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: file })).toBe(githubReport(EXAMPLE, 'back'));
    expect(readFileSync(file, 'utf8')).toBe(markdownReport(EXAMPLE));
  });

  test('continues if the summary cannot be written', () => {
    const log = logged({ GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: join(folder, 'none/summary.md') });
    expect(log).toContain("! the job summary can't be written: ENOENT");
  });

  test('writes no annotations outside of GitHub', () => {
    expect(logged({})).toBe('');
  });
});
