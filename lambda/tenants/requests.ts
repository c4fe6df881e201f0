import { choiceOf, isRecord, type Rule, text, valueProblems } from '../../lib/contract/checks/rules';
import { EXECUTION_NAME, WAVES } from '../../lib/contract/tenants';
import { problemsOfKeys, refuse } from '../on-deploy/refuse';

const NEXT = 'start the state machine, or use `npx migrate-invoke`: only the state machine calls this function';
const NUMBER: Rule = { type: 'number', from: 0, whole: true, wrong: '{key} must be a number from 0' };

/** Refuses a request to the coordinator that the state machine never sends. */
export function checkRequest(request: unknown): void {
  const { action, stopped } = isRecord(request) ? request : {};
  const problems = problemsOfKeys(request, {
    action: choiceOf(['list', 'judge', 'requestApproval', 'summarize']),
    runId: EXECUTION_NAME,
    ...(action === 'requestApproval' && { token: text() }),
  });
  if (action === 'summarize' && stopped !== null && stopped !== undefined) problems.push(...stoppedProblems(stopped));
  refuse(problems, NEXT);
}

/** Refuses an input of a batch that the list never writes. */
export function checkBatch(state: unknown): void {
  refuse(problemsOfKeys(state, { runId: EXECUTION_NAME, wave: choiceOf(WAVES), index: NUMBER, part: NUMBER }), NEXT);
}

/** Step Functions' error. */
function stoppedProblems(stopped: unknown): string[] {
  if (!isRecord(stopped)) return ['stopped must be an error of Step Functions'];
  const { Error: name, Cause: cause } = stopped;
  const any = text({ pattern: '[\\s\\S]*', wrong: '{key} must be a text' });
  return [
    ...valueProblems(any, name, 'stopped.Error'),
    ...(cause === undefined ? [] : valueProblems(any, cause, 'stopped.Cause')),
  ];
}
