import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArguments } from '../../../../lib/cli/migrate-invoke/arguments';
import { parseArguments as parseTenants } from '../../../../lib/cli/migrate-invoke/tenants/arguments';

const directory = mkdtempSync(join(tmpdir(), 'tenants-'));
afterAll(() => rmSync(directory, { recursive: true }));

const runId = '0b8f7f2e-6a4e-4e0e-9a51-3f0c3a0d9f11';
const parse = (...args: string[]) => parseTenants(['--stage', 'dev', ...args]);

function file(text: string): string {
  const path = join(directory, `names-${Math.random()}`);
  writeFileSync(path, text);
  return `@${path}`;
}

/** All problems of a command line. */
function problems(...args: string[]): readonly string[] {
  const parsed = parse(...args);
  return parsed.kind === 'problems' ? parsed.problems : [];
}

test.each([
  ['all', undefined],
  ['acme', ['acme']],
  ['acme,globex,acme', ['acme', 'globex']],
  [file('acme\r\n\n  globex \n'), ['acme', 'globex']],
  [file('["acme", "globex"]'), ['acme', 'globex']],
])('--tenants %s selects tenants', (asked, tenants) => {
  expect(parse('--tenants', asked)).toMatchObject({ kind: 'tenants', task: { verb: 'start', command: 'upgrade', tenants } });
});

test.each([
  ['@', '--tenants @ names no file: use --tenants @<file>'],
  ['@-', '--tenants @- is not supported, because standard input is for answers: use a file'],
  ['@/no/such/file', "--tenants @/no/such/file can't be read: ENOENT"],
  [file(' \n'), expect.stringMatching(/ is empty$/)],
  [file('[]'), expect.stringMatching(/ has an empty list$/)],
  [file('[1]'), expect.stringMatching(/ is not a JSON array of names$/)],
  [file('acme\nno name'), expect.stringMatching(/"no name" is not a usable name: use at most 63 letters/)],
  ['acme,,globex', expect.stringMatching(/"" is not a usable name/)],
  ['a;b,.c', expect.stringMatching(/"a;b" is not a usable name/)],
])('--tenants %s is rejected', (asked, problem) => {
  expect(problems('--tenants', asked)[0]).toEqual(problem);
});

test('the error shows the first unusable names and counts the others', () => {
  expect(problems('--tenants', file(Array(9).fill('a b').join('\n')))).toContain('and 4 more problems in tenants');
});

test('--retry-failed excludes --tenants', () => {
  const task = { verb: 'start', command: 'upgrade', retryFailed: true };
  expect(parse('--retry-failed')).toMatchObject({ task });
  expect(parse('--retry-failed', '--tenants', 'all')).toMatchObject({ task });
  expect(problems('--retry-failed', '--tenants', 'acme')).toEqual([
    '--retry-failed chooses the tenants: leave out --tenants, or use --tenants all',
  ]);
});

test.each(['run', 'approve', 'reject', 'stop'])(
  '--%s takes the id of a run, and no option that the run has already decided',
  (verb) => {
    expect(parse(`--${verb}`, runId)).toMatchObject({ kind: 'tenants', task: { verb, runId } });
    const wrong = ['run', 'stop'].includes(verb) ? 'the name of an execution' : 'a UUID in lower case';
    expect(problems(`--${verb}`, 'my own')).toEqual([`the id "my own" must be ${wrong}`]);
    expect(problems(`--${verb}`, runId, '--tenants', 'all', '--command', 'plan', '--yes')).toEqual([
      `--${verb} takes no --tenants, which was fixed when the run started`,
      `--${verb} takes no --command, which was fixed when the run started`,
      `--${verb} takes no --yes, which was fixed when the run started`,
    ]);
  },
);

test('the options that act on a run exclude each other', () => {
  expect(problems('--run', runId, '--stop', runId)).toEqual(['--run and --stop exclude each other: use one']);
});

test('all options that many tenants do not support are reported at once', () => {
  const senseless = ['--revision', 'c3', '--dry-run', '--wait-lock', '5', '--follow', '--snapshot', '--function-name', 'mine'];
  const found = problems('--tenants', 'all', ...senseless, '--command', 'downgrade', '--sql', '--json=no');
  for (const problem of [
    "--revision can't be combined with --tenants: every tenant goes to head",
    "--dry-run can't be combined with --tenants: use --command plan",
    "--wait-lock can't be combined with --tenants",
    "--follow can't be combined with --tenants",
    "--snapshot can't be combined with --tenants: no snapshots are made for many tenants",
    "--function-name can't be combined with --tenants",
    '"downgrade" is not available for many tenants: use upgrade, plan, check',
    'unknown option --sql',
    '--json takes no value',
  ]) {
    expect(found.join('\n')).toContain(problem);
  }
});

test.each([
  [['--tenants', 'all', '--command', 'plan', '--allow', 'drop_invalid_indexes'], '"plan" takes no --allow'],
  [['--tenants', 'all', '--allow', 'all'], '--allow must be a list of drop_invalid_indexes, drift'],
  [['--tenants', 'all', '--sarif', 'drift.sarif'], '"upgrade" takes no --sarif'],
  [['--tenants'], '--tenants needs a value'],
  [['--run'], '--run needs a value'],
  [['--tenants', 'all', '--endpoint-url', 'here'], '--endpoint-url here is not an address such as http://localhost:4566'],
  [['--tenants', 'all', '--app-name', 'a b'], expect.stringContaining('the app name "a b" is not a usable name')],
])('%j is rejected', (args, problem) => {
  expect(problems(...args)).toEqual([problem]);
});

test('the stage is required', () => {
  expect(parseTenants(['--tenants', 'all'])).toMatchObject({ kind: 'problems', problems: ['--stage is missing'] });
});

test.each(['--tenants=all', '--retry-failed', '--run', '--approve=x', '--reject', '--stop'])(
  '%s is for this reader',
  (option) => {
    expect(parseArguments(['--stage', 'dev', option])).toEqual({ kind: 'tenants' });
  },
);
