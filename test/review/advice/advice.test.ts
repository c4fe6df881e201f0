import { spawnSync } from 'node:child_process';
import path from 'node:path';
import type { DirectionFacts, RevisionFacts, TableFacts } from '../../../lib/contract/facts';
import { review } from '../../../lib/review';
import { Database } from '../../production/database';
import { needed } from '../../production/environment';

const GIVEN = `
CREATE TYPE "Mood" AS ENUM ('sad', 'it''s: ok');
CREATE TABLE teams (id bigint PRIMARY KEY, "Code" text UNIQUE, region int, UNIQUE ("Code", region));
CREATE TABLE people (id bigint NOT NULL, team bigint, "Full name" text, email text, age int, "order" int, gone timestamptz, tags jsonb,
  mood "Mood", doc tsvector, span int4range, region int, CONSTRAINT pk_people PRIMARY KEY (id));
CREATE TABLE "People: all" (LIKE people INCLUDING ALL);
CREATE TABLE parts (id bigint NOT NULL, email text) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
INSERT INTO teams VALUES (1, 'a', 1);
INSERT INTO people VALUES (1, 1, 'A', 'a@example.org', 30, 1, NULL, '{}'), (2, 1, 'B', 'b@example.org', 31, 2, now(), '{}');
INSERT INTO "People: all" SELECT * FROM people;
`;
const PEOPLE: TableFacts = {
  columns: [{ name: 'id', type: 'bigint', notNull: true, identity: false, generated: false }],
  constraints: [{ name: 'pk_people', kind: 'primary key', definition: 'PRIMARY KEY (id)', columns: ['id'], validated: true }],
  indexes: [],
};

const PARTS: TableFacts = {
  columns: [],
  constraints: [],
  indexes: [{ name: 'shop.ix_parts', definition: '', columns: [null], unique: false, valid: true, partial: false }],
  partitions: ['shop.parts_1'],
};

/** The same numbers in every run. */
function* numbers(seed: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    yield state;
  }
}

const random = numbers(20_261);
const one = <T>(values: readonly T[]): T => values[Math.floor((random.next().value / 2_147_483_648) * values.length)] as T;
const LONG = 'n'.repeat(60);
const TABLES = ['people', 'people', '"People: all"'];
const NAMES = ['ix_people_1', '"Ix of people"', 'order_of_people', `ix_${LONG}`, '"100% of: x"'];
const WHERE = [
  '',
  ' WHERE gone IS NULL',
  " WHERE email LIKE 'a:%' AND age > 3",
  ` WHERE "Full name" <> 'x, (y)'`,
  ` WHERE mood IN ('sad', 'it''s: ok')`,
  " WHERE (tags ->> 'n')::int > 3",
];
const ELEMENTS = [
  'email',
  '"Full name"',
  'age',
  '"order"',
  'mood',
  'lower(email)',
  'age DESC NULLS LAST',
  'age NULLS FIRST',
  'email text_pattern_ops',
  'email COLLATE "C"',
  'email COLLATE pg_catalog."C" text_pattern_ops DESC',
  '(age + 1)',
  "((tags ->> 'n')::int)",
  "(CAST(tags ->> 'a:b' AS numeric(10, 2)))",
  `coalesce("Full name", 'it''s')`,
];

function index(): string {
  const elements = [...new Set([one(ELEMENTS), one(ELEMENTS)])].join(', ');
  const more = `${one(['', ' INCLUDE (team)', ' INCLUDE ("order", team)'])}${one(['', ' NULLS NOT DISTINCT'])}${one(['', ' WITH (fillfactor=70)'])}${one(WHERE)}`;
  const unique = one(['', 'UNIQUE ']);
  return `CREATE ${unique}INDEX ${one(NAMES)} ON ${one(TABLES)} ${one(['', 'USING btree '])}(${elements})${unique ? more : more.replace(' NULLS NOT DISTINCT', '')}`;
}

/** Of other access methods, with parameters of their operator classes. */
function otherIndex(): string {
  const how = one([
    'USING gin (tags jsonb_path_ops)',
    'USING gin (tags) WITH (fastupdate = off)',
    'USING gist (doc tsvector_ops (siglen = 100), span)',
    'USING gist (span range_ops)',
    'USING brin (age int4_minmax_multi_ops (values_per_range = 16)) WITH (pages_per_range = 4)',
    'USING hash (lower(email))',
    `USING gin (to_tsvector('english', "Full name"))`,
  ]);
  return `CREATE INDEX ${one(NAMES)} ON ${one(TABLES)} ${how}${one(WHERE)}`;
}

