import { spawnSync } from 'node:child_process';
import path from 'node:path';
import type { DirectionFacts, RevisionFacts, TableFacts } from '../../../lib/contract/facts';
import { review } from '../../../lib/review';
import { Database } from '../../production/database';
import { needed } from '../../production/environment';

const GIVEN = `
CREATE TABLE teams (id bigint PRIMARY KEY, "Code" text UNIQUE);
CREATE TABLE people (id bigint NOT NULL, team bigint, "Full name" text, email text, age int, "order" int, gone timestamptz, tags jsonb,
  CONSTRAINT pk_people PRIMARY KEY (id));
INSERT INTO teams VALUES (1, 'a');
INSERT INTO people VALUES (1, 1, 'A', 'a@example.org', 30, 1, NULL, '{}'), (2, 1, 'B', 'b@example.org', 31, 2, now(), '{}');
`;
const PEOPLE: TableFacts = {
  columns: [],
  constraints: [{ name: 'pk_people', kind: 'primary key', definition: 'PRIMARY KEY (id)', columns: ['id'], validated: true }],
  indexes: [],
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
const NAMES = ['ix_people_1', '"Ix of people"', 'order_of_people'];
const WHERE = ['', ' WHERE gone IS NULL', " WHERE email LIKE 'a:%' AND age > 3", ` WHERE "Full name" <> 'x, (y)'`];
const ELEMENTS = [
  'email',
  '"Full name"',
  'age',
  '"order"',
  'lower(email)',
  'age DESC NULLS LAST',
  'email text_pattern_ops',
  'email COLLATE "C"',
  '(age + 1)',
];

function index(): string {
  const elements = [...new Set([one(ELEMENTS), one(ELEMENTS)])].join(', ');
  const more = `${one(['', ' INCLUDE (team)'])}${one(['', ' NULLS NOT DISTINCT'])}${one(['', ' WITH (fillfactor=70)'])}${one(WHERE)}`;
  const unique = one(['', 'UNIQUE ']);
  return `CREATE ${unique}INDEX ${one(NAMES)} ON people ${one(['', 'USING btree '])}(${elements})${unique ? more : more.replace(' NULLS NOT DISTINCT', '')}`;
}

const RETRIED = ' CONCURRENTLY IF NOT EXISTS';

/** An index that a second attempt takes for built. */
const retriedIndex = () => index().replace('INDEX', `INDEX${RETRIED}`);

function foreignKey(): string {
  const target = one([
    ['team', 'teams (id)'],
    ['team', 'teams'],
    ['"Full name"', 'teams ("Code")'],
  ]);
  const key = `FOREIGN KEY (${target[0]}) REFERENCES ${target[1]}`;
  const more = `${one(['', ' MATCH FULL'])}${one(['', ' ON UPDATE CASCADE'])}${one(['', ' ON DELETE SET NULL', ' ON DELETE CASCADE', ` ON DELETE SET NULL (${target[0]})`])}`;
  const given = target[0] === 'team' ? '' : 'UPDATE people SET "Full name" = NULL; ';
  return `${given}ALTER TABLE people ADD CONSTRAINT ${one(['fk_people', '"Fk 1"'])} ${key}${more}${one(['', ' DEFERRABLE', ' DEFERRABLE INITIALLY DEFERRED'])}`;
}

function key(): string {
  const more = `${one(['', ' INCLUDE (team)'])}${one(['', ' WITH (fillfactor=70)'])}${one(['', ' DEFERRABLE', ' DEFERRABLE INITIALLY DEFERRED'])}`;
  return `ALTER TABLE people ADD CONSTRAINT uq_people UNIQUE ${one(['', 'NULLS NOT DISTINCT '])}(${one(['email', '"Full name", age', '"order"'])})${more}`;
}

function check(): string {
  const condition = one([
    'age > 0',
    `"Full name" <> ''`,
    "email LIKE '%:%' OR (age >= 1 AND age < 200)",
    "tags ->> 'a:b' IS NULL",
  ]);
  return `ALTER TABLE people ADD CONSTRAINT ${one(['ck_people', '"Ck"'])} CHECK (${condition})${one(['', ' NO INHERIT'])}`;
}

function column(): string {
  const type = one([
    'uuid DEFAULT gen_random_uuid()',
    'double precision DEFAULT random()',
    'varchar(40) COLLATE "C" DEFAULT md5(random()::text)',
  ]);
  return `ALTER TABLE people ADD COLUMN ${one(['token', '"Token"'])} ${type}${one(['', ' NOT NULL'])}`;
}

/** The same for tables in a schema that is not in the search path. */
function inSchema(sql: string): string {
  return sql.replace(/(?<=ON |TABLE |REFERENCES |UPDATE )(?=people|teams)/g, 'shop.');
}

const NOTHING = { leftTransaction: false, statementsLeftOut: 0 };

function facts(sql: string, at: number): RevisionFacts {
  const statement = { sql, line: 0, transaction: 0, milliseconds: 0, rowCount: -1, locks: [], rewrites: [] };
  const part: DirectionFacts = { outcome: 'not_run', statements: [statement], ...NOTHING };
  const source = { line: 1, empty: false, raises: false, calls: [], earlyReturns: [], sql: [], steps: [] };
  return {
    revision: `r${at}`,
    message: `Example ${at}`,
    file: `r${at}.py`,
    downRevisions: [],
    dependsOn: [],
    branchLabels: [`b${at}`],
    source: {
      ...{ description: '', acknowledgements: [], upgrade: source, downgrade: source, imports: [], steps: [] },
      history: { names: [], steps: [], isWhole: false },
    },
    upgrade: part,
    downgrade: { outcome: 'not_run', statements: [], ...NOTHING },
    before: { people: PEOPLE, 'shop.people': PEOPLE },
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
];

test('following the advice builds exactly the intended object, by the catalog, and a naming convention keeps its name', async () => {
  const made = [
    ...new Set([index, retriedIndex, foreignKey, key, check, column].flatMap((make) => Array.from({ length: 14 }, make))),
  ];
  const statements = made.map((sql, at) => (at % 2 ? inSchema(sql) : sql));
  const revisions = statements.map(facts);
  const input = { graph: { revisions, heads: [] }, revisions, unreleased: [], edited: [], started: 0 };
  const { findings } = await review(input, { version: '0', rules: {}, failOn: 'error' });
  const cases = statements.map((statement, at) => {
    const advice = findings.find(({ revision, rule }) => revision === `r${at}` && RULES.includes(rule))?.instead;
    const [, data = '', own = statement] = /^(UPDATE [^;]*; )?(.*)$/s.exec(statement) ?? [];
    return {
      given: GIVEN + data,
      statement: own.replace(RETRIED, ''),
      advice: advice ?? 'raise Exception("there is no advice")',
    };
  });
  const database = await Database.create();
  try {
    const script = path.join(__dirname, 'catalogs.py');
    const done = spawnSync(needed('RUNNER_PYTHON'), [script], {
      input: JSON.stringify(cases),
      encoding: 'utf8',
      env: { ...process.env, DATABASE: database.url },
    });
    expect(done.stderr).toBe('');
    const found: { statement: string; advice: string; meant: unknown; built: unknown }[] = JSON.parse(done.stdout);
    expect(found.length).toBeGreaterThan(40);
    expect(found.filter(({ statement }) => statement.includes(' shop.')).length).toBeGreaterThan(20);
    expect(found.filter(({ meant, built }) => JSON.stringify(meant) !== JSON.stringify(built))).toEqual([]);
  } finally {
    await database.drop();
  }
});
