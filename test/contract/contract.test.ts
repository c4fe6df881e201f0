import { isAnswer, isFailure, requestProblems } from '../../lib/contract';
import answers from './answers.json';
import failures from './failures.json';
import requests from './requests.json';

const isRequest = (value: unknown) => requestProblems(value).length === 0;

describe.each([
  ['request', requests, isRequest],
  ['answer', answers, isAnswer],
  ['failure', failures, isFailure],
] as [string, { accepted: object; rejected: object }, (value: unknown) => boolean][])(
  'as a %s',
  (_, { accepted, rejected }, is) => {
    test.each(Object.entries(accepted))('%s is accepted', (_, value) => expect(is(value)).toBe(true));
    test.each(Object.entries(rejected))('%s is rejected', (_, value) => expect(is(value)).toBe(false));
  },
);
