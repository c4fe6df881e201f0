import { HELD } from './database';
import { useProduction } from './production';

const production = useProduction();

const FIRST = { a1: 'CREATE TABLE users (id int)' };
const SECOND = { ...FIRST, b2: 'CREATE TABLE items (id int)', c3: 'CREATE TABLE notes (id int)' };

describe('a request that CloudFormation delivers twice', () => {
  test.each(['twice at once', 'twice in a row'] as const)(
    '%s: each revision runs once, and both answers are successes',
    async (delivery) => {
      const { stack, release, database } = production;
      const created = await stack.create(release(FIRST), delivery);
      expect(created.all.map(({ Status, Reason }) => (Status === 'SUCCESS' ? Status : Reason))).toEqual(['SUCCESS', 'SUCCESS']);
      const { updated } = await stack.update(release(SECOND), { delivery });
      expect(updated.all.map(({ Status, Data }) => [Status, Data?.toRevision])).toEqual([
        ['SUCCESS', 'c3'],
        ['SUCCESS', 'c3'],
      ]);
      expect(await database.ran()).toEqual({ a1: 1, b2: 1, c3: 1 });
      expect(await database.version()).toEqual(['c3']);
      expect(stack.status).toBe('UPDATE_COMPLETE');
      // One request is one run, however often it is delivered.
      expect(await database.runs()).toEqual([
        ['deploy app-dev', 'complete', ['a1']],
        ['deploy app-dev', 'complete', ['b2', 'c3']],
      ]);
    },
  );
});

describe('a handler that the Provider framework invokes again', () => {
  test.each(['on-event', 'is-complete'])('because the answer of %s was lost: each revision runs once', async (handler) => {
    const { stack, release, database, aws } = production;
    let lost = 0;
    aws.losesAnswer = async (name) => name.endsWith(`:${handler}`) && lost++ === 0;
    const { response } = await stack.create(release(SECOND));
    expect(lost).toBeGreaterThan(1);
    expect(response).toMatchObject({ Status: 'SUCCESS', Data: { toRevision: 'c3', appliedCount: '3' } });
    expect(await database.ran()).toEqual({ a1: 1, b2: 1, c3: 1 });
  });
});

describe('a connection that drops while the function is inside a revision', () => {
  test('does not run anything twice: the deploy polls and waits for the active run', async () => {
    const { stack, release, database, aws, fn } = production;
    let lost = 0;
    aws.losesAnswer = async (_, payload) => {
      if (!payload.includes('"upgrade"')) return false;
      lost += 1;
      if (lost === 1) await database.running('DO %held%');
      else await database.letGo();
      return lost === 1;
    };
    await database.hold();
    const { response } = await stack.create(release({ ...FIRST, b2: HELD, c3: 'SELECT 1' }));
    expect([lost, fn.count('upgrade')]).toEqual([2, 2]);
    expect(response).toMatchObject({ Status: 'SUCCESS', Data: { fromRevision: '', toRevision: 'c3', appliedCount: '3' } });
    expect(await database.ran()).toEqual({ a1: 1, b2: 1, c3: 1 });
  });
});

