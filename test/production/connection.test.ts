import { MigrateClient } from '../../lib/client';
import { CuttingProxy } from './cutting-proxy';
import { HELD } from './database';
import { useProduction } from './production';
import { FUNCTION } from './stack';

const production = useProduction();
const thrown = (run: Promise<unknown>) => run.then(() => undefined).catch((error) => error);
let proxy: CuttingProxy;
let client: MigrateClient;

beforeEach(async () => {
  proxy = await CuttingProxy.start(production.aws.port);
  client = new MigrateClient({ functionName: FUNCTION, endpoint: proxy.url, requestedBy: 'person ada' });
});
afterEach(async () => {
  client?.destroy();
  await proxy?.stop();
});

test('after a connection drops during an Invoke, exactly one run has happened, and the next request reports the true state', async () => {
  const { fn, database, release } = production;
  await database.hold();
  fn.code = release({ a1: 'SELECT 1', b2: HELD, c3: 'SELECT 1' });
  const upgrade = thrown(client.upgrade({ sliceSeconds: 60 }));
  await database.running('DO %held%');
  proxy.cut();
  const error = await upgrade;
  expect(error).toMatchObject({ code: 'network', message: expect.stringContaining('the connection dropped before') });
  expect(error.next).toContain('--command current');
  expect(fn.count('upgrade')).toBe(1);

  expect(await client.current()).toMatchObject({ status: 'pending', to: ['a1'] });
  await database.letGo();
  expect(await client.upgrade()).toMatchObject({ status: 'complete', to: ['c3'], pending: [] });
  expect(await client.current()).toMatchObject({ status: 'complete', to: ['c3'] });
  expect(await database.ran()).toEqual({ a1: 1, b2: 1, c3: 1 });
  expect(await database.runs()).toEqual([['person ada', 'complete', ['a1', 'b2', 'c3']]]);
});

test('a run of many slices is one run in the history', async () => {
  const { fn, database, release } = production;
  fn.code = release({ a1: 'SELECT 1', b2: 'SELECT 1', c3: 'SELECT 1' });
  const answer = await client.upgrade({ sliceSeconds: 0 });
  expect(fn.requests.map(({ runId }) => runId)).toEqual([undefined, answer.runId, answer.runId]);
  expect(await database.runs()).toEqual([['person ada', 'complete', ['a1', 'b2', 'c3']]]);
  expect((await client.history()).runs).toMatchObject([{ runId: answer.runId, requestedBy: 'person ada', from: [], to: ['c3'] }]);
});

test('old code run by hand against a newer database fails, and names the unknown revision and what to deploy', async () => {
  const { fn, database, release } = production;
  fn.code = release({ a1: 'SELECT 1', b2: 'SELECT 1' });
  await client.upgrade();
  fn.code = release({ a1: 'SELECT 1' });
  const error = await thrown(client.upgrade());
  expect(error).toMatchObject({
    code: 'database_ahead',
    revision: 'b2',
    message: expect.stringContaining('the database is at b2'),
  });
  expect(error.next).toMatch(/^deploy the release that has this revision/);
  expect(await client.current()).toMatchObject({ status: 'ahead', unknown: ['b2'] });
  expect(await database.ran()).toEqual({ a1: 1, b2: 1 });
});
