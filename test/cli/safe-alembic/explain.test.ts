import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Ajv from 'ajv';
import { RULES } from '../../../lib/review';
import { rulePage } from '../../../lib/review/rule-page';
import schema from '../../../schema/safe-alembic.json';
import { InstalledCommand } from '../../local/installed-command';

/* The command of the package, in a folder without a project. */

let installed: InstalledCommand;
let cwd: string;
beforeAll(async () => {
  installed = await InstalledCommand.install();
  cwd = mkdtempSync(path.join(tmpdir(), 'nowhere-'));
});
afterAll(() => {
  installed.remove();
  rmSync(cwd, { recursive: true });
});

const explain = (...args: string[]) => installed.safeAlembic(['explain', ...args], { cwd }).ended;

test('explains a rule without a project: what it finds, and the safe way', async () => {
  const { code, stdout, stderr } = await explain('index-not-concurrent');
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^index-not-concurrent\n\nerror · An index on an existing table is created, /);
  expect(stdout).toContain('    with op.get_context().autocommit_block():\n        op.execute("DROP INDEX');
  expect(stdout).toContain('require-concurrent-index-creation (https://squawkhq.com/docs/require-concurrent-index-creation)');
  expect(
    Math.max(
      ...stdout
        .split('\n')
        .filter((line) => !line.includes('://') && !line.startsWith('    '))
        .map(({ length }) => length),
    ),
  ).toBeLessThan(101);
});

test('lists every rule with its title', async () => {
  const { code, stdout } = await explain();
  expect(code).toBe(0);
  for (const { id, title } of RULES) expect(stdout).toMatch(new RegExp(`^  ${id} +${title.replace(/[()[\].]/g, '\\$&')}$`, 'm'));
});

test('prints documents that match the schema in the package', async () => {
  const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(schema);
  const document = async (...args: string[]) => {
    const printed = JSON.parse((await explain(...args, '--json')).stdout);
    validate(printed);
    expect(validate.errors ?? []).toEqual([]);
    return printed;
  };
  const rule = { id: 'drop-table', severity: 'error', group: 'data loss' };
  expect(await document('drop-table')).toMatchObject({ explain: 1, rules: [rule], page: expect.any(String), exitCode: 0 });
  expect(await document('squawk-ban-char-field')).toMatchObject({ explain: 1, rules: [], page: expect.any(String) });
  expect((await document()).rules).toHaveLength(RULES.length);
  expect(await document('drop-everything')).toMatchObject({ error: { code: 'invalid_usage' }, exitCode: 2 });
});

test('an unknown rule is a usage error that says where all rules are listed', async () => {
  const { code, stdout, stderr } = await explain('drop-everything');
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain('the review has no rule "drop-everything"');
  expect(stderr).toContain('see all rules with `npx safe-alembic explain`');
});

test.each(RULES.map(({ id }) => id))(
  'the package contains the page of %s, with links that work outside of the repository',
  (id) => {
    const page = rulePage(id) ?? '';
    expect(page).toContain('\nSource: ');
    expect(page).not.toMatch(/\]\((?!https:)/);
  },
);

test('a finding of squawk links to squawk’s own page', () => {
  expect(rulePage('squawk-ban-char-field')).toContain('https://squawkhq.com/docs/ban-char-field');
});