const RETRIED = ' CONCURRENTLY IF NOT EXISTS';

/** An index that a second attempt takes for built. */
const retriedIndex = () => index().replace('INDEX', `INDEX${RETRIED}`);

function foreignKey(): string {
  const [columns, referenced, cleared] = one([
    ['team', 'teams (id)', 'team'],
    ['team', 'teams', 'team'],
    ['"Full name"', 'teams ("Code")', '"Full name"'],
    ['"Full name", region', 'teams ("Code", region)', '"Full name"'],
  ]) as [string, string, string];
  const key = `FOREIGN KEY (${columns}) REFERENCES ${referenced}`;
  const more = `${one(['', ' MATCH FULL'])}${one(['', ' ON UPDATE CASCADE'])}${one(['', ' ON DELETE SET NULL', ' ON DELETE SET DEFAULT', ' ON DELETE CASCADE', ` ON DELETE SET NULL (${cleared})`])}`;
  const given = columns === 'team' ? '' : 'UPDATE people SET "Full name" = NULL; UPDATE "People: all" SET "Full name" = NULL; ';
  const deferred = one(['', ' DEFERRABLE', ' DEFERRABLE INITIALLY DEFERRED', ' NOT DEFERRABLE']);
  return `${given}ALTER TABLE ${one(TABLES)} ADD ${one(['CONSTRAINT fk_people ', 'CONSTRAINT "Fk 1" ', `CONSTRAINT fk_${LONG} `])}${key}${more}${deferred}`;
}

function key(): string {
  const more = `${one(['', ' INCLUDE (team)'])}${one(['', ' WITH (fillfactor=70)'])}${one(['', ' DEFERRABLE', ' DEFERRABLE INITIALLY DEFERRED'])}`;
  return `ALTER TABLE ${one(TABLES)} ADD CONSTRAINT ${one(['uq_people', '"Uq: 1"', `uq_${LONG}`])} UNIQUE ${one(['', 'NULLS NOT DISTINCT '])}(${one(['email', '"Full name", age', '"order"'])})${more}`;
}

function check(): string {
  const condition = one([
    'age > 0',
    `"Full name" <> ''`,
    "email LIKE '%:%' OR (age >= 1 AND age < 200)",
    "tags ->> 'a:b' IS NULL",
    `mood <> 'it''s: ok'`,
    "(tags ->> 'n')::int IS NULL AND age BETWEEN 1 AND 100",
  ]);
  return `ALTER TABLE ${one(TABLES)} ADD CONSTRAINT ${one(['ck_people', '"Ck"', `ck_${LONG}`])} CHECK (${condition})${one(['', ' NO INHERIT'])}`;
}

function column(): string {
  const type = one([
    'uuid DEFAULT gen_random_uuid()',
    'double precision DEFAULT random()',
    'varchar(40) COLLATE "C" DEFAULT md5(random()::text)',
    'numeric(10, 2)[] DEFAULT ARRAY[random()::numeric(10, 2)]',
    `text DEFAULT 'it''s: ' || gen_random_uuid()`,
  ]);
  return `ALTER TABLE ${one(TABLES)} ADD COLUMN ${one(['token', '"Token"'])} ${type}${one(['', ' NOT NULL'])}`;
}

function numbered(): string {
  const type = one([
    'bigint GENERATED ALWAYS AS IDENTITY',
    'integer GENERATED BY DEFAULT AS IDENTITY',
    'smallint GENERATED BY DEFAULT AS IDENTITY (START WITH 10 INCREMENT BY 2)',
    'serial',
    'bigserial',
  ]);
  return `ALTER TABLE ${one(TABLES)} ADD COLUMN ${one(['number', '"Number"'])} ${type}`;
}

function notNull(): string {
  return `ALTER TABLE ${one(TABLES)} ALTER COLUMN ${one(['age', '"order"', 'email'])} SET NOT NULL`;
}

