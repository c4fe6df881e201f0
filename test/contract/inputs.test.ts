/* What may come in, in both languages: by samples that say what is meant, and by many values that a generator makes of the rules. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { REQUEST, requestProblems, SETTINGS, settingsProblems } from '../../lib/contract';
import { problemsOf, type Rule, type Shape } from '../../lib/contract/checks/rules';
import {
  TENANT_APPROVAL,
  TENANT_REQUEST,
  TENANT_RUN_INPUT,
  tenantApprovalProblems,
  tenantListProblems,
  tenantRequestProblems,
  tenantRunInputProblems,
} from '../../lib/contract/tenants';

const RUN_ID = '0b8f7f2e-6a4e-4e0e-9a51-3f0c3a0d9f11';
const acme = [{ name: 'acme' }];
const settings = { stage: 'dev', allow: [], database: { source: 'environment' } };
const iam = { source: 'iam', host: 'db', port: 5432, user: 'm', database: 'app', variables: { url: 'URL' } };
const secret = { source: 'secret', secretArn: 'arn:db', variables: { password: 'PASSWORD' } };

describe.each<[string, (value: unknown) => string[], unknown[], [unknown, string | RegExp][]]>([
  [
    'a request',
    requestProblems,
    [
      {},
      { command: 'upgrade', revision: '1975ea83b712' },
      { revision: 'billing@head' },
      { revision: '1975ea83b712-1', sliceSeconds: 0.5 },
      { command: 'downgrade', revision: '-1', sliceSeconds: 900 },
      { allow: ['drop_invalid_indexes'], requestedBy: 'deploy template-saas-prod', runId: RUN_ID, in: 'container' },
      { command: 'plan', sql: true },
    ],
    [
      [[], 'the request must be a JSON object'],
      [{ commnad: 'plan' }, /^unknown key "commnad": use command, revision, /],
      [{ command: null }, /^unknown command null: use upgrade, plan, /],
      [{ command: 'drop', later: 1 }, /^unknown key "later".*; unknown command "drop"/],
      [{ revision: "x'; DROP TABLE users; --" }, /is not a revision/],
      [{ revision: 'head\n' }, /is not a revision/],
      [{ revision: '+١' }, /is not a revision/],
      [{ revision: 'a'.repeat(129) }, /is not a revision/],
      [{ command: 'current', revision: 'head' }, '"current" takes no revision'],
      [{ command: 'stamp' }, '"stamp" needs a revision'],
      [{ sliceSeconds: true }, 'sliceSeconds must be a number from 0 to 900'],
      [{ command: 'plan', allow: [] }, '"plan" takes no allow'],
      [{ command: 'current', snapshot: true }, '"current" takes no snapshot'],
      [{ requestedBy: 'person\nx' }, 'requestedBy must be a text of at most 200 printable ASCII characters'],
      [{ runId: null }, 'runId must be a UUID in lower case'],
      [{ constructor: 1 }, /^unknown key "constructor"/],
    ],
  ],
  [
    'settings',
    settingsProblems,
    [
      settings,
      {
        ...settings,
        database: secret,
        secrets: [
          { name: 'STRIPE_KEY', secretArn: 'arn:keys', field: 'stripe' },
          { name: 'PEPPER', secretArn: 'arn:pepper' },
        ],
        limits: { lockTimeoutSeconds: 0.5, endBlockers: { roles: ['app'] } },
        guard: false,
        protected: true,
        onReplication: 'refuse',
        snapshot: { before: 'every_run', instance: 'shop', prefix: 'shop-api', keep: 3 },
      },
      { ...settings, database: iam, eventBus: 'default', container: 'arn:machine', tenants: { query: 'SELECT name FROM t' } },
    ],
    [
      [1, 'the settings must be a JSON object'],
      [
        { database: settings.database, allow: ['upgrade'] },
        'stage is missing; allow[0] must be one of downgrade, stamp, not "upgrade"',
      ],
      [{ ...settings, database: { source: ['secret'] } }, 'database.source must be one of environment, secret, iam'],
      [{ ...settings, database: {} }, 'database.source must be one of environment, secret, iam'],
      [{ ...settings, database: { ...secret, secretArn: undefined } }, '"secret" needs secretArn'],
      [
        { ...settings, database: { ...secret, variables: { urlScheme: 'x' } } },
        'database.variables must name at least one variable',
      ],
      [{ ...settings, database: { ...iam, password: 'p' } }, /^unknown key "database.password"/],
      [{ ...settings, database: { ...iam, port: '5432' } }, 'database.port must be a number from 1 to 65535'],
      [{ ...settings, limits: { lockTimeoutSeconds: -1 } }, 'limits.lockTimeoutSeconds must be a number from 0 to 900'],
      [
        {
          ...settings,
          secrets: [
            { name: 'KEY', secretArn: 'arn:a' },
            { name: 'KEY', arn: 'arn:b' },
          ],
        },
        /^unknown key "secrets\[1\]\.arn": .*; secrets\[1\]\.secretArn is missing; /,
      ],
      [
        { ...settings, snapshot: { before: 'never', prefix: '-x', keep: 1.5 } },
        /^snapshot.before must be one of .*; snapshot.prefix must be a text; snapshot.keep must be a number from 1 to 100; snapshot must name a cluster/,
      ],
      [{ ...settings, tenants: ['acme'] }, 'tenants must be a JSON object'],
    ],
  ],
  [
    'a request for tenants',
    tenantRequestProblems,
    [
      { tenants: acme },
      { command: 'plan', tenants: [{ name: 'acme', schema: 'a.b$c-d', secretArn: 'arn:aws:secretsmanager:x' }] },
      { command: 'tenants', after: '_' },
      { tenants: acme, toleratedFailures: 0, sliceSeconds: 300, allow: [], requestedBy: 'deploy x', runId: RUN_ID },
    ],
    [
      [{}, '"upgrade" needs tenants, a list of 1 to 1000'],
      [{ tenants: [] }, 'tenants must be a list of 1 to 1000 tenants'],
      [
        { tenants: Array.from({ length: 1001 }, (_, index) => ({ name: `t${index}` })) },
        'tenants must be a list of 1 to 1000 tenants',
      ],
      [{ tenants: ['acme'] }, 'tenants[0] must be a tenant, {"name": "..."}, not "acme"'],
      [{ tenants: [{ schema: 'a' }] }, 'tenants[0].name is missing'],
      [{ tenants: [{ name: 'acme', schema: null }] }, /^tenants\[0\]\.schema: null is not a usable name/],
      [{ tenants: [{ name: 'acme', secretArn: 'x' }] }, 'tenants[0].secretArn must be the ARN of a secret, not "x"'],
      [{ tenants: [{ name: 'a' }, { name: 'a', schema: 'b' }] }, 'tenants has "a" twice'],
      [{ tenants: [{ name: '..' }] }, /is not a usable name/],
      [{ tenants: acme, revision: 'aa' }, /^unknown key "revision"/],
      [{ command: 'tenants', tenants: acme }, '"tenants" takes no tenants'],
      [{ command: 'plan', tenants: acme, sliceSeconds: 1 }, '"plan" takes no sliceSeconds'],
      [{ tenants: acme, toleratedFailures: 0.5 }, 'toleratedFailures must be a number of tenants'],
    ],
  ],
  [
    'the input of a run over tenants',
    tenantRunInputProblems,
    [
      {},
      { command: 'plan' },
      { tenants: ['acme', 'b'], retryFailed: false },
      { retryFailed: true, allow: ['drop_invalid_indexes'] },
    ],
    [
      [null, 'the input must be a JSON object'],
      [{ tenants: [] }, 'tenants must be a list of names, at least one'],
      [{ tenants: ['a b'] }, /^tenants\[0\]: "a b" is not a usable name/],
      [{ tenants: ['a'], retryFailed: true }, 'retryFailed excludes tenants: it has its own list'],
      [{ command: 'plan', allow: [] }, '"plan" takes no allow'],
    ],
  ],
  [
    'an approval',
    tenantApprovalProblems,
    [{ runId: RUN_ID, approved: false, requestedBy: 'person x' }],
    [
      [{}, 'runId is missing; approved is missing'],
      [{ runId: '-'.repeat(36), approved: 'yes' }, 'runId must be a UUID in lower case; approved must be true or false'],
    ],
  ],
])('%s', (_, problems, accepted, rejected) => {
  test.each(accepted.map((value) => [JSON.stringify(value), value]))('%s is accepted', (_, value) =>
    expect(problems(value)).toEqual([]),
  );

  test.each(rejected.map(([value, told]) => [JSON.stringify(value)?.slice(0, 80), value, told] as const))(
    '%s is rejected with the reason',
    (_, value, told) => {
      const found = problems(value).join('; ');
      if (typeof told === 'string') expect(found).toBe(told);
      else expect(found).toMatch(told);
    },
  );
});

test('a list with many problems reports the first ones and counts the others', () => {
  const found = tenantListProblems(Array.from({ length: 9 }, (_, index) => ({ name: `tenant ${index}` })));
  expect(found).toHaveLength(6);
  expect(found.at(-1)).toBe('and 4 more problems in tenants');
});

/** Any JSON, and what the rules could be tricked by. */
const anything = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    '',
    'head',
    'x\n',
    '__proto__',
    'constructor',
    -1,
    0,
    0.5,
    2,
    901,
    65_536,
    [],
    {},
    [[]],
    [{}],
  ),
  fc.string({ maxLength: 70 }),
  fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 2 }),
);

