import { stripVTControlCharacters } from 'node:util';
import { displayWidth } from '../../../lib/cli/screen/display-width';
import { answer, applied } from '../../support/aws/answers';
import type { Reply } from '../../support/aws/lambda';
import { StageAws, type StageOptions } from '../../support/aws/stage';
import { BuiltCommand, type Ended, type TerminalOptions } from '../built-command';
import { oneByOne, planned } from '../planned';

let command: BuiltCommand;
let aws: StageAws;

beforeAll(async () => {
  command = await BuiltCommand.build();
});
afterEach(() => aws?.stop());

interface Setting extends StageOptions, TerminalOptions {
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly reply?: ReturnType<typeof planned>;
}

/** A run on a terminal that applies b2 and c3, unless told otherwise. */
async function onTerminal({ args = [], environment, reply = oneByOne(), ...options }: Setting = {}): Promise<Ended> {
  aws = await StageAws.start(reply, options);
  return command.runOnTerminal(['--stage', 'dev', '--endpoint-url', aws.url, ...args], environment, options);
}

const changes = () => aws.invokes.filter((request) => request.command === 'upgrade');
const BAR = /[█░]/;
const isProtected = planned({ answer: answer({ from: ['a1'], applied: [] }) }, { stage: 'prod', protected: true });

describe('a person at a terminal', () => {
  test('sees colors', async () => {
    const { code, stdout } = await onTerminal();
    expect(code).toBe(0);
    expect(stdout).toContain('\u001b[32m✓\u001b[39m');
  });

  test('sees no colors with NO_COLOR', async () => {
    const { stdout } = await onTerminal({ environment: { NO_COLOR: '1' } });
    expect(stdout).toContain('✓ b2  Add items  12 ms');
    expect(stdout.replaceAll('\u001b[K', '')).not.toContain('\u001b[');
  });

  test.each([
    ['C', { LANG: 'C' }],
    ['POSIX, whatever LANG is', { LANG: 'en_US.UTF-8', LC_ALL: 'POSIX' }],
    ['one without UTF-8', { LANG: 'de_DE.ISO-8859-1' }],
  ])('sees only ASCII with the locale %s', async (_, environment) => {
    const reply = planned({ answer: answer({ from: ['a1'], applied: [applied('b2', '取引先')] }) });
    const { stdout } = await onTerminal({ environment, reply, delayMs: 300 });
    expect(stdout.match(/\P{ASCII}/gu)).toBeNull();
    const text = stripVTControlCharacters(stdout);
    expect(text).toContain('  + b2  ???  12 ms');
    expect(text).toMatch(/\.{6,} 0\/2 /);
    expect(text).toContain('a1 -> c3 (head)');
  });

  test('sees the progress and the current revision if there are only a few', async () => {
    const { stdout } = await onTerminal({ delayMs: 300 });
    expect(stdout).toMatch(/░+ 0\/2 b2 {2}Add items 0 s/);
    expect(stdout).toMatch(/█+░+ 1\/2 c3 {2}Add notes 0 s/);
    expect(changes().map(({ sliceSeconds }) => sliceSeconds)).toEqual([0, 0]);
  });

  test('sees that the run may be further along if several revisions run in one call', async () => {
    const many = Array.from({ length: 21 }, (_, index) => ({ revision: `r${index}`, message: 'One of many' }));
    const reply = planned({ answer: answer() }, { pending: many });
    const { stdout } = await onTerminal({ reply });
    expect(stdout).toContain('0/21 r0 or later  One of many');
    expect(changes()).toMatchObject([{ sliceSeconds: 2 }]);
  });

  test.each([
    ['--no-progress', { args: ['--no-progress'] }],
    ['CI', { environment: { CI: 'true' } }],
    ['a terminal that cannot redraw', { environment: { TERM: 'dumb' } }],
  ])('sees no bar with %s', async (_, setting) => {
    const { code, stdout } = await onTerminal(setting);
    expect([code, stdout]).toEqual([0, expect.stringContaining('✓')]);
    expect(stdout).not.toMatch(BAR);
    expect(changes()[0]?.sliceSeconds).toBe(5);
  });

  test('of 20 columns sees each revision and the bar on one line', async () => {
    const { code, stdout } = await onTerminal({ columns: 20, delayMs: 300, reply: oneByOne() });
    expect(code).toBe(0);
    const lines = stripVTControlCharacters(stdout).split(/[\r\n]+/);
    const shown = lines.filter((line) => /^ {2}([•✓] (b2|c3)|[█░]+) /.test(line));
    // The plan, the bar, and the revisions that were applied.
    expect(shown.length).toBeGreaterThanOrEqual(5);
    for (const line of shown) expect([line, displayWidth(line)]).toEqual([line, Math.min(displayWidth(line), 20)]);
  });

  test.each([40, 120])('of %i columns sees each revision and the bar on one line', async (columns) => {
    const message =
      '取引先テーブルに📦の列を追加する, and it goes on for longer than any terminal is wide: 取引先テーブルに📦の列を追加する';
    const long = [{ revision: 'd5a0303d2026', message }];
    const done = [{ ...long[0], revision: 'd5a0303d2026', message, durationMs: 12, statements: 1 }];
    const reply = planned({ answer: answer({ applied: done }) }, { pending: long });
    const { stdout } = await onTerminal({ reply, columns, delayMs: 300 });
    const drawn = stripVTControlCharacters(stdout)
      .split(/[\r\n]+/)
      .filter((line) => line.includes('d5a0303d2026  取'));
    // The plan, the bar in at least one state, the applied revision.
    expect(drawn.length).toBeGreaterThanOrEqual(3);
    for (const line of drawn) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
    for (const line of drawn) expect(displayWidth(line)).toBeGreaterThan(columns - 4);
    for (const line of drawn) expect(line).toContain('…');
  });
});

