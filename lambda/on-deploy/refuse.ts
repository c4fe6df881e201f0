import { isRecord, type Rule, valueProblems } from '../../lib/contract/checks/rules';

/** The error for an invalid event. Step Functions shows its name. */
class Refused extends Error {
  override readonly name = 'invalid_request';

  constructor(problems: readonly string[], next: string) {
    super(`[invalid_request] ${problems.join('; ')}; nothing was started; next: ${next}`);
    // The Provider framework appends the stack to the message.
    this.stack = this.name;
  }
}

/** Throws the error `invalid_request` if there are problems. */
export function refuse(problems: readonly string[], next: string): void {
  if (problems.length) throw new Refused(problems, next);
}

/** The problems of these keys of a value; it may have others. */
export function problemsOfKeys(value: unknown, rules: Readonly<Record<string, Rule>>): string[] {
  if (!isRecord(value)) return ['the event must be a JSON object'];
  return Object.entries(rules).flatMap(([key, rule]) => valueProblems(rule, value[key], key));
}
