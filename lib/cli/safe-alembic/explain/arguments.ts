import type { CommandLine } from '../../options';

/** The rule to explain; all rules are listed without one. */
export interface ExplainArguments {
  readonly rule?: string;
}

export function readExplain({ named: [rule, ...others] }: CommandLine, problems: string[]): ExplainArguments {
  if (others.length > 0) problems.push('explain takes one rule');
  return { rule };
}
