import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { withPostgresServer } from '../../../lib/local/postgres/server';
import { needed } from '../../production/environment';
import { useTestBed } from '../installed-command';
import { eventually } from '../processes';

const ROWS = 40_000;
const KILLS = 6;
/** How many more rows each run can reach. It is more than the 1,000 rows of a run's first batch, so each run gets on. */
const REACH = 2_500;

const NAME = 'backfill.test';
/** The server's processes of killed runs, which may still wait for a lock. */
const RUNS = `FROM pg_stat_activity
  WHERE datname = current_database() AND backend_type = 'client backend' AND application_name <> '${NAME}'`;

const bed = useTestBed();
beforeEach(() => {
  bed.project.revision(
    'b2',
    'a1',
    'Add people table',
    `op.create_table("people", sa.Column("team", sa.Text(), primary_key=True), sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.Text()), sa.Column("full name", sa.Text()))`,
    'op.drop_table("people")',
  );
});

function create(fill: string) {
  const args = ['create', 'Fill full name of people', '--backfill', fill, '--fail-on', 'never', '--json'];
  return bed.run(args);
}

const withoutUs = (url: string) => ({
  ...process.env,
  PYTHONPATH: '',
  DATABASE_URL: url.replace('postgresql:', 'postgresql+psycopg:'),
});

/** Plain Alembic. */
function upgrade(url: string): ChildProcess {
  const options = { cwd: bed.project.directory, env: withoutUs(url), stdio: 'ignore' as const };
  return spawn(needed('RUNNER_PYTHON'), ['-m', 'alembic', 'upgrade', 'head'], options);
}

test(`${ROWS} rows are filled once each, although the run is killed ${KILLS} times`, async () => {
  const { stdout, stderr } = await create('people."full name" = upper(name) || \': \' || id::text');
  if (!stdout) throw new Error(stderr);
  const { created, review } = JSON.parse(stdout);
  const rules = review.findings.map(({ rule }: { rule: string }) => rule);
  expect(rules).not.toContain('update-all');
  const text = readFileSync(path.join(bed.project.directory, created.file), 'utf8');
  expect(text).not.toMatch(/cdk.?alembic/i);
  expect(text).toContain('"""The filled values do no harm to the revision before."""');

  await withPostgresServer(__dirname, async (server) => {
    const url = server.url();
    await bed.alembic(url, 'upgrade', 'b2');
    const client = new Client({ connectionString: url, application_name: NAME });
    await client.connect();
    const value = async (sql: string) => Number((await client.query(sql)).rows[0].value);
    await client.query(`
      INSERT INTO people SELECT 'team ' || n % 3, n, CASE WHEN n % 10 > 0 THEN 'name ' || n END FROM generate_series(1, ${ROWS}) n;
      UPDATE people SET "full name" = 'written by the application' WHERE id = 7;
      CREATE TABLE writes (team text, id int);
      CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO writes VALUES (NEW.team, NEW.id); RETURN NEW; END $$;
      CREATE TRIGGER note AFTER UPDATE ON people FOR EACH ROW EXECUTE FUNCTION note();`);
    for (let kill = 1, done = 0; kill <= KILLS; kill++) {
      // A run waits for this row, so it can't end before it is killed.
      const blocking = new Client({ connectionString: url, application_name: NAME });
      await blocking.connect();
      await blocking.query(`BEGIN; SELECT FROM people WHERE (team, id) =
        (SELECT team, id FROM people WHERE name IS NOT NULL ORDER BY team, id OFFSET ${kill * REACH} LIMIT 1) FOR UPDATE`);
      const running = upgrade(url);
      await eventually(async () => (await value('SELECT count(*) AS value FROM writes')) > done);
      running.kill('SIGKILL');
      await once(running, 'exit');
      expect(running.signalCode).toBe('SIGKILL');
      await client.query(`SELECT pg_terminate_backend(pid) ${RUNS}`);
      await eventually(async () => (await value(`SELECT count(*) AS value ${RUNS}`)) === 0);
      await blocking.end();
      done = await value('SELECT count(*) AS value FROM writes');
    }
    const [code] = await once(upgrade(url), 'exit');
    expect(code).toBe(0);

    const filled = (ROWS * 9) / 10 - 1;
    expect(await value('SELECT count(*) AS value FROM writes')).toBe(filled);
    expect(await value('SELECT count(DISTINCT (team, id)) AS value FROM writes')).toBe(filled);
    expect(await value(`SELECT count(*) AS value FROM people WHERE "full name" = upper(name) || ': ' || id`)).toBe(filled);
    expect((await client.query('SELECT "full name" AS is FROM people WHERE id IN (7, 10) ORDER BY id')).rows).toEqual([
      { is: 'written by the application' },
      { is: null },
    ]);
    await client.end();
  });
});

test('a table of another schema is named with it', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Add people of crm',
    'op.execute("CREATE SCHEMA crm"); op.create_table("clients", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("name", sa.Text()), schema="crm")',
    'op.drop_table("clients", schema="crm"); op.execute("DROP SCHEMA crm")',
  );
  const error = JSON.parse((await create('clients.name = id::text')).stdout).error;
  expect(error).toMatchObject({ code: 'create_failed', next: expect.stringMatching(/: crm\.clients\.name$/) });
  expect(JSON.parse((await create('crm.clients.name = id::text')).stdout).exitCode).toBe(0);
});

test.each([
  ['people.nothing = name', 'create_failed', 'people has no column nothing at head'],
  ['nobody.name = name', 'create_failed', 'there is no table nobody at head'],
  ['people.name', 'invalid_usage', 'does not assign'],
  ['people.name = name WHERE id = 1', 'invalid_usage', 'does not assign'],
])('the backfill "%s" writes nothing and says why', async (fill, code, message) => {
  const { stdout } = await create(fill);
  expect(JSON.parse(stdout).error).toMatchObject({ code, message: expect.stringContaining(message) });
  expect(bed.project.revisions).toEqual(['a1.py', 'b2.py']);
});