describe('a rollback', () => {
  const rollBack = (beforeRollback: () => void | Promise<void> = () => undefined) => {
    const { stack, release } = production;
    return stack.update(release(SECOND), { siblingFails: true, beforeRollback });
  };

  test('to code that is older than the database succeeds and leaves the database unchanged', async () => {
    const { stack, release, database, logged, fn, aws } = production;
    await stack.create(release(FIRST));
    const { updated, rolledBack } = await rollBack();
    // One for each update.
    expect(aws.describeCalls).toBe(2);
    expect(updated.response).toMatchObject({
      Status: 'SUCCESS',
      Data: { fromRevision: 'a1', toRevision: 'c3', appliedCount: '2' },
    });
    expect(rolledBack?.response).toMatchObject({
      Status: 'SUCCESS',
      PhysicalResourceId: updated.response.PhysicalResourceId,
      Data: { fromRevision: 'c3', toRevision: 'c3', appliedCount: '0' },
    });
    expect(stack.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(await database.ran()).toEqual({ a1: 1, b2: 1, c3: 1 });
    expect(await database.version()).toEqual(['c3']);
    expect([fn.count('upgrade'), fn.count('current')]).toEqual([2, 1]);
    expect(logged()).toMatch(/"level":"warning".*the database is unchanged/);
  });

  test.each([
    ['the database is gone', async () => production.database.drop()],
    [
      'the runner is broken',
      () => {
        production.fn.code = production.brokenRelease();
      },
    ],
    [
      'the function is missing',
      () => {
        production.fn.code = undefined;
      },
    ],
  ])('succeeds although %s', async (_, breakIt) => {
    const { stack, release } = production;
    await stack.create(release(FIRST));
    const { rolledBack } = await rollBack(breakIt);
    expect(rolledBack?.response).toMatchObject({
      Status: 'SUCCESS',
      Data: { fromRevision: '', toRevision: '', appliedCount: '0' },
    });
    expect(rolledBack?.milliseconds).toBeLessThan(120_000);
    expect(stack.status).toBe('UPDATE_ROLLBACK_COMPLETE');
  });

  test('of a failed migration keeps earlier revisions, and a fixed release continues from there', async () => {
    const { stack, release, database } = production;
    await stack.create(release(FIRST));
    const { updated, rolledBack } = await stack.update(release({ ...SECOND, c3: 'SELECT missing FROM users' }));
    expect([updated.response.Status, rolledBack?.response.Status]).toEqual(['FAILED', 'SUCCESS']);
    expect(stack.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(await database.version()).toEqual(['b2']);
    const fixed = await stack.update(release(SECOND));
    expect(fixed.updated.response).toMatchObject({ Status: 'SUCCESS', Data: { fromRevision: 'b2', toRevision: 'c3' } });
    expect(await database.ran()).toEqual({ a1: 1, b2: 1, c3: 1 });
    expect(stack.status).toBe('UPDATE_COMPLETE');
  });

  test('whose status cannot be read at first is recognized after the database turns out to be ahead', async () => {
    const { stack, release, aws, logged } = production;
    await stack.create(release(FIRST));
    const { rolledBack } = await rollBack(() => {
      const status = aws.stackStatus;
      aws.stackStatus = undefined;
      aws.losesAnswer = async (name) => {
        if (name.endsWith(':is-complete')) aws.stackStatus = status;
        return false;
      };
    });
    expect(logged()).toContain('the status of the stack could not be read');
    expect(rolledBack?.response).toMatchObject({ Status: 'SUCCESS', Data: { toRevision: 'c3', appliedCount: '0' } });
  });
});

describe('old code that is deployed against a newer database, with no rollback', () => {
  test('fails the deploy, names the unknown revision and what to deploy, and changes nothing', async () => {
    const { stack, release, database } = production;
    const old = release(FIRST);
    await stack.create(release(SECOND));
    const { updated, rolledBack } = await stack.update(old);
    expect(updated.response.Status).toBe('FAILED');
    expect(updated.response.Reason).toMatch(/^\[database_ahead\] the database is at c3, which this release does not have/);
    expect(updated.response.Reason).toContain('next: deploy the release that has this revision');
    expect(rolledBack?.response.Status).toBe('SUCCESS');
    expect(await database.version()).toEqual(['c3']);
    expect(await database.ran()).toEqual({ a1: 1, b2: 1, c3: 1 });
  });
});

describe('a stack that is deleted', () => {
  test('succeeds at once without calling the function, and keeps the tables', async () => {
    const { stack, release, database, fn } = production;
    await stack.create(release(FIRST));
    const before = fn.requests.length;
    const { response } = await stack.remove();
    expect(response.Status).toBe('SUCCESS');
    expect([stack.status, fn.requests.length]).toEqual(['DELETE_COMPLETE', before]);
    expect(await database.ran()).toEqual({ a1: 1 });
  });

  test('succeeds at once if database and function no longer exist', async () => {
    const { stack, release, database, fn } = production;
    await stack.create(release(FIRST));
    await database.drop();
    fn.code = undefined;
    const before = fn.requests.length;
    const { response } = await stack.remove();
    expect([response.Status, fn.requests.length]).toEqual(['SUCCESS', before]);
  });

  test('succeeds for an id that was never issued', async () => {
    const { stack, release, database, fn } = production;
    await stack.create(release(FIRST));
    const before = fn.requests.length;
    const { response } = await stack.remove('app-dev-Migrations-1TK4NQ0XAMPLE');
    expect(response).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'app-dev-Migrations-1TK4NQ0XAMPLE' });
    expect(fn.requests.length).toBe(before);
    expect(await database.ran()).toEqual({ a1: 1 });
  });

  test('whose first deploy failed is rolled back by a Delete, and keeps applied revisions', async () => {
    const { stack, release, database } = production;
    const { response } = await stack.create(release({ ...FIRST, b2: 'SELECT missing FROM users' }));
    expect(response.Status).toBe('FAILED');
    expect(stack.status).toBe('ROLLBACK_COMPLETE');
    expect(await database.version()).toEqual(['a1']);
  });
});

