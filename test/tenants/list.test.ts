import { CreateTableCommand, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { clientOptions } from '../../examples/local-aws';
import type { CoordinatorSettings } from '../../lib/contract/coordinator';
import { failure } from '../support/aws/answers';
import { answered, useTestBed } from './test-bed';

const shared = useTestBed();

async function tenants(): Promise<unknown> {
  const { testBed } = shared;
  await testBed.list();
  return testBed.get(`runs/${testBed.runId}/rest/0/tenants.json`);
}

const big: Partial<CoordinatorSettings> = { batchSize: 1000 };

describe('tenants are listed', () => {
  test('by JSON lines, in the order of their databases and names', async () => {
    const { testBed } = shared;
    const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:db';
    await testBed.put(
      'tenants.json',
      `"b"\n{"name":"z","secretArn":"${arn}"}\n\n{"name":"a","schema":"tenant_a","secretArn":null}\n`,
    );
    await testBed.use(big, (request) => answered(request));
    expect(await tenants()).toEqual([{ name: 'a', schema: 'tenant_a' }, { name: 'b' }, { name: 'z', secretArn: arn }]);
  });

  test('by a DynamoDB table with any attribute names', async () => {
    const { testBed } = shared;
    const dynamoDb = new DynamoDBClient(clientOptions(testBed.ministack.url));
    await dynamoDb.send(
      new CreateTableCommand({
        TableName: 'customers',
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'N' }],
        BillingMode: 'PAY_PER_REQUEST',
      }),
    );
    for (const id of ['2', '1']) {
      const Item = { id: { N: id }, place: { S: `schema_${id}` }, mail: { S: 'a@b.c' } };
      await dynamoDb.send(new PutItemCommand({ TableName: 'customers', Item }));
    }
    const source = { kind: 'table', tableName: 'customers', nameAttribute: 'id', schemaAttribute: 'place' } as const;
    await testBed.use({ ...big, source }, (request) => answered(request));
    expect(await tenants()).toEqual([
      { name: '1', schema: 'schema_1' },
      { name: '2', schema: 'schema_2' },
    ]);
  });

  test("by the worker's query, page by page", async () => {
    const { testBed } = shared;
    await testBed.use({ ...big, source: { kind: 'query' } }, ({ after = '' }) => {
      const page = ['a', 'b', 'c'].filter((name) => name > after).slice(0, 2);
      const list = page.map((name) => ({ name }));
      return { answer: { contract: 1, command: 'tenants', stage: 'dev', tenants: list, more: page.length === 2 } };
    });
    expect(await tenants()).toEqual([{ name: 'a' }, { name: 'b' }, { name: 'c' }]);
    expect(testBed.asked).toEqual([{ command: 'tenants' }, { command: 'tenants', after: 'b' }]);
  });

  test('by a function', async () => {
    const { testBed } = shared;
    await testBed.use({ ...big, source: { kind: 'function', functionName: 'list' } }, () => ({ answer: ['a', { name: 'b' }] }));
    expect(await tenants()).toEqual([{ name: 'a' }, { name: 'b' }]);
  });
});

