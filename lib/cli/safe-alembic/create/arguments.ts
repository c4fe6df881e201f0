import type { CommandLine, Options } from '../../options';
import { FAIL_OPTIONS, type FailArguments, REPLAY_OPTIONS, type ReplayArguments, readFail, readReplay } from '../replay/options';

export const OPTIONS = {
  ...REPLAY_OPTIONS,
  ...FAIL_OPTIONS,
  head: { type: 'string' },
  empty: { type: 'boolean' },
} as const satisfies Options;

export interface CreateArguments extends ReplayArguments, FailArguments {
  /** What the revision does. */
  readonly message: string;
  /** The revision's parent, if there are several branches. */
  readonly head?: string;
  readonly empty: boolean;
}

export function readCreate(line: CommandLine<keyof typeof OPTIONS>, problems: string[]): CreateArguments {
  const [message, ...more] = line.named;
  if (message === undefined) problems.push('the message is missing: safe-alembic create "Add notifications table"');
  if (more.length > 0) problems.push('the message is more than one argument: put it in quotes');
  return {
    message: message ?? '',
    head: line.text('head'),
    empty: line.flag('empty'),
    ...readFail(line, problems),
    ...readReplay(line, problems),
  };
}
