import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArguments } from '../../lib/cli/safe-alembic/arguments';
import { helpOf } from '../../lib/cli/safe-alembic/help';
import { FORMATS } from '../../lib/cli/safe-alembic/review/arguments';
import { VERB_NAMES } from '../../lib/cli/safe-alembic/verbs';
import { SETTINGS_KEY, settingsProblems } from '../../lib/local/settings';
import { RULES } from '../../lib/review';
import { needed } from '../production/environment';
import { blocks, textOf } from './pages';

const page = textOf('docs/review.md');

/** The first cells of the table that begins with this head. */
function tableOf(head: string): string[] {
  const [, rows = ''] = page.split(`\n| ${head} | |\n| --- | --- |\n`);
  return rows.slice(0, rows.indexOf('\n\n')).split('\n');
}

describe('the rules', () => {
  const sections = page.split(/^### /m).slice(1);
  const documented = sections.map((section) => section.slice(0, section.indexOf('\n')));

  test('have one section each, in order, and there are no other sections', () => {
    expect(documented).toEqual(RULES.map(({ id }) => id));
  });

  test.each(RULES)('the section of $id has its severity and its source', ({ id, severity, group }) => {
    const section = sections.find((text) => text.startsWith(`${id}\n`)) ?? '';
    expect(section).toContain(`\n**${severity}** · `);
    expect(section).toContain('\nSource: ');
    const before = page.slice(0, page.indexOf(`\n### ${id}\n`));
    const heading = before
      .slice(before.lastIndexOf('\n## ') + 4)
      .split('\n')[0]
      ?.toLowerCase();
    expect(heading).toBe(group === 'review' ? 'the review itself' : group);
  });
});

describe('the command', () => {
  test('every verb and every format is documented', () => {
    expect(tableOf('verb').map((row) => /`(\w+)/.exec(row)?.[1])).toEqual(VERB_NAMES);
    const formats = page.split('| format | for |\n| --- | --- |\n')[1]?.split('\n\n')[0]?.split('\n');
    expect(formats?.map((row) => /`(\w+)`/.exec(row)?.[1])).toEqual(FORMATS);
  });

  test('the documented options are exactly those of review', () => {
    const told = tableOf('option').flatMap((row) =>
      [...(row.split(' | ')[0] ?? '').matchAll(/`(--[\w-]+)/g)].map(([, name]) => name),
    );
    const known = [...helpOf('review').matchAll(/(?<=[ ,])--[a-z-]+/g)].map(([name]) => name);
    expect(told.sort()).toEqual([...new Set(known)].filter((name) => name !== '--json').sort());
  });

  test.each(
    ['docs/review.md', 'docs/create.md'].flatMap((name) =>
      blocks('sh', [name]).flatMap(({ code }) => code.split('\n').filter((line) => line.startsWith('npx safe-alembic '))),
    ),
  )('accepts: %s', (line) => {
    const words = line.replace(/\s+#.*$/, '').match(/"[^"]*"|\S+/g) ?? [];
    const argv = words.slice(2).map((word) => word.replaceAll('"', ''));
    expect(parseArguments(argv)).toMatchObject({ kind: 'run' });
  });

  test('the settings on the page are valid', () => {
    const [{ code = '{}' } = {}] = blocks('json', ['docs/review.md']);
    const known = (rule: string) => RULES.some(({ id }) => id === rule);
    expect(settingsProblems(JSON.parse(code)[SETTINGS_KEY], known)).toEqual([]);
  });
});

describe('the safe code', () => {
  /** What can be run without the rest of a file: env.py's own lines can't. */
  const fragments = blocks('python', ['docs/review.md']).filter(({ code }) => !/^(with )?connectable\b/m.test(code));
  let outcomes: (string | null)[];
  beforeAll(() => {
    const input = JSON.stringify(fragments.map(({ code }) => code));
    const run = spawnSync(needed('RUNNER_PYTHON'), [join(__dirname, 'render.py')], { input, encoding: 'utf8' });
    if (run.status !== 0) throw new Error(run.stderr);
    outcomes = JSON.parse(run.stdout);
  });

  test.each(fragments.map(({ line }, index) => [line, index]))('Alembic accepts the code of line %d', (_, index) => {
    expect(outcomes[index]).toBeNull();
  });

  test('is there for most rules', () => {
    expect(fragments.length).toBeGreaterThan(25);
  });
});
