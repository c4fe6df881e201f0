import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answer, applied, failure } from '../../support/aws/answers';
import { StageAws } from '../../support/aws/stage';
import { BuiltCommand, type Ended } from '../built-command';
import { loss, oneByOne, planned } from '../planned';

let command: BuiltCommand;
let aws: StageAws;
let directory: string;

beforeAll(async () => {
  command = await BuiltCommand.build();
  directory = await mkdtemp(join(tmpdir(), 'summary-'));
});
afterAll(() => rm(directory, { recursive: true }));
afterEach(() => aws?.stop());

let files = 0;

async function run(reply: ReturnType<typeof planned>, environment: Record<string, string>, ...args: string[]): Promise<Ended> {
  aws = await StageAws.start(reply);
  return command.run(['--stage', 'dev', '--endpoint-url', aws.url, ...args], { CI: 'true', ...environment });
}

async function onGitHub(reply: ReturnType<typeof planned>, ...args: string[]): Promise<Ended & { summary: string }> {
  files += 1;
  const GITHUB_STEP_SUMMARY = join(directory, `summary-${files}.md`);
  const ended = await run(reply, { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY }, ...args);
  return { ...ended, summary: await readFile(GITHUB_STEP_SUMMARY, 'utf8').catch(() => '') };
}

const lines = (text: string, start: string) => text.split('\n').filter((line) => line.startsWith(start));

describe('in GitHub Actions', () => {
  test('a run is folded into groups, and its revisions are a table of the job summary', async () => {
    const { code, stderr, summary } = await onGitHub(oneByOne());
    expect(code).toBe(0);
    expect(lines(stderr, '::')).toEqual(['::group::plan', '::endgroup::', '::group::migrate', '::endgroup::']);
    expect(summary).toBe(
      [
        '### Migrations of <code>dev</code>: 2 revisions applied',
        '',
        '<code>a1</code> → <code>c3</code>',
        '',
        '| applied | message | time | statements |',
        '| --- | --- | --- | --- |',
        '| <code>b2</code> | Add items | 12 ms | 1 |',
        '| <code>c3</code> | Add notes | 12 ms | 1 |',
        '',
        '',
      ].join('\n'),
    );
  });

  test('a failure is one annotation and the whole summary', async () => {
    const message = 'revision b2 failed: 50% of\r\nrows: a, b';
    const next = 'fix it\nthen deploy';
    const error = {
      message,
      next,
      revision: 'b:2',
      sqlState: '42P07',
      statement: 'CREATE TABLE "a|b"',
      dataLoss: [{ ...loss, revision: 'b2' }],
    };
    const { code, stderr, summary } = await onGitHub(planned({ failure: failure(error, [applied('b2')]) }));
    expect(code).toBe(1);
    expect(lines(stderr, '::error')).toEqual([
      '::error title=migration_failed%3A b%3A2::revision b2 failed: 50%25 of rows: a, b%0Anext: fix it then deploy',
    ]);
    expect(summary).toContain(
      '### Migration failed: <code>migration&#95;failed</code>\n\nrevision b2 failed: 50% of rows: a, b\n',
    );
    expect(summary).toContain('- statement: <code>CREATE TABLE "a&#124;b"</code>');
    expect(summary).toContain('- destroys data: <code>b2.py:12</code> <code>drop&#95;table users</code>');
    expect(summary).toContain('| <code>b2</code> | Add b2 | 12 ms | 1 |');
  });

  test('the message of a revision is plain text in the summary and never a log command', async () => {
    const name = '::error::<img src=x> | [a](b) @ada *x*\n::add-mask::';
    const { stderr, stdout, summary } = await onGitHub(planned({ answer: answer({ applied: [applied('b2', name)] }) }));
    expect(summary).toContain('| ::error::&lt;img src=x> &#124; &#91;a&#93;(b) &#64;ada &#42;x&#42; ::add-mask:: |');
    expect(`${stdout}${stderr}`.split('\n').filter((line) => /^\s*::(error|add-mask)/.test(line))).toEqual([]);
  });

  test('a check that finds pending revisions is an annotation and a table', async () => {
    const pending = [{ revision: 'b2', message: 'Add items' }];
    const found = answer({ command: 'current', status: 'pending', to: ['a1'], pending, warnings: ['50% done'] });
    const { code, stderr, summary } = await onGitHub(() => ({ answer: found }), '--command', 'check');
    expect(code).toBe(3);
    expect(lines(stderr, '::')).toEqual([
      '::error title=the database is not at head::1 revision pending',
      '::warning title=migration::50%25 done',
    ]);
    expect(summary).toContain('### Migrations of <code>dev</code>: 1 revision pending\n\n| revision | message |');
  });

  test('a table is cut before GitHub would reject the summary', async () => {
    const many = Array.from({ length: 1_001 }, (_, index) => applied(`r${index}`));
    const { summary } = await onGitHub(planned({ answer: answer({ applied: many }) }));
    expect(summary).toContain('<code>r999</code>');
    expect(summary).not.toContain('<code>r1000</code>');
    expect(summary).toContain('\n\nand 1 more\n');
  });

  test('stdout has only the requested output', async () => {
    const { stdout } = await onGitHub(oneByOne(), '--json');
    expect(JSON.parse(stdout)).toMatchObject({ command: 'upgrade' });
  });

  test('a summary that cannot be written is a warning', async () => {
    const environment = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: join(directory, 'none', 'summary.md') };
    const { code, stderr } = await run(oneByOne(), environment);
    expect([code, stderr]).toEqual([0, expect.stringContaining("the job summary can't be written")]);
  });
});

describe('in GitLab', () => {
  test('a run is folded into sections', async () => {
    const { code, stderr } = await run(oneByOne(), { GITLAB_CI: 'true' });
    expect(code).toBe(0);
    const marks = stderr.match(/section_(start|end):\d+:\w+/g)?.map((mark) => mark.replace(/:\d+:/, ' '));
    expect(marks).toEqual([
      'section_start migrate_invoke_plan',
      'section_end migrate_invoke_plan',
      'section_start migrate_invoke_migrate',
      'section_end migrate_invoke_migrate',
    ]);
    expect(stderr.replace(/start:\d+/, 'start:0')).toContain('\u001b[0Ksection_start:0:migrate_invoke_plan\r\u001b[0Kplan\n');
  });

  test('a section ends when the run fails', async () => {
    const { code, stderr } = await run(planned({ failure: failure() }), { GITLAB_CI: 'true' });
    expect([code, stderr]).toEqual([1, expect.stringMatching(/section_end:\d+:migrate_invoke_migrate.*✗ migration_failed/s)]);
  });
});

test('outside of CI there are no groups, sections or annotations', async () => {
  const { stderr } = await run(planned({ failure: failure() }), {});
  expect(stderr).not.toMatch(/^::|section_/m);
});