describe('no tenant is migrated, and the reason is reported,', () => {
  test.each<[string, unknown, string]>([
    ['when a name is there twice', ['a', 'b', 'a'], 'tenants has "a" twice'],
    ['when a name could leave its folder', ['../a'], 'tenants[0].name: "../a" is not a usable name'],
    ['when a schema could leave its quotes', [{ name: 'a', schema: 'a"b' }], 'tenants[0].schema: "a\\"b" is not a usable name'],
    ['when a tenant has a key that nobody knows', [{ name: 'a', database: 'x' }], 'unknown key "tenants[0].database"'],
    ['when the list is of something else', [1], 'tenants[0] must be a tenant, {"name": "..."}, not 1'],
    ['when the file holds something else', 'name,schema\na,b', 'is neither a JSON array nor JSON lines'],
    ['when the file is not there', undefined, 'does not exist'],
  ])('%s', async (_, content, message) => {
    const { testBed } = shared;
    if (content !== undefined) await testBed.put('tenants.json', content);
    await testBed.use({}, (request) => answered(request));
    const { status, error, total } = await testBed.run();
    expect({ status, code: error?.code, total }).toEqual({ status: 'failed', code: 'tenants_unavailable', total: 0 });
    expect(error?.message).toContain(message);
  });

  test('if many tenants are unusable, with the first few', async () => {
    const { testBed } = shared;
    await testBed.put(
      'tenants.json',
      Array.from({ length: 9 }, (_, index) => `tenant ${index}`),
    );
    await testBed.use({}, (request) => answered(request));
    const { error } = await testBed.run();
    expect(error?.message).toContain('and 4 more problems in tenants');
  });

  test('if the function that lists them fails', async () => {
    const { testBed } = shared;
    await testBed.use({ source: { kind: 'function', functionName: 'list' } }, () => ({ crash: { errorMessage: 'no network' } }));
    expect((await testBed.run()).error).toMatchObject({
      code: 'tenants_unavailable',
      message: expect.stringContaining('the function list that lists the tenants failed: {"errorMessage":"no network"}'),
    });
  });

  test('if the query of the worker fails', async () => {
    const { testBed } = shared;
    await testBed.use({ source: { kind: 'query' } }, () => ({
      failure: failure({ code: 'database_refused', message: 'relation "tenants" does not exist', next: 'create it' }),
    }));
    expect((await testBed.run()).error).toEqual({
      code: 'tenants_unavailable',
      message: expect.stringContaining('relation "tenants" does not exist'),
      next: 'create it',
    });
  });

  test('if a named tenant does not exist', async () => {
    const { testBed } = shared;
    await testBed.put('tenants.json', ['a', 'b']);
    await testBed.use({}, (request) => answered(request));
    expect((await testBed.run({ tenants: ['b', 'c', 'd'] })).error).toMatchObject({
      code: 'unknown_tenant',
      message: 'not among the 2 tenants: c, d',
    });
    expect(testBed.asked).toEqual([]);
  });

  test('if the input is invalid, with all problems at once', async () => {
    const { testBed } = shared;
    await testBed.use({}, (request) => answered(request));
    const { error } = await testBed.run({ comand: 'plan', tenants: ['a'], retryFailed: true, allow: ['x'], requestedBy: 'é' });
    expect(error?.code).toBe('invalid_request');
    expect(error?.message.split('; ')).toEqual([
      'unknown key "comand": use command, tenants, retryFailed, allow, requestedBy',
      'allow[0] must be one of drop_invalid_indexes, drift, not "x"',
      'requestedBy must be a text of at most 200 printable ASCII characters',
      'retryFailed excludes tenants: it has its own list',
    ]);
  });
});

test.each([[{}], [{ command: 'plan' }], [{ retryFailed: true }]])('an empty list is an error: %j', async (input) => {
  const { testBed } = shared;
  await testBed.put('tenants.json', []);
  await testBed.use({}, (request) => answered(request));
  expect(await testBed.run(input)).toMatchObject({
    status: 'failed',
    total: 0,
    error: {
      code: 'no_tenants',
      message: 'the list of tenants (object) is empty',
      next: expect.stringContaining('TenantDeploy.off()'),
    },
  });
});

test('100,000 tenants are listed within a minute, and only keys and a number pass through the state machine', async () => {
  const { testBed } = shared;
  await testBed.put(
    'tenants.json',
    Array.from({ length: 100_000 }, (_, index) => `customer-${index}`),
  );
  await testBed.use({ batchSize: 1000 }, (request) => answered(request));
  const listed = await testBed.list();
  expect(listed).toMatchObject({ next: 'rest', total: 100_000 });
  expect(JSON.stringify(listed).length).toBeLessThan(500);
  expect(await testBed.get(`runs/${testBed.runId}/rest/batches.json`)).toHaveLength(100);
});
