import { Progress } from '../../../lib/cli/answer/progress';
import type { StatusLine } from '../../../lib/cli/screen/status-line';
import { Terminal } from '../../../lib/cli/screen/terminal';

const UNDER_WAY = {
  runId: 'r1',
  command: 'upgrade',
  requestedBy: 'deploy x',
  startedAt: '2026-01-01T00:00:00Z',
  revision: 'b2',
  message: 'Add items',
  elapsedMs: 9_000,
};

test('the progress that another call reported is shown until the next slice', () => {
  jest.useFakeTimers({ doNotFake: [] });
  const drawn: string[] = [];
  const status = { width: 200, draw: (text: string) => drawn.push(text), clear: () => {} } as unknown as StatusLine;
  const stream = { write: () => true } as unknown as NodeJS.WriteStream;
  const pending = [{ revision: 'b2', message: 'Add items' }];
  const progress = new Progress({ notes: new Terminal(stream), status }, pending, false);
  progress.showRunning({ ...UNDER_WAY, phase: 'CREATE INDEX: building index: scanning table', percent: 43, secondsLeft: 130 });
  progress.showRunning({ ...UNDER_WAY, blockers: [{ pid: 4711, application: 'shop', statement: 'SELECT ?' }] });
  progress.stop();
  jest.useRealTimers();
  expect(drawn.map((line) => line.replace(/^ +[░█]+ /, ''))).toEqual([
    '0/1 b2  Add items 0 s',
    '0/1 b2  Add items  CREATE INDEX: building index: scanning table 43 %, about 2 min 10 s left 0 s',
    '0/1 b2  Add items  waits for backend 4711, shop 0 s',
  ]);
});

test('without a terminal, a run that is silent for a minute says what is still running', () => {
  jest.useFakeTimers({ doNotFake: [] });
  const lines: string[] = [];
  const stream = { write: (text: string) => lines.push(text) } as unknown as NodeJS.WriteStream;
  const pending = [
    { revision: 'b2', message: 'Add items' },
    { revision: 'c3', message: 'Add notes' },
  ];
  const progress = new Progress({ notes: new Terminal(stream) }, pending, true);
  jest.advanceTimersByTime(125_000);
  progress.stop();
  jest.advanceTimersByTime(600_000);
  jest.useRealTimers();
  expect(lines).toEqual([
    '  … still running: b2 or later  Add items (1 min 00 s)\n',
    '  … still running: b2 or later  Add items (2 min 00 s)\n',
  ]);
});
