import { requestProblems } from '../../../contract';
import { type CommandLine, type Options, unexpected } from '../../options';

export const OPTIONS = { revision: { type: 'string' } } as const satisfies Options;

export interface ApplyArguments {
  readonly revision?: string;
}

export function readApply(line: CommandLine<keyof typeof OPTIONS>, problems: string[]): ApplyArguments {
  const revision = line.text('revision');
  problems.push(...unexpected(line.named));
  if (revision) problems.push(...requestProblems({ command: 'upgrade', revision }));
  return { revision };
}
