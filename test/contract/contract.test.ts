import { isAnswer, isFailure, requestProblems } from '../../lib/contract';
import { isTenantAnswer, isTenantList, tenantRequestProblems } from '../../lib/contract/tenants';
import answers from './answers.json';
import failures from './failures.json';
import requests from './requests.json';
import tenantAnswers from './tenant-answers.json';
import tenantLists from './tenant-lists.json';
import tenantRequests from './tenant-requests.json';

const isRequest = (value: unknown) => requestProblems(value).length === 0;
const isTenantRequest = (value: unknown) => tenantRequestProblems(value).length === 0;

describe.each([
  ['request', requests, isRequest],
  ['answer', answers, isAnswer],
  ['failure', failures, isFailure],
  ['request for tenants', tenantRequests, isTenantRequest],
  ['answer about tenants', tenantAnswers, isTenantAnswer],
  ['list of tenants', tenantLists, isTenantList],
] as [string, { accepted: object; rejected: object }, (value: unknown) => boolean][])(
  'as a %s',
  (_, { accepted, rejected }, is) => {
    test.each(Object.entries(accepted))('%s is accepted', (_, value) => expect(is(value)).toBe(true));
    test.each(Object.entries(rejected))('%s is rejected', (_, value) => expect(is(value)).toBe(false));
  },
);