describe('a protected stage', () => {
  test('is changed when its name is typed', async () => {
    const { code, stdout } = await onTerminal({ reply: isProtected, typed: 'prod\n' });
    expect(code).toBe(0);
    expect(stdout).toMatch(/2 revisions pending.*is protected; type its name to continue: /s);
    expect(changes()).toHaveLength(1);
  });

  test.each([
    ['another name', 'dev\n', 3],
    ['nothing', '\n', 3],
    ['the end of input', '\u0004', 3],
    ['Ctrl-C', '\u0003', 130],
  ])('is left alone when %j is typed', async (_, typed, code) => {
    const result = await onTerminal({ reply: isProtected, typed });
    expect(result).toMatchObject({ code, stdout: expect.stringContaining('nothing was changed') });
    expect(changes()).toEqual([]);
  });

  test('is changed without a question with --yes', async () => {
    const { code, stdout } = await onTerminal({ reply: isProtected, args: ['--yes'] });
    expect(code).toBe(0);
    expect(stdout).not.toContain('type its name');
  });

  test('does not ask if there is nothing to do', async () => {
    const reply = (): Reply => ({ answer: answer({ command: 'plan', protected: true }) });
    expect(await onTerminal({ reply })).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing to do') });
  });

  test.each([
    ['without a terminal', () => command.run(['--stage', 'prod', '--endpoint-url', aws.url])],
    [
      'in a CI that gives a terminal',
      () => command.runOnTerminal(['--stage', 'prod', '--endpoint-url', aws.url], { CI: 'true' }),
    ],
  ])('%s requires --yes and does not wait for an answer', async (_, run) => {
    aws = await StageAws.start(isProtected);
    const { code, stdout, stderr } = await run();
    expect(code).toBe(3);
    expect(stdout + stderr).toContain(
      'declined: stage "prod" is protected and cannot be confirmed without a terminal; nothing was changed',
    );
    expect(stdout + stderr).toMatch(/next.*--yes/);
    expect(changes()).toEqual([]);
  });
});

describe.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s', (signal) => {
  async function interrupt(reply: ReturnType<typeof planned>, ...args: string[]): Promise<Ended> {
    let arrived: () => void;
    const hanging = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    aws = await StageAws.start((request, call) => {
      const told = reply(request, call);
      if (told === 'hang') arrived();
      return told;
    });
    return command.run(['--stage', 'dev', '--endpoint-url', aws.url, ...args], {}, hanging, signal);
  }

  test('during a run says what continues and how to check', async () => {
    const { code, stdout, stderr } = await interrupt(planned('hang'));
    expect([code, stdout]).toEqual([130, '']);
    expect(stderr).toContain('interrupted: the function finishes its slice');
    expect(stderr).toContain('npx migrate-invoke --stage dev --command current');
  });

  test('before a run says that nothing was changed', async () => {
    const { code, stderr } = await interrupt(() => 'hang');
    expect([code, stderr]).toEqual([130, expect.stringContaining('interrupted: nothing was changed')]);
  });

  test('with --json is a document with what was applied', async () => {
    const one = oneByOne();
    const { code, stdout } = await interrupt((request, call) => (call === 3 ? 'hang' : one(request, call)), '--json');
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({ exitCode: 130, error: { code: 'interrupted' }, applied: [{ revision: 'b2' }] });
  });
});
