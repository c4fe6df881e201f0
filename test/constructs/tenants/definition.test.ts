import { type TenantDefinitionProps, tenantDefinition } from '../../../lib/constructs/tenants/tenant-definition';
import { TENANT_STATES } from '../../../lib/contract/tenants';

// It has no types.
const validate: (definition: object) => { isValid: boolean; errors: object[] } = require('asl-validator');

const CANARIES: [string, TenantDefinitionProps['canary']][] = [
  ['no canary', undefined],
  ['a canary and a pause', { after: 'pause', seconds: 600 }],
  ['a canary and an approval', { after: 'approval', seconds: 3600 }],
];

function define(canary: TenantDefinitionProps['canary']): any {
  return tenantDefinition({
    partition: 'aws',
    coordinator: 'coordinator',
    batch: 'batch',
    bucket: 'runs',
    concurrency: 10,
    timeoutSeconds: 3600,
    canary,
  });
}

test.each(CANARIES)('the definition with %s is valid Amazon States Language', (_, canary) => {
  const { isValid, errors } = validate(define(canary));
  expect(errors).toEqual([]);
  expect(isValid).toBe(true);
});

test.each(CANARIES)('with %s, every state can be reached and has the name that a watcher expects', (_, canary) => {
  const { StartAt, States } = define(canary);
  const reached = new Set<string>([StartAt]);
  for (const name of reached) {
    const { Next, Default, Choices = [], Catch = [] } = States[name];
    for (const { Next: next } of [{ Next }, { Next: Default }, ...Choices, ...Catch]) if (next) reached.add(next);
  }
  expect([...reached].sort()).toEqual(Object.keys(States).sort());
  const { list, rest, summarize, canary: first, judge, pause, approval } = TENANT_STATES;
  const after = canary?.after === 'pause' ? pause : approval;
  expect(Object.keys(States)).toEqual(expect.arrayContaining([list, rest, summarize, ...(canary ? [first, judge, after] : [])]));
});

test('both maps are distributed, read their batches from the bucket, and start at most as many workers as there are connections', () => {
  const { States } = define({ after: 'pause', seconds: 1 });
  for (const name of [TENANT_STATES.canary, TENANT_STATES.rest]) {
    expect(States[name]).toMatchObject({
      Type: 'Map',
      Label: name,
      MaxConcurrency: 10,
      ItemReader: {
        Resource: 'arn:aws:states:::s3:getObject',
        ReaderConfig: { InputType: 'JSON' },
        Parameters: { Bucket: 'runs' },
      },
      ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' } },
    });
  }
});

test('whatever fails, the run ends with a summary', () => {
  const { States } = define({ after: 'approval', seconds: 60 });
  for (const [name, state] of Object.entries<any>(States)) {
    if (!['Task', 'Map'].includes(state.Type) || name === TENANT_STATES.summarize) continue;
    expect([name, state.Catch.at(-1)]).toEqual([
      name,
      { ErrorEquals: ['States.ALL'], ResultPath: '$.stopped', Next: TENANT_STATES.summarize },
    ]);
  }
});

test('a throttled call is retried', () => {
  const { States } = define({ after: 'approval', seconds: 60 });
  const tasks = Object.values<any>(States).flatMap((state) => [state, ...Object.values<any>(state.ItemProcessor?.States ?? {})]);
  for (const task of tasks.filter(({ Type }) => Type === 'Task')) {
    expect(task.Retry.flatMap((retry: any) => retry.ErrorEquals)).toEqual(
      expect.arrayContaining(['Lambda.TooManyRequestsException', 'Lambda.ServiceException']),
    );
  }
});

test('a batch adds only a number to the result of the map, which Step Functions limits to 256 KB', () => {
  const { ItemProcessor, ResultPath } = define(undefined).States[TENANT_STATES.rest];
  const [end] = Object.values<any>(ItemProcessor.States).filter(({ End }) => End);
  expect(end).toEqual({ Type: 'Pass', Result: 0, End: true });
  expect(ResultPath).toBeNull();
});
