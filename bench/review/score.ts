import type { Case } from './cases';
import type { Finding, Tool } from './tools';

/** How a tool did on a case. */
export interface Judged {
  readonly name: string;
  readonly hazard: Case['hazard'];
  /** The rules that it reported. */
  readonly rules: readonly string[];
  /** A dangerous case: a rule names the hazard. A safe one: no rule that fails the command names a hazard. */
  readonly strict: boolean;
  /** A dangerous case: anything is reported. A safe one: nothing is. */
  readonly loose: boolean;
  /** False if the tool could not read it, which counts as nothing reported. @default true */
  readonly read?: false;
}

export function judged({ name, hazard }: Case, findings: readonly Finding[] | undefined, hazards: Tool['hazards']): Judged {
  const found = findings ?? [];
  const rules = [...new Set(found.map(({ rule }) => rule))].sort();
  const about = { name, hazard, rules, ...(findings === undefined && { read: false as const }) };
  const named = (rule: string) => hazards[rule] ?? [];
  if (hazard === 'safe') {
    const alarm = found.some(({ rule, fails }) => fails && named(rule).length > 0);
    return { ...about, strict: !alarm, loose: found.length === 0 };
  }
  return { ...about, strict: found.some(({ rule }) => named(rule).includes(hazard)), loose: found.length > 0 };
}
