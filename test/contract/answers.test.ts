import { isAnswer, isFailure } from '../../lib/contract';
import { isTenantAnswer, isTenantList, isTenantRunSummary } from '../../lib/contract/tenants';
import { ANSWERS, FAILURES, TENANT_ANSWERS, TENANT_LISTS, TENANT_SUMMARIES } from './samples';

type Check = (value: unknown) => boolean;

/** Keys that an answer may do without. */
const OPTIONAL =
  /^(container|stateMachineArn|acknowledgement|runId|continueWith|sql|revision|sqlState|statement|dataLoss|error|schema|secretArn|later|blockers|replication|running|since|elapsedMs|phase|percent|secondsLeft|endedBlockers|restorePoint|snapshot|name|reason|walPosition|cluster|instance|writesPerSecond|rowBytes|bloatBytes|keptAt|digest|kept|found|ddl)$/;

/** A Blocker and a Running have only what is known. */
const isOfBlocker = (value: object) => 'kind' in value || 'phase' in value;

/** Where a tenant is whose run failed is not always known; only drift that could not be determined has a reason. */
const isUnknown = (value: object, key: string) =>
  ('tenant' in value && 'error' in value && ['from', 'to'].includes(key)) || ('objects' in value && key === 'reason');

/** Every copy of a value in which one thing, however deep, was taken out or is of another type. */
function* damaged(value: unknown, path = ''): Generator<[string, unknown]> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, item] of Object.entries(value)) {
    const at = `${path}.${key}`;
    if (key !== 'later') yield [`${at} of another type`, { ...copy(value), [key]: wrongFor(item) }];
    if (!Array.isArray(value) && !OPTIONAL.test(key) && !isUnknown(value, key) && !isOfBlocker(value))
      yield [`no ${at}`, { ...copy(value), [key]: undefined }];
    for (const [what, inner] of damaged(item, at)) {
      const whole = copy(value);
      (whole as Record<string, unknown>)[key] = inner;
      yield [what, whole];
    }
  }
}

function copy(value: object): object {
  return Array.isArray(value) ? [...value] : { ...value };
}

function wrongFor(value: unknown): unknown {
  return typeof value === 'number' ? (Number.isInteger(value) ? 1.5 : 'a text') : typeof value === 'boolean' ? 'yes' : 12;
}

describe.each<[string, object, Check]>([
  ['answer', ANSWERS, isAnswer],
  ['failure', FAILURES, isFailure],
  ['answer about tenants', TENANT_ANSWERS, isTenantAnswer],
  ['list of tenants', TENANT_LISTS, isTenantList],
  ['summary of a run', TENANT_SUMMARIES, isTenantRunSummary],
])('as %s', (_, samples, is) => {
  test.each(Object.entries(samples))('%s is accepted', (_, sample) => expect(is(sample)).toBe(true));

  test.each(Object.entries(samples))('%s is rejected if any part is missing or has the wrong type', (_, sample) => {
    const accepted = [...damaged(sample)].filter(([, value]) => is(value)).map(([what]) => what);
    expect(accepted).toEqual([]);
  });

  test.each([
    ['null', null],
    ['a list', []],
    ['a text', 'complete'],
    ['another contract', { ...Object.values(samples)[0], contract: 2 }],
  ])('%s is rejected', (_, value) => expect(is(value)).toBe(false));
});

const history = ANSWERS['a history'];
const [failed, done] = TENANT_ANSWERS['one failed, others are left'].outcomes as [object, object];
const withOutcome = (outcome: object) => ({ ...TENANT_ANSWERS['all at head'], outcomes: [outcome] });

test.each<[string, Check, unknown]>([
  ['a history without entries', isAnswer, { ...history, history: undefined }],
  ['a history of another command', isAnswer, { ...history, command: 'current' }],
  ['a revision without SQL and without a reason', isAnswer, { ...ANSWERS['a plan'], sql: [{ revision: 'b2', sql: null }] }],
  ['a container with nothing to do', isAnswer, { ...ANSWERS['a plan'], container: { revisions: [] } }],
  ['an unknown way to lose data', isAnswer, { ...ANSWERS['a plan'], dataLoss: [{ ...lossOf(), rule: 'drop-database' }] }],
  ['an unknown status', isAnswer, { ...ANSWERS['nothing to do'], status: 'done' }],
  ['an unknown code', isFailure, { ...FAILURES['a bad request'], error: { code: 'x', message: 'm', next: 'n' } }],
  ['an empty message', isFailure, { ...FAILURES['a bad request'], error: { code: 'locked', message: '', next: 'n' } }],
  ['a tenant that failed without an error', isTenantAnswer, withOutcome({ ...done, status: 'failed' })],
  ['a tenant that did not fail, with an error', isTenantAnswer, withOutcome({ ...failed, status: 'complete' })],
  ['an unknown status of a tenant', isTenantAnswer, withOutcome({ ...done, status: 'done' })],
  ['a name that could leave its folder', isTenantList, { ...TENANT_LISTS.none, tenants: [{ name: '../a' }] }],
  [
    'a tenant left that is named twice',
    isTenantAnswer,
    { ...TENANT_ANSWERS['all at head'], left: [{ name: 'a' }, { name: 'a' }] },
  ],
  ['a summary that failed without an error', isTenantRunSummary, { ...TENANT_SUMMARIES['some failed'], error: undefined }],
])('%s is rejected', (_, is, value) => expect(is(value)).toBe(false));

function lossOf(): object {
  return ANSWERS['a plan'].dataLoss[0] as object;
}