const known = new Map<Rule, fc.Arbitrary<unknown>>();

/** Values that pass a rule; made once, since that takes most of the time. */
function passing(rule: Rule): fc.Arbitrary<unknown> {
  const values = known.get(rule) ?? generator(rule);
  known.set(rule, values);
  return values;
}

function generator(rule: Rule): fc.Arbitrary<unknown> {
  switch (rule.type) {
    case 'text':
      return rule.pattern === undefined ? fc.string({ minLength: 1 }) : matching(rule.pattern, rule.maxLength);
    case 'number':
      return rule.whole
        ? fc.integer({ min: rule.from, max: Math.min(rule.to ?? 100, 65_535) })
        : fc.integer({ min: rule.from, max: (rule.to ?? 100) - 1 }).map((number) => number + 0.5);
    case 'boolean':
      return fc.boolean();
    case 'choice':
      return fc.constantFrom(...rule.of);
    case 'list': {
      const { once } = rule;
      const options = { minLength: rule.min ?? 0, maxLength: 4 };
      const items = passing(rule.of);
      if (once === undefined) return fc.array(items, options);
      return fc.uniqueArray(items, { ...options, selector: (item) => (item as Record<string, unknown>)[once] });
    }
    case 'object':
      return passingShape(rule.shape);
  }
}