test('replacing the resource runs no migration again, and the Delete of the old one changes nothing', async () => {
  const { stack, release, database } = production;
  const code = release(FIRST);
  await stack.create(code);
  const { created, deleted } = await stack.replace(code);
  expect(created.response).toMatchObject({ Status: 'SUCCESS', Data: { fromRevision: 'a1', appliedCount: '0' } });
  expect(deleted.response.Status).toBe('SUCCESS');
  expect(stack.status).toBe('UPDATE_COMPLETE');
  expect(await database.ran()).toEqual({ a1: 1 });
});

describe('a migration that raises', () => {
  test('fails the deploy within seconds, with revision, SQLSTATE, statement, log group and next step', async () => {
    const { stack, release, database } = production;
    await stack.create(release(FIRST));
    const { updated } = await stack.update(release({ ...FIRST, b2: 'ALTER TABLE missing ADD COLUMN note text', c3: 'SELECT 1' }));
    const { Status, Reason } = updated.response;
    expect(Status).toBe('FAILED');
    expect(Reason).toContain('[migration_failed] revision b2 (Add b2) failed: relation "missing" does not exist');
    expect(Reason).toContain('SQLSTATE 42P01');
    expect(Reason).toContain('statement: ALTER TABLE missing ADD COLUMN note text');
    expect(Reason).toContain('log group /aws/lambda/app-api-migrate-lambda-dev');
    expect(Reason).toContain('next: it was rolled back, and earlier revisions stay');
    expect(updated.milliseconds).toBeLessThan(120_000);
    expect(await database.version()).toEqual(['a1']);
    expect(await database.ran()).toEqual({ a1: 1 });
    expect(stack.status).toBe('UPDATE_ROLLBACK_COMPLETE');
  });

  test('sends less than 4,096 bytes to CloudFormation, however long statement and error are', async () => {
    const { stack, release } = production;
    await stack.create(release(FIRST));
    const long = '👩'.repeat(6_000);
    const sql = `DO $$ BEGIN RAISE EXCEPTION '${long}' USING ERRCODE = 'P0042', DETAIL = '${long}'; END $$`;
    const { updated } = await stack.update(release({ ...FIRST, b2: sql }));
    expect(updated.response.Status).toBe('FAILED');
    expect(updated.response.Reason).toMatch(/b2.*SQLSTATE P0042; statement: DO \$\$.*…; log group .*; next: /);
    expect(updated.bytes).toBeLessThan(4_096);
  });
});

test('a revision that destroys data and does not say why fails the deploy with file, line and the comment to write', async () => {
  const { stack, release, database } = production;
  await stack.create(release(FIRST));
  const { updated } = await stack.update(release({ ...FIRST, b2: 'DROP TABLE users' }));
  expect(updated.response.Reason).toMatch(/^\[blocked\] .*DROP TABLE users in revision b2 \(b2\.py:\d+\)/);
  expect(updated.response.Reason).toContain('`# cdk-alembic: allow drop-table: <reason>`');
  expect(stack.status).toBe('UPDATE_ROLLBACK_COMPLETE');
  expect(await database.rows("SELECT to_regclass('users')::text")).toEqual([['users']]);
});
