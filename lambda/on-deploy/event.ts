import { choiceOf, isRecord, type Rule, text } from '../../lib/contract/checks/rules';
import { problemsOfKeys, refuse } from './refuse';

const NEXT = 'leave this function to CloudFormation; use `npx migrate-invoke` to migrate';
const TEXT = text();
/** CloudFormation's limit is 1 KB. */
const RESOURCE_ID = text({ pattern: '[\\s\\S]{1,1024}' });
/** No name or ARN in the properties is longer. */
const NAME = text({ maxLength: 500 });
const ANY_TEXT = text({ pattern: '[\\s\\S]*' });
export const TIME: Rule = { type: 'number', from: 0, whole: true, wrong: '{key} must be milliseconds since the epoch' };

/**
 * Refuses events that CloudFormation and the Provider framework never send, such as one sent by hand.
 *
 * @param properties keys of the resource's properties
 * @param passedOn the rules of the values that `onEvent` passes to `isComplete`
 */
export function checkEvent(event: unknown, properties: readonly string[], passedOn: Readonly<Record<string, Rule>> = {}): void {
  const { RequestType, ResourceProperties } = isRecord(event) ? event : {};
  const isDelete = RequestType === 'Delete';
  const problems = problemsOfKeys(event, {
    RequestType: choiceOf(['Create', 'Update', 'Delete']),
    ...(RequestType !== 'Create' && { PhysicalResourceId: RESOURCE_ID }),
    ...(!isDelete && { StackId: TEXT, RequestId: TEXT, ...passedOn }),
  });
  const keys = Object.fromEntries(properties.map((key) => [key, NAME]));
  refuse(isDelete ? problems : [...problems, ...problemsOfKeys(ResourceProperties, keys)], NEXT);
}

/** The rules of the values that `onEvent` returned to the framework. */
export const PLANNED: Readonly<Record<string, Rule>> = {
  Data: {
    type: 'object',
    shape: { name: 'Data', keys: { fromRevision: { ...ANY_TEXT, neededBy: 'all' } } },
    wrong: 'Data must be a JSON object',
  },
  PendingCount: { type: 'number', from: 0, whole: true, wrong: '{key} must be a number of revisions' },
  StartedAt: TIME,
};