/** The same for tables in a schema that is not in the search path. */
function inSchema(sql: string): string {
  return sql
    .replace(/(?<=ON |TABLE |REFERENCES |UPDATE )(?=people|teams|"People)/g, 'shop.')
    .replace(/'sad'|'it''s: ok'/g, '$&::shop."Mood"');
}

const NOTHING = { leftTransaction: false, statementsLeftOut: 0 };

function facts(sql: string, at: number): RevisionFacts {
  const statement = { sql, line: 0, transaction: 0, milliseconds: 0, rowCount: -1, locks: [], rewrites: [] };
  const part: DirectionFacts = { outcome: 'not_run', statements: [statement], ...NOTHING };
  const source = { line: 1, empty: false, raises: false, calls: [], importedCalls: [], earlyReturns: [], sql: [], steps: [] };
  return {
    revision: `r${at}`,
    message: `Example ${at}`,
    file: `r${at}.py`,
    downRevisions: [],
    dependsOn: [],
    branchLabels: [`b${at}`],
    source: {
      ...{ description: '', acknowledgements: [], upgrade: source, downgrade: source, imports: [], steps: [] },
      history: { names: [], steps: [], isWhole: false, filledTables: [], materializedViews: [], partitionedTables: [] },
    },
    upgrade: part,
    downgrade: { outcome: 'not_run', statements: [], ...NOTHING },
    before: {
      'shop.parts': PARTS,
      ...Object.fromEntries(
        ['people', 'People: all'].flatMap((name) => [
          [name, PEOPLE],
          [`shop.${name}`, PEOPLE],
        ]),
      ),
    },
    after: {},
  };
}

const RULES = [
  'index-not-concurrent',
  'invalid-index-accepted',
  'foreign-key-not-valid',
  'constraint-builds-index',
  'check-not-valid',
  'table-rewrite',
  'set-not-null-scan',
];

/** What the review writes instead of each statement. */
async function advised(statements: readonly string[]): Promise<readonly string[]> {
  const revisions = statements.map(facts);
  const input = { graph: { revisions, heads: [] }, revisions, unreleased: [], edited: [], started: 0 };
  const { findings } = await review(input, { version: '0', rules: {}, failOn: 'error' });
  return statements.map((_, at) => {
    const advice = findings.find(({ revision, rule }) => revision === `r${at}` && RULES.includes(rule))?.instead;
    return advice ?? 'raise Exception("there is no advice")';
  });
}

interface Built {
  readonly statement: string;
  readonly advice: string;
  readonly meant: unknown;
  readonly built: unknown;
}

/** Runs each statement, and its advice in another schema. */
async function built(
  cases: readonly { readonly given: string; readonly statement: string; readonly advice: string }[],
): Promise<readonly Built[]> {
  const database = await Database.create();
  try {
    const script = path.join(__dirname, 'catalogs.py');
    const done = spawnSync(needed('RUNNER_PYTHON'), [script], {
      input: JSON.stringify(cases),
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
      env: { ...process.env, DATABASE: database.url },
    });
    expect(done.stderr).toBe('');
    return JSON.parse(done.stdout);
  } finally {
    await database.drop();
  }
}

test('following the advice builds exactly the intended object in the catalog, even with a naming convention', async () => {
  const made = [
    ...new Set(
      [index, otherIndex, retriedIndex, foreignKey, key, check, column, numbered, notNull].flatMap((make) =>
        Array.from({ length: 14 }, make),
      ),
    ),
  ];
  const statements = made.map((sql, at) => (at % 2 ? inSchema(sql) : sql));
  const advice = await advised(statements);
  const cases = statements.map((statement, at) => {
    const [, data = '', own = statement] = /^((?:UPDATE [^;]*; )*)(.*)$/s.exec(statement) ?? [];
    return { given: GIVEN + data, statement: own.replace(RETRIED, ''), advice: advice[at] ?? '' };
  });
  const found = await built(cases);
  expect(found.length).toBeGreaterThan(40);
  expect(found.filter(({ statement }) => statement.includes(' shop.')).length).toBeGreaterThan(20);
  expect(found.filter(({ meant, built }) => JSON.stringify(meant) !== JSON.stringify(built))).toEqual([]);
});

test('the advice for an index of a partitioned table builds it, or drops it, in any schema', async () => {
  const build = 'CREATE INDEX ix_parts ON shop.parts USING btree (lower(email))';
  const drop = 'DROP INDEX shop.ix_parts';
  const [builds = '', drops = ''] = await advised([build, drop]);
  const inSteps =
    'CREATE INDEX ix_parts ON ONLY shop.parts (lower(email)); CREATE INDEX ix_parts_1_expr ON shop.parts_1 (lower(email)); ' +
    'ALTER INDEX shop.ix_parts ATTACH PARTITION shop.ix_parts_1_expr';
  const found = await built([
    { given: GIVEN, statement: inSteps, advice: builds },
    { given: `${GIVEN}SET search_path = shop; ${inSteps}`, statement: drop, advice: drops },
  ]);
  expect(builds).toContain('ON ONLY');
  for (const { meant, built } of found) expect(built).toEqual(meant);
});