function matching(pattern: string, maxLength = 1000): fc.Arbitrary<string> {
  return fc.stringMatching(new RegExp(`^(?:${pattern})$`)).filter((text) => text.length <= maxLength);
}

function passingShape(shape: Shape): fc.Arbitrary<unknown> {
  const rules = Object.entries<Rule>(shape.keys);
  const command = shape.by === undefined ? fc.constant(undefined) : passing(shape.keys[shape.by] as Rule);
  return command.chain((chosen) => {
    const taken = rules.filter(([key, { takenBy }]) => key !== shape.by && (!takenBy || takenBy.includes(chosen as string)));
    const needed = taken.filter(([, { neededBy }]) => neededBy === 'all' || neededBy?.includes(chosen as string));
    const rest = fc.record(Object.fromEntries(taken.map(([key, rule]) => [key, passing(rule)])), {
      requiredKeys: needed.map(([key]) => key),
    });
    const oneOf = shape.oneOf?.keys ?? [];
    const notBoth = shape.notBoth?.keys.slice(1) ?? [];
    return rest
      .map((keys) => Object.fromEntries(Object.entries(keys).filter(([key]) => !notBoth.includes(key))))
      .filter((keys) => oneOf.length === 0 || oneOf.some((key) => key in keys))
      .map((keys) => (chosen === undefined ? keys : { ...keys, [shape.by as string]: chosen }));
  });
}

/** Values that pass but for one key: its value is another one, it is not there, or it is unknown. */
function nearly(shape: Shape): fc.Arbitrary<unknown> {
  const key = fc.oneof(fc.constantFrom(...Object.keys(shape.keys)), fc.constantFrom('later', '__proto__', 'constructor', ''));
  return fc.tuple(passingShape(shape), key, fc.option(anything, { nil: undefined })).map(([value, changed, other]) => {
    const entries = Object.entries(value as object).filter(([key]) => key !== changed);
    return Object.fromEntries(other === undefined ? entries : [...entries, [changed, other]]);
  });
}

const PYTHON = `
import json, sys
from cdk_alembic.protocol import checks, request, rules, tenant_request
types = {"REQUEST": request.Request, "SETTINGS": request.Settings, "TENANT_REQUEST": tenant_request.TenantRequest}
found = []
for kind, value in json.load(sys.stdin):
    found.append(checks.problems(getattr(rules, kind), value))
    if not found[-1]:
        types[kind].of(value)
json.dump(found, sys.stdout)
`;

/** What the runner finds in each value. */
function inPython(cases: readonly (readonly [kind: string, value: unknown])[]): string[][] {
  const env = { ...process.env, PYTHONPATH: join(__dirname, '../../lambda/migrate'), PYTHONDONTWRITEBYTECODE: '1' };
  const { stdout, stderr } = spawnSync('python3', ['-c', PYTHON], {
    env,
    input: JSON.stringify(cases),
    encoding: 'utf8',
    maxBuffer: 1e9,
  });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

const CASES = 300;
const BOTH = { REQUEST, SETTINGS, TENANT_REQUEST } as unknown as Record<string, Shape>;
const ALL = { ...BOTH, TENANT_RUN_INPUT, TENANT_APPROVAL } as unknown as Record<string, Shape>;

test.each(Object.keys(ALL))('any %s that the rules allow is accepted', (name) => {
  const shape = ALL[name] as Shape;
  fc.assert(fc.property(passingShape(shape), (value) => expect(problemsOf(shape, value)).toEqual([])));
});

test('TypeScript and Python report the same problems in the same words', () => {
  const cases = Object.entries(BOTH).flatMap(([kind, shape]) =>
    [passingShape(shape), nearly(shape), anything].flatMap((values) =>
      fc.sample(values, CASES).map((value) => [kind, JSON.parse(JSON.stringify(value))] as const),
    ),
  );
  const here = cases.map(([kind, value]) => problemsOf(BOTH[kind] as Shape, value));
  expect(here.filter((problems) => problems.length > 0).length).toBeGreaterThan(CASES);
  const there = inPython(cases);
  const differ = cases.flatMap(([kind, value], index) =>
    JSON.stringify(here[index]) === JSON.stringify(there[index]) ? [] : [{ kind, value, here: here[index], there: there[index] }],
  );
  expect(differ.slice(0, 3)).toEqual([]);
});
