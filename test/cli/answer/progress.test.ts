import { Progress } from '../../../lib/cli/answer/progress';
import { Terminal } from '../../../lib/cli/screen/terminal';

test('without a terminal, a run that is silent for a minute says what still runs', () => {
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
