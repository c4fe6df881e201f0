import { ALLOWANCES, type Allowance } from '../../lib/contract';

const KEYS = ['command', 'tenants', 'retryFailed', 'allow', 'requestedBy'];
const RUN_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** All that is wrong with an execution's name and its input; empty when it can be run. */
export function inputProblems(runId: string, input: unknown): string[] {
  const problems = RUN_ID.test(runId) ? [] : [`the name of the execution is ${JSON.stringify(runId)}: use a UUID in lower case`];
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    return [...problems, 'the input must be a JSON object'];
  for (const key of Object.keys(input).filter((name) => !KEYS.includes(name))) {
    problems.push(`unknown key ${JSON.stringify(key)}: use ${KEYS.join(', ')}`);
  }
  const { command = 'upgrade', tenants, retryFailed = false, allow, requestedBy } = input as Record<string, unknown>;
  if (command !== 'upgrade' && command !== 'plan')
    problems.push(`unknown command ${JSON.stringify(command)}: use upgrade or plan`);
  if (tenants !== undefined && !isListOf(tenants, (name) => typeof name === 'string')) {
    problems.push('tenants must be a list of names');
  }
  if (typeof retryFailed !== 'boolean') problems.push('retryFailed must be true or false');
  else if (retryFailed && tenants !== undefined) problems.push('retryFailed goes without tenants: it has its own list');
  if (allow !== undefined && !isListOf(allow, (item) => ALLOWANCES.includes(item as Allowance))) {
    problems.push(`allow must be a list of ${ALLOWANCES.join(', ')}`);
  } else if (allow !== undefined && command === 'plan') problems.push('"plan" takes no allow');
  if (requestedBy !== undefined && !(typeof requestedBy === 'string' && /^[\x20-\x7e]{1,200}$/.test(requestedBy))) {
    problems.push('requestedBy must be a text of at most 200 printable ASCII characters');
  }
  return problems;
}

function isListOf(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isItem);
}
